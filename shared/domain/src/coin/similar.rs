//! Similar deposits: the same user, asset and amount, reported by several webhook families, of which one does not name the
//! transaction. They may be one coin, and no claim can show it.
//!
//! Of two deposits that may be one coin, the second one is held until a person decides. A family reports each coin once. So
//! as many deposits are credited as the family reports that reports most.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::claim::{CoinRelation, DueRelation};
use super::coin_id::CoinId;
use crate::{DecimalValue, Feed, ResourceId, Timestamp, WebhookFamily, digest_hex};

/// How far apart two reports of one deposit may be dated: one has the date of its announcement, the other that of its end,
/// and a hold may lie between them.
pub const SIMILAR_WITHIN: Duration = Duration::from_secs(7 * 86_400);

/// How many deposits are remembered: the latest. One user rarely pays in one amount so often within days, and 64 entries of
/// about 400 bytes keep the item small.
const SIGHTINGS_MAX: usize = 64;

/// The name of what is remembered of one user's deposits of one amount: a digest, because it is made of personal data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimilarKey(String);

impl SimilarKey {
    /// The deposits of `amount` of `asset` by `account`, in the organization of `feed`.
    pub fn new(feed: &Feed, account: &str, asset: &str, amount: &DecimalValue) -> Self {
        let tenant = feed.tenant().map(ToString::to_string).unwrap_or_default();
        let asset = asset.to_uppercase();
        // Each part is preceded by its length, so that two different lists of parts are never the same text.
        let parts = [tenant.as_str(), account, &asset, &amount.to_string()];
        let text: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        Self(digest_hex(text.as_bytes()))
    }
}

impl fmt::Display for SimilarKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A deposit that is reported as credited, unless it is one that another family reported before. One that conflicts or that a
/// person rejected is remembered as well: a person must decide about every deposit that may be the same one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The deposit.
    pub resource: ResourceId,
    /// The webhook families that report it.
    pub families: BTreeSet<WebhookFamily>,
    /// Its coin, with what is known of it.
    pub coin: CoinId,
    /// When it was confirmed, according to the provider.
    pub occurred_at: Timestamp,
    /// Whether a person decided that it is credited, so that it is not held.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_accepted: bool,
}

impl Sighting {
    fn shares_family_with(&self, other: &Self) -> bool {
        self.resource == other.resource
            || (self.resource.feed() == other.resource.feed() && !self.families.is_disjoint(&other.families))
    }

    /// Whether both may be one coin, and no claim shows it because one of them does not name its transaction.
    fn may_be(&self, other: &Self) -> bool {
        let apart = self.occurred_at.since(other.occurred_at).max(other.occurred_at.since(self.occurred_at));
        let is_open = self.coin.transaction().is_none() || other.coin.transaction().is_none();
        is_open && apart <= SIMILAR_WITHIN && !self.shares_family_with(other) && self.coin.could_be(&other.coin)
    }
}

/// The deposits of one user, asset and amount within days. Stored as one item with a version, and written in one transaction
/// with the deposits, so that two at the same time never both find nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimilarDeposits {
    key: SimilarKey,
    version: u64,
    sightings: BTreeMap<ResourceId, Sighting>,
    /// The deposits that are held, each with the one that it may be.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    held: BTreeMap<ResourceId, ResourceId>,
}

