//! A resource: the facts known about one thing at a provider.

use serde::{Deserialize, Serialize};

use crate::{Details, Evidence, FactId, ResourceId, Signal, Status, Timestamp, View};

/// A signal as recorded on its resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Which statement it is.
    pub id: FactId,
    /// The event's name in the provider's words.
    pub event_type: String,
    /// What status it reports.
    pub status: Status,
    /// When the provider says it happened.
    pub occurred_at: Timestamp,
    /// What else it says.
    pub details: Details,
    /// Why it is believed.
    pub evidence: Evidence,
}

impl Fact {
    /// Whether a subscriber could tell the two apart. Two webhooks that say the same in other bytes (a re-ordered
    /// body) are two facts and one statement.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        self.status == other.status
            && self.occurred_at == other.occurred_at
            && self.event_type == other.event_type
            && self.details == other.details
    }
}

impl From<Signal> for Fact {
    fn from(signal: Signal) -> Self {
        let Signal { resource: _, fact, event_type, status, occurred_at, details, evidence } = signal;
        Self { id: fact, event_type, status, occurred_at, details, evidence }
    }
}

/// What is known of one deposit, withdrawal or other thing: its facts, in the order in which they were recorded.
///
/// A resource that nobody has spoken of yet has no facts and is at version 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    id: ResourceId,
    facts: Vec<Fact>,
}

impl Resource {
    /// The resource before anything is known about it.
    pub fn unknown(id: ResourceId) -> Self {
        Self { id, facts: Vec::new() }
    }

    /// The resource as it was stored: `facts` in the order in which they were recorded.
    pub fn from_facts(id: ResourceId, facts: Vec<Fact>) -> Self {
        Self { id, facts }
    }

    /// Which resource it is.
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// Its facts, in the order in which they were recorded.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// How many facts were recorded: grows by one with each, and is what a conditional write compares.
    pub fn version(&self) -> u64 {
        self.facts.len() as u64
    }

    /// What the facts add up to; `None` while there are none.
    pub fn view(&self) -> Option<View> {
        View::of(&self.facts)
    }

    /// How many different statements the facts make: the `sequence` of the resource's latest event.
    pub fn sequence(&self) -> u64 {
        (0..self.facts.len()).filter(|&at| self.is_new_statement(at)).count() as u64
    }

    /// Whether the fact recorded at `at` says something that no fact recorded before it said.
    pub(crate) fn is_new_statement(&self, at: usize) -> bool {
        let (before, from) = self.facts.split_at(at);
        from.first().is_some_and(|fact| !before.iter().any(|known| known.says_the_same_as(fact)))
    }

    /// The resource as it was when it had its first `version` facts.
    pub(crate) fn at_version(&self, version: usize) -> Self {
        Self { id: self.id.clone(), facts: self.facts[..version.min(self.facts.len())].to_vec() }
    }

    pub(crate) fn record(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}
