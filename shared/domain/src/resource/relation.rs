//! Relations: what other resources say that changes what this one says.
//!
//! Guarantees:
//!
//! - A relation is a fact. So what a resource says follows from its own facts and from nothing else.
//! - A relation that is known when a statement is recorded is recorded before it. So nothing is published as creditable in
//!   between.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::decision::{Decision, Verdict};
use super::evidence::Evidence;
use super::fact::{Fact, FactContent};
use crate::{ClaimEntry, ClaimKey, CoinRelation, FactId, Fate, ResourceId, SimilarKey, Timestamp, contradicts};

/// A relation of a resource to another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// The id of the fact that it becomes.
    pub id: FactId,
    /// What it says.
    pub content: CoinRelation,
    /// When the statement that caused it happened, according to the provider.
    pub occurred_at: Timestamp,
    /// The evidence for that statement.
    pub evidence: Evidence,
    /// Whether it was recorded because of another resource's statement, so that no statement of this resource with it says
    /// what it changes.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_alone: bool,
}

impl Relation {
    /// The event's name, which for statements is the provider's.
    pub(super) const EVENT_TYPE: &str = "fundhook.relation";

    /// The relation `content`, recorded on `resource` at its version `version` because of `cause`.
    pub(super) fn new(
        resource: &ResourceId,
        content: CoinRelation,
        version: u64,
        cause: &FactContent,
        is_alone: bool,
    ) -> Self {
        let text = serde_json::to_string(&content).unwrap_or_default();
        Self {
            // A deposit may say one thing, then another, and then the first again: each time is a relation of its own.
            id: FactId::of(resource, Self::EVENT_TYPE, format!("{version} {text}").as_bytes()),
            content,
            occurred_at: cause.occurred_at(),
            evidence: cause.evidence().clone(),
            is_alone,
        }
    }
}

impl Relation {
    /// Whether both say something about the same: the owner in one claim, or one deposit in one transaction.
    pub(super) fn has_subject_of(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (CoinRelation::DuplicateOf { claim: one, .. }, CoinRelation::DuplicateOf { claim: another, .. }) => {
                one == another
            }
            (CoinRelation::Resembles { similar: one, .. }, CoinRelation::Resembles { similar: another, .. }) => {
                one == another
            }
            (CoinRelation::AlsoReported(one), CoinRelation::AlsoReported(another)) => {
                one.resource == another.resource && one.coin.transaction() == another.coin.transaction()
            }
            (
                CoinRelation::DuplicateOf { .. } | CoinRelation::Resembles { .. } | CoinRelation::AlsoReported(_),
                CoinRelation::DuplicateOf { .. } | CoinRelation::Resembles { .. } | CoinRelation::AlsoReported(_),
            ) => false,
        }
    }
}

/// What the relations among some facts add up to.
#[derive(Debug, Default)]
pub(super) struct Relations<'a> {
    /// The deposits that are credited with its coins, by the claims that show it.
    duplicate_of: BTreeMap<&'a ClaimKey, &'a ResourceId>,
    /// The deposits that this one may be, by what shows it.
    resembles: BTreeMap<&'a SimilarKey, &'a ResourceId>,
    /// What other deposits say, each at last.
    pub(super) also_reported: BTreeMap<(&'a ResourceId, Option<&'a str>), &'a ClaimEntry>,
}