impl SimilarDeposits {
    /// Nothing is remembered yet.
    pub fn none(key: SimilarKey) -> Self {
        Self { key, version: 0, sightings: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// Its name.
    pub fn key(&self) -> &SimilarKey {
        &self.key
    }

    /// How often it was changed. A conditional write compares it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Remembers a deposit, and returns the relations that are due because of it.
    pub fn record(&mut self, sighting: Sighting) -> Vec<DueRelation> {
        let resource = sighting.resource.clone();
        if self.sightings.get(&resource) == Some(&sighting) {
            return Vec::new();
        }
        self.version += 1;
        let is_accepted = sighting.is_accepted;
        let is_new = self.sightings.insert(resource.clone(), sighting).is_none();
        if is_accepted {
            self.held.remove(&resource);
        }
        self.forget_oldest();
        let mut due = self.reassign();
        if is_new && !is_accepted {
            due.extend(self.assign(&resource));
        }
        due
    }

    /// Forgets a deposit that is not credited any more, and returns the relations that are due because of it.
    pub fn withdraw(&mut self, resource: &ResourceId) -> Vec<DueRelation> {
        if self.sightings.remove(resource).is_none() {
            return Vec::new();
        }
        self.version += 1;
        let was_held = self.held.remove(resource).is_some();
        let mut due = self.reassign();
        due.extend(was_held.then(|| self.resembles(resource.clone(), None)));
        due
    }

    fn resembles(&self, on: ResourceId, deposit: Option<ResourceId>) -> DueRelation {
        DueRelation { on, relation: CoinRelation::Resembles { similar: self.key.clone(), deposit } }
    }

    /// Holds `resource` if it may be one that is credited.
    fn assign(&mut self, resource: &ResourceId) -> Option<DueRelation> {
        let sighting = self.sightings.get(resource)?;
        let is_credited = |other: &&Sighting| !self.held.contains_key(&other.resource);
        let may_be = |other: &&Sighting| {
            let twins = self.held.iter().filter(|(_, of)| **of == other.resource);
            let mut twins = twins.filter_map(|(twin, _)| self.sightings.get(twin));
            sighting.may_be(other)
                && twins.all(|twin| !sighting.shares_family_with(twin) && !are_two_transactions(sighting, twin))
        };
        let candidates = self.sightings.values().filter(is_credited).filter(may_be);
        let other = candidates.min_by_key(|other| other.occurred_at)?.resource.clone();
        self.held.insert(resource.clone(), other.clone());
        Some(self.resembles(resource.clone(), Some(other)))
    }

    /// Looks for another deposit for each one that is held because of a deposit that it cannot be any more.
    fn reassign(&mut self) -> Vec<DueRelation> {
        let cannot_be = |(held, of): (&ResourceId, &ResourceId)| {
            let held = self.sightings.get(held)?;
            let still = self.sightings.get(of).is_some_and(|of| held.may_be(of));
            (!still).then(|| held.resource.clone())
        };
        let orphans: Vec<ResourceId> = self.held.iter().filter_map(cannot_be).collect();
        let mut due = Vec::new();
        for orphan in orphans {
            self.held.remove(&orphan);
            let assigned = self.assign(&orphan);
            due.push(assigned.unwrap_or_else(|| self.resembles(orphan, None)));
        }
        due
    }

    /// Forgets the oldest deposits, and those that no new one can be. What was decided about them stays.
    fn forget_oldest(&mut self) {
        let Some(latest) = self.sightings.values().map(|sighting| sighting.occurred_at).max() else {
            return;
        };
        // Twice as long: a late report may be dated before the latest one.
        let earliest = latest.minus(2 * SIMILAR_WITHIN);
        let mut by_age: Vec<(Timestamp, ResourceId)> =
            self.sightings.values().map(|sighting| (sighting.occurred_at, sighting.resource.clone())).collect();
        by_age.sort();
        let surplus = by_age.len().saturating_sub(SIGHTINGS_MAX);
        for (at, (occurred_at, resource)) in by_age.into_iter().enumerate() {
            if at < surplus || occurred_at < earliest {
                self.sightings.remove(&resource);
                self.held.retain(|held, of| *held != resource && *of != resource);
            }
        }
    }
}

fn are_two_transactions(one: &Sighting, other: &Sighting) -> bool {
    match (one.coin.transaction(), other.coin.transaction()) {
        (Some(one), Some(other)) => one != other,
        (None, _) | (_, None) => false,
    }
}
