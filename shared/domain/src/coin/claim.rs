//! Claims: everything that is reported about the coins of one transaction, so that each coin has one fate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::entry::{ClaimEntry, Fate, concerns, may_contradict};
use super::similar::SimilarKey;
use crate::{Feed, ResourceId, digest_hex};

/// The name of a claim: the tenant and the transaction's canonical id. `<transaction>`, or `acme/<transaction>` for the
/// tenant `acme`: what one organization is told never concerns another one's deposits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimKey(String);

/// The longest transaction id that is kept as it is; a longer one is replaced by its digest. A table key has at most
/// 2,048 bytes, and holds the tenant and a prefix too.
const TRANSACTION_BYTES_MAX: usize = 1024;

impl ClaimKey {
    /// The claim on the coins of `transaction`, for the organization of `feed`.
    pub fn new(feed: &Feed, transaction: &str) -> Self {
        let digest = || digest_hex(transaction.as_bytes());
        let name = if transaction.len() > TRANSACTION_BYTES_MAX { digest() } else { transaction.to_owned() };
        Self(feed.tenant().map_or(name.clone(), |tenant| format!("{tenant}/{name}")))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ClaimEntry {
    /// The claim that the entry belongs to; `None` when its transaction is not known.
    pub fn key(&self) -> Option<ClaimKey> {
        Some(ClaimKey::new(self.resource.feed(), self.coin.transaction()?))
    }
}

/// Everything that is reported about the coins of one transaction.
///
/// Stored as one item with a version, and written in one transaction with the deposits whose entries change. So two
/// deposits that report one coin at the same time never both find it free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    key: ClaimKey,
    version: u64,
    /// What each deposit says.
    entries: BTreeMap<ResourceId, ClaimEntry>,
    /// The deposits whose coin another one reports alike, which came first: the other one is credited, or books what is to
    /// be returned or in quarantine.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    duplicates: BTreeMap<ResourceId, ResourceId>,
    /// Which resources were told what other deposits say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    told: BTreeMap<ResourceId, BTreeSet<ResourceId>>,
}

/// What a resource must record because of what another deposit says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoinRelation {
    /// Another deposit reports the coin of this one alike, and counts in its place: it is credited, or books what is to be
    /// returned or in quarantine.
    DuplicateOf {
        /// The claim that shows it. A deposit may name several transactions, and each claim is released separately.
        claim: ClaimKey,
        /// The other deposit; `None` when the coin is not credited under it any more.
        owner: Option<ResourceId>,
    },
    /// Another deposit may be the same one, and no claim can show it: one of the two does not name its transaction.
    Resembles {
        /// The similar deposits that show it.
        similar: SimilarKey,
        /// The other deposit; `None` when that turned out to be wrong.
        deposit: Option<ResourceId>,
    },
    /// Another deposit may be about the same coin, and what is said about the coins of this transaction differs.
    AlsoReported(Box<ClaimEntry>),
}

/// A relation that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct DueRelation {
    /// The resource that must record it.
    pub on: ResourceId,
    /// What to record.
    pub relation: CoinRelation,
}

impl Claim {
    /// The claim on the coins of a transaction that nothing is recorded about.
    pub fn unclaimed(key: ClaimKey) -> Self {
        let (entries, duplicates, told) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { key, version: 0, entries, duplicates, told }
    }

    /// Its name.
    pub fn key(&self) -> &ClaimKey {
        &self.key
    }

    /// How often it was changed. A conditional write compares it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the deposits say, in the order of their ids.
    pub fn entries(&self) -> impl Iterator<Item = &ClaimEntry> + Clone {
        self.entries.values()
    }

    /// What this deposit says.
    pub(crate) fn entry_of(&self, deposit: &ResourceId) -> Option<&ClaimEntry> {
        self.entries.get(deposit)
    }

    /// The deposit that counts in the place of this one.
    pub(crate) fn owner_of(&self, duplicate: &ResourceId) -> Option<&ResourceId> {
        self.duplicates.get(duplicate)
    }

    /// The deposits of which this resource was told what they say.
    pub(crate) fn told_to(&self, resource: &ResourceId) -> impl Iterator<Item = &ResourceId> {
        self.told.get(resource).into_iter().flatten()
    }

    /// Every resource that was written with it at some time.
    pub fn resources(&self) -> BTreeSet<&ResourceId> {
        self.entries.keys().chain(self.told.keys()).collect()
    }

    /// The deposits that are credited with a coin of the transaction.
    pub fn owners(&self) -> impl Iterator<Item = &ClaimEntry> {
        self.counting(Fate::Credited).filter(|entry| entry.fate == Fate::Credited)
    }

