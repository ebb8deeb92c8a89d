//! Which facts of a resource are published again.

use fundhook_domain::{Fact, Resource, ResourceId, Timestamp, events_after, json_fault};
use fundhook_ports::StoredItem;
use serde::Serialize;

/// The facts to publish again, by when Fundhook received them. No time at which a fact was recorded is stored; it is never
/// earlier than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// From the first fact that was received at this time or later. A resource that was written since, but has no such fact,
    /// recorded one that had waited in a queue: its last fact is published again. `None`: from the first fact.
    pub from: Option<Timestamp>,
    /// Before the first fact that was received after this time. Facts are recorded one after another, so those after that one
    /// were recorded after this time too. `None`: up to the last fact.
    pub until: Option<Timestamp>,
}

/// What is to be published again about a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Its item, up to the last fact to publish.
    pub item: StoredItem,
    /// Its version with these facts.
    pub version: u64,
    /// Its version before the first fact to publish.
    pub after: u64,
    /// The events that these facts cause.
    pub events: Vec<EventName>,
}

/// An event, by its id and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventName {
    /// `<resource>#<sequence>`.
    pub id: String,
    /// Such as `fundhook.deposit.confirmed`.
    #[serde(rename = "type")]
    pub event_type: String,
}

/// A stored fact that this code cannot read.
#[derive(Debug, thiserror::Error)]
#[error("fact {number} of the item {resource} cannot be parsed: {why}")]
pub struct UnreadableFact {
    resource: ResourceId,
    /// Counted from 1 among the facts in the item.
    number: usize,
    why: String,
}

/// What is due of the resource whose item is `item` and whose earlier facts are `on_pages`; `None` when none of its facts is
/// in the window, or none of those causes an event.
pub fn due(mut item: StoredItem, on_pages: Vec<Fact>, window: Window) -> Result<Option<Due>, UnreadableFact> {
    let (paged, mut facts) = (on_pages.len(), on_pages);
    for (index, text) in item.facts.iter().enumerate() {
        let fact: Fact = serde_json::from_str(text).map_err(|error| UnreadableFact {
            resource: item.id.clone(),
            number: index + 1,
            why: json_fault(&error),
        })?;
        facts.push(fact);
    }
    let received_at = |fact: &Fact| fact.content.evidence().received_at;
    let known = facts.len();
    if let Some(until) = window.until {
        let end = facts.iter().position(|fact| received_at(fact) > until).unwrap_or(known);
        facts.truncate(end);
        // A page is published whole.
        item.facts.truncate(end.saturating_sub(paged));
    }
    let is_whole = facts.len() == known;
    let first = match window.from {
        None => Some(0),
        Some(from) => facts.iter().position(|fact| received_at(fact) >= from).or_else(|| {
            let was_written = is_whole && item.updated_at >= from;
            was_written.then(|| facts.len().saturating_sub(1))
        }),
    };
    let (Some(first), Some(version)) = (first, facts.last().map(|fact| fact.version)) else {
        return Ok(None);
    };
    let after = match first.checked_sub(1) {
        Some(before) => facts.get(before).map_or(0, |fact| fact.version),
        None => 0,
    };
    let events = events_after(&Resource::from_facts(item.id.clone(), facts), after);
    let events: Vec<EventName> =
        events.into_iter().map(|event| EventName { id: event.id, event_type: event.event_type }).collect();
    Ok((!events.is_empty()).then_some(Due { item, version, after, events }))
}
