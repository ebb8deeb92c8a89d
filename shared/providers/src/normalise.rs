//! From what a provider states to signals: the part that is the same for all providers.

use fundhook_domain::{
    Details, Evidence, EvidencePointer, FactId, Provider, ResourceId, Scheme, Statement, Status, Timestamp,
    UnrecognizedDetails,
};
use serde_json::{Map, Value, json};

use crate::wire::{self, Fields};
use crate::{Envelope, connect, striga, zerohash};

/// The header in which zerohash and Connect name a payload's type; no signature covers it.
pub const PAYLOAD_TYPE_HEADER: &str = "x-zh-hook-payload-type";

/// What one webhook says about one resource.
pub(crate) struct Draft {
    /// About which resource.
    pub(crate) resource: ResourceId,
    /// The event's name in the provider's words.
    pub(crate) event_type: String,
    /// What status it reports.
    pub(crate) status: Status,
    /// When the provider says it happened.
    pub(crate) occurred_at: Timestamp,
    /// What else it says.
    pub(crate) details: Details,
}

/// Why a webhook says nothing that is understood.
#[derive(Debug)]
pub(crate) struct NotUnderstood {
    /// The name it gives itself in its body. One that a header gives is not signed, and so no part of what names a fact.
    pub(crate) named: Option<String>,
    /// A sentence.
    pub(crate) reason: String,
}

/// What a webhook gives a provider's normalisation to go by.
pub(crate) struct Received<'a> {
    /// The envelope, for its feed and headers.
    pub(crate) envelope: &'a Envelope,
    /// The name in its payload type header, where there is one.
    pub(crate) payload_type: Option<&'a str>,
    /// When it was sent, for webhooks that carry no date of their own.
    pub(crate) sent_at: Timestamp,
}

/// The longest event name that is carried; the providers' longest have about 40 bytes.
const EVENT_NAME_BYTES_MAX: usize = 256;

/// What an archived envelope says, as signals. Total, and never empty: what nothing claims is itself a signal.
pub fn normalise(envelope: &Envelope, archived: EvidencePointer) -> Vec<Statement> {
    let body = envelope.body();
    let evidence =
        Evidence { received_at: envelope.received_at(), attestation: envelope.attestation().clone(), archived };
    let payload_type = envelope.header(PAYLOAD_TYPE_HEADER);
    let payload_type = payload_type.filter(|name| !name.is_empty() && name.len() <= EVENT_NAME_BYTES_MAX);
    let received = Received { envelope, payload_type, sent_at: evidence.sent_at() };
    let stated = match wire::members(&body) {
        Ok(members) => drafts(&received, members),
        Err(reason) => Err(NotUnderstood { named: None, reason }),
    };
    match stated {
        Ok(drafts) => drafts.into_iter().map(|draft| draft.into_statement(&body, evidence.clone())).collect(),
        Err(NotUnderstood { named, reason }) => {
            let named = named.filter(|name| name.len() <= EVENT_NAME_BYTES_MAX);
            vec![unrecognized(&received, &body, named, reason, evidence)]
        }
    }
}

fn drafts(received: &Received<'_>, members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    // A row of the list says what it is by where it was read, whosever deposits it is about.
    if received.envelope.attestation().scheme == Scheme::ConnectTransactionsApi {
        return connect::listed_drafts(received, members);
    }
    match received.envelope.feed().provider() {
        Provider::Connect => connect::drafts(received, members),
        Provider::Zerohash => zerohash::drafts(received, members),
        Provider::Striga => striga::drafts(received, members),
    }
}

impl Draft {
    fn into_statement(self, body: &[u8], evidence: Evidence) -> Statement {
        let Self { resource, event_type, status, occurred_at, mut details } = self;
        bound(&mut details);
        Statement {
            fact: FactId::of(&resource, &event_type, body),
            resource,
            event_type,
            status,
            occurred_at,
            details,
            evidence,
            overdue: false,
        }
    }
}

fn unrecognized(
    received: &Received<'_>,
    body: &[u8],
    named: Option<String>,
    reason: String,
    evidence: Evidence,
) -> Statement {
    let resource = ResourceId::unrecognized(received.envelope.feed().clone(), body);
    let event_type = named.clone().unwrap_or_default();
    let payload_type = named.or_else(|| received.payload_type.map(str::to_owned));
    Statement {
        fact: FactId::of(&resource, &event_type, body),
        resource,
        event_type,
        status: Status::Unrecognized,
        occurred_at: received.sent_at,
        details: Details::Unrecognized(UnrecognizedDetails { reason, payload_type, body_bytes: body.len() as u64 }),
        evidence,
        overdue: false,
    }
}

/// The largest part of a webhook that is carried on resources and events. A DynamoDB item holds 400 KB: the six facts of
/// a whole life and the view make 7 × 48 KiB. SNS takes 256 KiB. What is larger stays in the evidence, and says so.
const CARRIED_BYTES_MAX: usize = 24 * 1024;

/// The same for kinds without an end, of which 64 facts are kept: 65 × 4 KiB leave room for the rest of them.
const CARRIED_WITHOUT_END_BYTES_MAX: usize = 4 * 1024;

/// The deepest nesting that is carried. A part lies up to 7 levels deeper in a message than in its webhook; serde_json
/// reads 128 levels and some subscribers' parsers 64.
const CARRIED_LEVELS_MAX: usize = 32;

/// Replaces what is too large to be carried by a note that says how large it was.
fn bound(details: &mut Details) {
    match details {
        Details::Transfer(transfer) => {
            if let Some(metadata) = &mut transfer.session.metadata
                && let Some(note) = left_in_evidence(metadata, CARRIED_BYTES_MAX)
            {
                *metadata = note;
            }
            bound_members(&mut transfer.provider_data, CARRIED_BYTES_MAX);
        }
        Details::Account(account) => bound_members(&mut account.provider_data, CARRIED_WITHOUT_END_BYTES_MAX),
        Details::Balance(balance) => bound_members(&mut balance.provider_data, CARRIED_WITHOUT_END_BYTES_MAX),
        Details::Recovery(_) | Details::Unrecognized(_) => {}
    }
}

fn bound_members(members: &mut Map<String, Value>, bytes_max: usize) {
    if let Some(note) = left_in_evidence(&Value::Object(members.clone()), bytes_max) {
        *members = Map::from_iter([("fundhook".to_owned(), note)]);
    }
}

/// The note that stands for `value` when it is too large or too deep to be carried.
fn left_in_evidence(value: &Value, bytes_max: usize) -> Option<Value> {
    let (bytes, levels) = (value.to_string().len(), levels(value));
    (bytes > bytes_max || levels > CARRIED_LEVELS_MAX).then(|| {
        json!({ "left_in_evidence": {
            "bytes": bytes,
            "carried_bytes_max": bytes_max,
            "levels": levels,
            "carried_levels_max": CARRIED_LEVELS_MAX,
        } })
    })
}

/// How many arrays and objects lie around the innermost part of `value`.
fn levels(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
    }
}
