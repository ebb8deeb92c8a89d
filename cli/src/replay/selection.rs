//! Which archived envelopes are replayed.

use std::collections::BTreeSet;

use fundhook_domain::{Details, FactContent, Feed, NewFact, Timestamp};
use fundhook_providers::{Envelope, PAYLOAD_TYPE_HEADER};

/// Which envelopes are replayed: those that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Received at this time or later.
    pub from: Option<Timestamp>,
    /// Received before this time.
    pub to: Option<Timestamp>,
    /// Of this feed.
    pub feed: Option<Feed>,
    /// With this name of the event or of the payload type.
    pub event_type: Option<String>,
    /// Recorded as unrecognized today.
    pub unrecognized: bool,
}

impl Selection {
    /// Whether nothing is selected, so that everything would be replayed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it selects an envelope that states `facts`. Whether it is recorded as unrecognized is not asked here: those
    /// are found by the table.
    pub fn selects(&self, envelope: &Envelope, facts: &[NewFact]) -> bool {
        self.includes(envelope.received_at())
            && self.feed.as_ref().is_none_or(|feed| envelope.feed() == feed)
            && self.event_type.as_ref().is_none_or(|named| types(envelope, facts).contains(named.as_str()))
    }

    /// Whether what was received at this time may be selected.
    pub fn includes(&self, received_at: Timestamp) -> bool {
        self.from.is_none_or(|from| received_at >= from) && self.to.is_none_or(|to| received_at < to)
    }

    /// The text after which the keys of the first objects come that may have such envelopes. An object has the day on which
    /// its envelopes were received.
    pub fn after_key(&self) -> String {
        let day = self.from.map(Timestamp::day_path).unwrap_or_default();
        format!("{PREFIX}{day}")
    }

    /// Whether the object with this key may have such envelopes, or a later one may.
    pub fn reaches(&self, key: &str) -> bool {
        let last = self.to.map(Timestamp::day_path);
        last.is_none_or(|last| day_of(key).is_none_or(|day| day <= last.as_str()))
    }
}

/// With what the keys of all objects begin.
const PREFIX: &str = "evidence/v1/";

/// The day in the key of an object, such as `2026/11/22`.
pub(super) fn day_of(key: &str) -> Option<&str> {
    const DAY: usize = "2026/11/22".len();
    key.strip_prefix(PREFIX)?.get(..DAY)
}

/// The names of an envelope: those of the events that it states, and that of the header.
fn types<'a>(envelope: &'a Envelope, facts: &'a [NewFact]) -> BTreeSet<&'a str> {
    stated_types(facts).chain(header_type(envelope)).collect()
}

/// The names of the events that an envelope states; where it states none, that of the header.
pub(super) fn described(envelope: &Envelope, facts: &[NewFact]) -> String {
    let stated: BTreeSet<&str> = stated_types(facts).collect();
    let names: Vec<&str> =
        if stated.is_empty() { header_type(envelope).into_iter().collect() } else { stated.into_iter().collect() };
    if names.is_empty() { "without a name".to_owned() } else { names.join(", ") }
}

fn header_type(envelope: &Envelope) -> Option<&str> {
    envelope.header(PAYLOAD_TYPE_HEADER).filter(|name| !name.is_empty())
}

fn stated_types(facts: &[NewFact]) -> impl Iterator<Item = &str> {
    let unrecognized = facts.iter().filter_map(|fact| match &fact.content {
        FactContent::Statement(statement) => match &statement.details {
            Details::Unrecognized(details) => details.payload_type.as_deref(),
            Details::Transfer(_) | Details::Recovery(_) | Details::Account(_) | Details::Balance(_) => None,
        },
        FactContent::Overdue(_) | FactContent::SecondName(_) | FactContent::Relation(_) | FactContent::Decision(_) => {
            None
        }
    });
    let stated = facts.iter().map(|fact| fact.content.event_type());
    stated.chain(unrecognized).filter(|name| !name.is_empty())
}
