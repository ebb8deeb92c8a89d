//! The table of resources and claims, in memory: written as the state updater writes it.

use fundhook_domain::{
    Event, Fact, FactContent, NewFact, ResourceId, SeveralFamiliesCredit, Statement, StatementContent, Stored, Write,
    events_after,
};

use super::Latest;
use crate::ledger::Ledger;

/// Resources, and the claims on coins.
#[derive(Debug, Default)]
pub(super) struct Table(Stored);

/// What a statement does to its resource.
#[derive(Debug)]
pub(super) struct Recorded {
    /// The resource.
    pub(super) resource: ResourceId,
    /// The events that recording it publishes.
    pub(super) events: Vec<Event>,
    /// Why it publishes none; `None` when it publishes one.
    pub(super) silence: Option<Silence>,
}

/// Why a statement publishes no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The same bytes were recorded before.
    SameWebhook,
    /// An earlier statement says the same in other bytes.
    SameContent,
    /// The provider's list or a webhook said it before.
    Corroborates,
    /// It is older than all statements that are kept of a resource without an end.
    TooOld,
}

impl Table {
    /// An empty table, in which similar deposits are remembered where several webhook families credit.
    pub(super) fn remembering(several: SeveralFamiliesCredit) -> Self {
        Self(Stored::remembering(several))
    }

    /// Records `statement` under the name that has the other facts, with everything that changes with it.
    pub(super) fn record(&mut self, statement: Statement) -> Recorded {
        let fact = NewFact::from(statement);
        let recorded_before = |says: &dyn Fn(&Fact) -> bool| {
            let names = fact.names();
            let known = names.iter().filter_map(|name| self.0.resource(&self.owner_of(name)));
            known.into_iter().any(|resource| resource.facts().iter().any(says))
        };
        let is_known = recorded_before(&|known| known.content.id() == fact.content.id());
        let is_repeated = recorded_before(&|known| {
            known.statement().is_some_and(|statement| says_the_same(statement, &fact.content))
        });
        // The table only has second names whose owner it has too, so there is always a name to record the fact under.
        let write = self.0.record(std::slice::from_ref(&fact)).unwrap_or_default();
        let silence = match (&write, is_known, is_repeated) {
            (None, true, _) => Silence::SameWebhook,
            (None, false, _) => Silence::TooOld,
            (Some(_), _, true) => Silence::SameContent,
            (Some(_), _, false) => Silence::Corroborates,
        };
        let resource = self.owner_of(&fact.resource);
        let events = write.map(|write| events_of(&write, &resource)).unwrap_or_default();
        Recorded { resource, silence: events.is_empty().then_some(silence), events }
    }

    /// The resource that has the facts of the name.
    fn owner_of(&self, name: &ResourceId) -> ResourceId {
        let owner = self.0.resource(name).and_then(|resource| resource.second_name_of());
        owner.unwrap_or(name).clone()
    }

    /// What the resources book.
    pub(super) fn ledger(&self) -> Ledger {
        Ledger::of(self.0.resources())
    }

    /// Every resource with its latest event.
    pub(super) fn latest(&self) -> Result<Vec<Latest>, serde_json::Error> {
        let latest = self.0.resources().filter_map(|resource| {
            let event = events_after(resource, 0).into_iter().next_back()?;
            let is_duplicate = event.data.duplicate_of.is_some();
            Some(serde_json::to_value(&event.data).map(|data| Latest { data, is_duplicate }))
        });
        latest.collect()
    }
}

/// The events of a write: those about `resource` first.
fn events_of(write: &Write, resource: &ResourceId) -> Vec<Event> {
    let (own, others): (Vec<_>, Vec<_>) = write.resources.iter().partition(|written| written.item.id() == resource);
    own.into_iter().chain(others).flat_map(|written| events_after(&written.item, written.read_version)).collect()
}

/// Whether `new` states what `known` states, in other bytes.
fn says_the_same(known: &StatementContent, new: &FactContent) -> bool {
    match new {
        FactContent::Statement(new) => {
            known.status == new.status
                && known.occurred_at == new.occurred_at
                && known.event_type == new.event_type
                && known.details == new.details
        }
        FactContent::Overdue(_) | FactContent::SecondName(_) | FactContent::Relation(_) | FactContent::Decision(_) => {
            false
        }
    }
}