    /// Records what a deposit says, and returns the relations that are due because of it. An entry that is recorded
    /// already changes nothing.
    pub fn record(&mut self, entry: ClaimEntry) -> Vec<DueRelation> {
        let resource = entry.resource.clone();
        if self.entries.get(&resource) == Some(&entry) {
            return Vec::new();
        }
        self.version += 1;
        let fate = entry.fate;
        let known = self.entries.insert(resource.clone(), entry).map(|known| known.fate);
        let mut due = self.reassign_duplicates();
        let may_be_duplicate = match fate {
            Fate::Credited => !matches!(known, Some(Fate::Credited | Fate::Reversed)),
            Fate::Unexpected | Fate::Quarantined => true,
            Fate::Disputed | Fate::Reversed | Fate::Withdrawn => false,
        };
        if may_be_duplicate && !self.duplicates.contains_key(&resource) && !self.owns_a_duplicate(&resource) {
            due.extend(self.assign_owner(&resource));
        }
        due.extend(self.tell(&resource));
        due
    }

    /// Whether another deposit is a duplicate of `resource`.
    fn owns_a_duplicate(&self, resource: &ResourceId) -> bool {
        self.duplicates.values().any(|owner| owner == resource)
    }

    /// The deposits that may count in the place of another one with this fate.
    fn counting(&self, fate: Fate) -> impl Iterator<Item = &ClaimEntry> {
        let counts = move |entry: &&ClaimEntry| match fate {
            Fate::Unexpected | Fate::Quarantined => entry.fate == fate,
            Fate::Credited | Fate::Disputed | Fate::Reversed | Fate::Withdrawn => {
                matches!(entry.fate, Fate::Credited | Fate::Reversed)
            }
        };
        let is_none_of_duplicates = |entry: &&ClaimEntry| !self.duplicates.contains_key(&entry.resource);
        self.entries().filter(counts).filter(is_none_of_duplicates)
    }

    /// Makes `resource` a duplicate of the deposit that counts in its place, if there is one.
    fn assign_owner(&mut self, resource: &ResourceId) -> Option<DueRelation> {
        let entry = self.entries.get(resource)?;
        let of_its_coin = |owner: &&ClaimEntry| {
            owner.resource != *resource
                && self.may_be_one_coin(entry, owner)
                && entry.tells_the_same_as(owner)
                && self.duplicates_of(owner).all(|known| may_both_be_its_duplicates(entry, known))
        };
        let candidates = self.counting(entry.fate).filter(of_its_coin);
        // The more both tell, the more certain is it that they are the same coin.
        let certainty = |owner: &&ClaimEntry| (entry.tells_the_output_of(owner), entry.tells_the_chain_of(owner));
        let owner = candidates.max_by_key(certainty)?.resource.clone();
        self.duplicates.insert(resource.clone(), owner.clone());
        Some(self.duplicate_of(resource.clone(), Some(owner)))
    }

    fn duplicates_of(&self, owner: &ClaimEntry) -> impl Iterator<Item = &ClaimEntry> {
        let duplicates = self.duplicates.iter().filter(|(_, of)| **of == owner.resource);
        duplicates.filter_map(|(duplicate, _)| self.entries.get(duplicate))
    }

    /// Looks for another owner for each duplicate whose owner does not count any more, or turned out to be another coin.
    fn reassign_duplicates(&mut self) -> Vec<DueRelation> {
        let has_lost_its_owner = |(duplicate, owner): (&ResourceId, &ResourceId)| {
            let (duplicate, owner) = (self.entries.get(duplicate)?, self.entries.get(owner)?);
            let is_lost = owner.fate == Fate::Withdrawn
                || !duplicate.may_count_as(owner)
                || !self.may_be_one_coin(duplicate, owner);
            is_lost.then(|| (duplicate.resource.clone(), owner.resource.clone()))
        };
        let orphans: Vec<(ResourceId, ResourceId)> = self.duplicates.iter().filter_map(has_lost_its_owner).collect();
        let mut due = Vec::new();
        let owners: BTreeSet<ResourceId> = orphans.iter().map(|(_, owner)| owner.clone()).collect();
        for (orphan, _) in orphans {
            // The orphans that follow are still duplicates, so this one does not become a duplicate of them.
            self.duplicates.remove(&orphan);
            let assigned = self.assign_owner(&orphan);
            due.push(assigned.unwrap_or_else(|| self.duplicate_of(orphan, None)));
        }
        // An owner that turned out to be another coin than its duplicate may be the coin of another one that is credited.
        for owner in owners {
            let is_single = |entry: &ClaimEntry| {
                matches!(entry.fate, Fate::Credited | Fate::Unexpected | Fate::Quarantined)
                    && !self.duplicates.contains_key(&entry.resource)
                    && !self.owns_a_duplicate(&entry.resource)
            };
            if self.entries.get(&owner).is_some_and(is_single) {
                due.extend(self.assign_owner(&owner));
            }
        }
        due
    }

