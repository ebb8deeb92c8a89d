//! The table of resources and claims, in memory: written as the state updater writes it.

use std::collections::BTreeMap;

use fundhook_domain::{Claim, Event, Outcome, Ownership, Resource, ResourceId, Statement, events_after, fold};

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
    /// Records `statement`, and the claim of its deposit on a coin. The first claim on a coin is stored; a deposit that
    /// claims a taken coin becomes a duplicate, unless both may be credited.
    pub(super) fn record(&mut self, statement: Statement) -> Recorded {
        let id = statement.resource.clone();
        let known = self.resources.remove(&id).unwrap_or_else(|| Resource::unknown(id.clone()));
        let read_version = known.version();
        let says_the_same = known.facts().iter().filter_map(|fact| fact.statement()).any(|fact| {
            let (known, new) = (fact, &statement.content);
            known.status == new.status
                && known.occurred_at == new.occurred_at
                && known.event_type == new.event_type
                && known.details == new.details
        });
        let (resource, silence) = match fold(known, statement) {
            Outcome::AlreadyKnown { resource } => (resource, Silence::SameWebhook),
            Outcome::Stale { resource } => (resource, Silence::TooOld),
            Outcome::Recorded { resource, .. } | Outcome::Conflicting { resource, .. } => {
                (resource, if says_the_same { Silence::SameContent } else { Silence::Corroborates })
            }
        };
        // The state updater writes nothing, and so claims nothing, when no fact was added.
        let resource = if resource.version() == read_version { resource } else { self.claim(resource, read_version) };
        let events = events_after(&resource, read_version);
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
                Ownership::Unclaimed | Ownership::Owner => false,
            };
            Some(serde_json::to_value(&event.data).map(|data| Latest { data, is_duplicate }))
        });
        latest.collect()
    }
}
