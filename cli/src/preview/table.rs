//! The table of resources and claims, in memory: written as the state updater writes it.

use std::collections::BTreeMap;

use fundhook_domain::{
    Claim, Event, Fact, FactContent, NewFact, Outcome, Ownership, Resource, ResourceId, Statement, StatementContent,
    United, events_after, fold, resources_named, unite,
};

use super::Latest;

/// Resources, and the claims on coins, by the coin's name.
#[derive(Debug, Default)]
pub(super) struct Table {
    resources: BTreeMap<ResourceId, Resource>,
    claims: BTreeMap<String, Claim>,
}

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
    /// Records `statement` under the name that has the other facts, and the claim of its deposit on a coin. The first claim
    /// on a coin is stored; a deposit that claims a taken coin becomes a duplicate, unless both may be credited.
    pub(super) fn record(&mut self, statement: Statement) -> Recorded {
        let fact = NewFact::from(statement);
        let unknown = |id: &ResourceId| Resource::unknown(id.clone());
        let stored = |id: &ResourceId| self.resources.get(id).cloned().unwrap_or_else(|| unknown(id));
        let united = unite(resources_named(&fact, stored), std::slice::from_ref(&fact));
        // The table only has second names whose owner it has too.
        let alone = || United { owner: unknown(&fact.resource), inherited: Vec::new(), second_names: Vec::new() };
        let United { owner, inherited, second_names } = united.unwrap_or_else(alone);
        let (id, read_version) = (owner.id().clone(), owner.version());
        let known = inherited.into_iter().fold(owner, |known, fact| fold(known, fact).into_resource());
        let is_repeated =
            known.facts().iter().filter_map(Fact::statement).any(|known| says_the_same(known, &fact.content));
        let (resource, silence) = match fold(known, fact) {
            Outcome::AlreadyKnown { resource } => (resource, Silence::SameWebhook),
            Outcome::Stale { resource } => (resource, Silence::TooOld),
            Outcome::Recorded { resource, .. } | Outcome::Conflicting { resource, .. } => {
                (resource, if is_repeated { Silence::SameContent } else { Silence::Corroborates })
            }
        };
        // The state updater writes nothing, and so claims nothing, when no fact was added.
        let resource = if resource.version() == read_version { resource } else { self.claim(resource, read_version) };
        let mut events = events_after(&resource, read_version);
        for second_name in second_names {
            events.extend(events_after(&second_name, second_name.version() - 1));
            self.resources.insert(second_name.id().clone(), second_name);
        }
        let silence = events.is_empty().then_some(silence);
        self.resources.insert(id.clone(), resource);
        Recorded { resource: id, events, silence }
    }

    /// Claims the coin of `resource`, if it must.
    fn claim(&mut self, resource: Resource, read_version: u64) -> Resource {
        let taken = resource.claim_due().and_then(|due| self.claims.get(&due.coin));
        let (resource, claim) = resource.claiming(taken, read_version);
        self.claims.extend(claim.map(|claim| (claim.coin.clone(), claim)));
        resource
    }

    /// Every resource with its latest event.
    pub(super) fn latest(&self) -> Result<Vec<Latest>, serde_json::Error> {
        let latest = self.resources.values().filter_map(|resource| {
            let event = events_after(resource, 0).into_iter().next_back()?;
            let is_duplicate = match resource.ownership() {
                Ownership::DuplicateOf { .. } => true,
                Ownership::Unclaimed | Ownership::Owner => resource.second_name_of().is_some(),
            };
            Some(serde_json::to_value(&event.data).map(|data| Latest { data, is_duplicate }))
        });
        latest.collect()
    }
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
        FactContent::Overdue(_) | FactContent::SecondName(_) => false,
    }
}