    /// Whether two deposits may be one coin. A family reports each coin once. So a deposit that tells no output is not the
    /// coin of an output that another deposit of its family tells.
    fn may_be_one_coin(&self, one: &ClaimEntry, other: &ClaimEntry) -> bool {
        let is_taken = |output: &ClaimEntry, silent: &ClaimEntry| {
            let tells_it = |entry: &ClaimEntry| {
                entry.resource != silent.resource
                    && entry.fate != Fate::Withdrawn
                    && entry.shares_family_with(silent)
                    && entry.tells_the_output_of(output)
                    && entry.coin.is_same_coin_as(&output.coin)
            };
            silent.coin.output().is_none() && output.coin.output().is_some() && self.entries().any(tells_it)
        };
        one.may_be_the_coin_of(other)
            && one.coin.is_same_coin_as(&other.coin)
            && !is_taken(one, other)
            && !is_taken(other, one)
    }

    fn duplicate_of(&self, on: ResourceId, owner: Option<ResourceId>) -> DueRelation {
        DueRelation { on, relation: CoinRelation::DuplicateOf { claim: self.key.clone(), owner } }
    }

    /// Tells every resource that must know it what the other deposits say, after the entry of `changed` changed. What was told
    /// once is kept up to date.
    fn tell(&mut self, changed: &ResourceId) -> Vec<DueRelation> {
        let mut due = Vec::new();
        for (to, about) in self.to_be_told(changed) {
            let told = self.told.entry(to.clone()).or_default();
            let is_new = told.insert(about.clone());
            if let Some(entry) = self.entries.get(&about).filter(|_| is_new || about == *changed) {
                let relation = CoinRelation::AlsoReported(Box::new(entry.clone()));
                due.push(DueRelation { on: to, relation });
            }
        }
        due
    }

    /// Who must know what which deposit says, as far as the entry of `changed` matters: of every two that may contradict each
    /// other, each must know all that is said about their coins, and so must the recoveries that ask for them.
    fn to_be_told(&self, changed: &ResourceId) -> BTreeSet<(ResourceId, ResourceId)> {
        let Some(entry) = self.entries.get(changed) else {
            return BTreeSet::new();
        };
        let knows_it = |(to, about): (&ResourceId, &BTreeSet<ResourceId>)| {
            about.contains(changed).then(|| (to.clone(), changed.clone()))
        };
        let mut pairs: BTreeSet<(ResourceId, ResourceId)> = self.told.iter().filter_map(knows_it).collect();
        // Its recovery asks for the coin because of this deposit, so it must know when the deposit says something else.
        if !matches!(entry.fate, Fate::Unexpected | Fate::Quarantined) {
            pairs.extend(entry.recovery.iter().map(|recovery| (recovery.clone(), changed.clone())));
        }
        // A recovery under the platform's name of the user must know of the one under the participant's code.
        for other in self.entries() {
            for (one, other) in [(entry, other), (other, entry)] {
                if let (true, Some(recovery)) = (one.is_returned_as(other), &one.recovery) {
                    pairs.extend([one, other].map(|about| (recovery.clone(), about.resource.clone())));
                }
            }
        }
        for (one, other) in self.contradicting_pairs(entry) {
            for about in self.entries().filter(|about| concerns(about, one, other)) {
                let listeners = [one, other].into_iter().flat_map(|entry| {
                    let deposit = (entry.resource != about.resource).then(|| entry.resource.clone());
                    deposit.into_iter().chain(entry.recovery.clone())
                });
                pairs.extend(listeners.map(|to| (to, about.resource.clone())));
            }
        }
        pairs
    }

    /// The pairs of entries that may contradict each other and that `entry` is in or may concern: those with `entry`, and
    /// those about which a relation was recorded before.
    fn contradicting_pairs<'a>(&'a self, entry: &'a ClaimEntry) -> Vec<(&'a ClaimEntry, &'a ClaimEntry)> {
        let with_it = self.entries().map(|other| (entry, other));
        let before = self.told.iter().flat_map(|(to, about)| about.iter().map(move |about| (to, about)));
        let before = before.filter_map(|(to, about)| Some((self.entries.get(to)?, self.entries.get(about)?)));
        with_it.chain(before).filter(|(one, other)| may_contradict(one, other) && concerns(entry, one, other)).collect()
    }
}

/// Whether two deposits may be duplicates of one deposit. A family reports each coin once. And an owner that tells no chain
/// or no output may be the coin of either, but not of both if they are different coins.
fn may_both_be_its_duplicates(one: &ClaimEntry, other: &ClaimEntry) -> bool {
    one.resource == other.resource || (!one.shares_family_with(other) && one.coin.is_same_coin_as(&other.coin))
}