impl<'a> Relations<'a> {
    /// The relations among `facts`; of several about one deposit, the one that was recorded last. Those that `decision`
    /// settles do not count, except that no decision makes a duplicate creditable: only the claim does, when no other deposit
    /// is credited with the coin any more.
    pub(super) fn among(facts: &'a [Fact], decision: Option<&Decision>) -> Self {
        let mut all = Self::default();
        for relation in facts.iter().filter_map(Fact::relation) {
            let settling = decision.filter(|decision| decision.settles.contains(&relation.id));
            let is_settled = settling.is_some();
            let is_decided = settling.is_some_and(|decision| decision.verdict != Verdict::Resolved);
            match &relation.content {
                CoinRelation::DuplicateOf { claim, owner } => set(&mut all.duplicate_of, claim, owner.as_ref()),
                CoinRelation::Resembles { similar, deposit } => {
                    set(&mut all.resembles, similar, deposit.as_ref().filter(|_| !is_decided));
                }
                CoinRelation::AlsoReported(entry) => {
                    let key = (&entry.resource, entry.coin.transaction());
                    if is_settled {
                        all.also_reported.remove(&key);
                    } else {
                        all.also_reported.insert(key, entry);
                    }
                }
            }
        }
        all
    }

    /// A deposit that is credited with one of its coins.
    pub(super) fn duplicate_of(&self) -> Option<&'a ResourceId> {
        self.duplicate_of.values().next().copied()
    }

    /// A deposit that this one may be.
    pub(super) fn resembles(&self) -> Option<&'a ResourceId> {
        self.resembles.values().next().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.duplicate_of.is_empty() && self.resembles.is_empty() && self.also_reported.is_empty()
    }

    /// The entries that contradict `own`, an entry of the resource with these relations.
    pub(super) fn contradicting<'b>(&self, own: &'b ClaimEntry) -> impl Iterator<Item = &'b ClaimEntry>
    where
        'a: 'b,
    {
        let all = self.entries().chain([own]);
        self.entries().filter(move |other| contradicts(own, other, all.clone()))
    }

    /// The deposits that a recovery does not ask for any more: they are credited, another deposit counts in their place, or
    /// the coin is to be returned under the user's other name. One that a person rejected is still to be returned.
    pub(super) fn decided(&self) -> BTreeSet<&'a ResourceId> {
        self.those_of_transactions(|entry, all| {
            matches!(entry.fate, Fate::Withdrawn | Fate::Credited)
                || all.iter().any(|other| entry.is_returned_as(other))
        })
    }

    /// The deposits whose entries contradict each other, or whose own statements exclude each other.
    pub(super) fn contradicted(&self) -> BTreeSet<&'a ResourceId> {
        self.those_of_transactions(|entry, all| {
            entry.fate == Fate::Disputed || all.iter().any(|other| contradicts(entry, other, all.iter().copied()))
        })
    }

    /// The deposits of the entries for which `is_one` holds, given all entries of the same transaction. A recovery has many
    /// transactions, and entries of two are never about one coin.
    fn those_of_transactions(
        &self,
        is_one: impl Fn(&ClaimEntry, &[&'a ClaimEntry]) -> bool,
    ) -> BTreeSet<&'a ResourceId> {
        let mut by_transaction: BTreeMap<Option<&str>, Vec<&'a ClaimEntry>> = BTreeMap::new();
        for ((_, transaction), entry) in &self.also_reported {
            by_transaction.entry(*transaction).or_default().push(entry);
        }
        let mut those = BTreeSet::new();
        for all in by_transaction.values() {
            those.extend(all.iter().filter(|entry| is_one(entry, all)).map(|entry| &entry.resource));
        }
        those
    }

    fn entries(&self) -> impl Iterator<Item = &'a ClaimEntry> + Clone + use<'a> {
        let entries: Vec<&'a ClaimEntry> = self.also_reported.values().copied().collect();
        entries.into_iter()
    }
}

impl Fact {
    /// The relation that it records, if it records one.
    pub fn relation(&self) -> Option<&Relation> {
        match &self.content {
            FactContent::Relation(relation) => Some(relation),
            FactContent::Statement(_)
            | FactContent::Overdue(_)
            | FactContent::SecondName(_)
            | FactContent::Decision(_) => None,
        }
    }
}

fn set<'a, K: Ord>(known: &mut BTreeMap<&'a K, &'a ResourceId>, key: &'a K, deposit: Option<&'a ResourceId>) {
    match deposit {
        Some(deposit) => known.insert(key, deposit),
        None => known.remove(key),
    };
}
