//! From Connect's JSON to signals, whatever it holds.

use fundhook_domain::{
    Details, Evidence, EvidencePointer, FactId, Network, Provider, Quantity, ResourceId, Session, Signal, Source,
    Status, Timestamp, Transaction, TransferDetails, Units, UnrecognizedDetails,
};
use serde_json::{Map, Value, json};

use super::{PAYLOAD_TYPE_HEADER, wire};
use crate::Envelope;
use crate::wire::Fields;

/// The largest part of a webhook that is carried on resources and events. A DynamoDB item holds 400 KB: the six facts of
/// a whole life and the view make 7 × 48 KiB. SNS takes 256 KiB. What is larger stays in the evidence, and says so.
const CARRIED_BYTES_MAX: usize = 24 * 1024;

/// The deepest nesting that is carried. A part lies up to 7 levels deeper in a message than in its webhook; serde_json
/// reads 128 levels and some subscribers' parsers 64.
const CARRIED_LEVELS_MAX: usize = 32;

/// The signals of an archived Connect webhook. Total: what is not understood is a signal that says so.
pub fn normalise(envelope: &Envelope, archived: EvidencePointer) -> Vec<Signal> {
    let body = envelope.body();
    let evidence =
        Evidence { received_at: envelope.received_at(), attestation: envelope.attestation().clone(), archived };
    let (event, stated) = match serde_json::from_slice::<Value>(&body) {
        Err(error) => (None, Err(format!("the body is not JSON: {error}"))),
        Ok(Value::Object(members)) => {
            let event = members.get("event").and_then(Value::as_str).map(str::to_owned);
            let stated = match &event {
                Some(event) => statement(event, Fields::new(members)),
                None => Err("the body has no text member `event`".to_owned()),
            };
            (event, stated)
        }
        Ok(_) => (None, Err("the body is not a JSON object".to_owned())),
    };
    let named = event.as_deref().filter(|event| event.len() <= EVENT_NAME_BYTES_MAX);
    vec![match stated {
        Ok(statement) => {
            let event_type = named.unwrap_or_default().to_owned();
            let fact = FactId::of(&statement.resource, &event_type, &body);
            let Statement { resource, status, occurred_at, details } = statement;
            let occurred_at = occurred_at.unwrap_or(evidence.attestation.signed_at);
            let details = Details::Transfer(Box::new(details));
            Signal { resource, fact, event_type, status, occurred_at, details, evidence }
        }
        Err(reason) => {
            let header = envelope.header(PAYLOAD_TYPE_HEADER).filter(|name| name.len() <= EVENT_NAME_BYTES_MAX);
            let payload_type = named.or(header).map(str::to_owned);
            unrecognized(envelope, &body, named.unwrap_or_default(), payload_type, reason, evidence)
        }
    }]
}

/// The longest event name that is carried; the provider's longest has 30 bytes.
const EVENT_NAME_BYTES_MAX: usize = 256;

fn unrecognized(
    envelope: &Envelope,
    body: &[u8],
    event: &str,
    payload_type: Option<String>,
    reason: String,
    evidence: Evidence,
) -> Signal {
    let resource = ResourceId::unrecognized(envelope.provider(), body);
    Signal {
        fact: FactId::of(&resource, event, body),
        resource,
        event_type: event.to_owned(),
        status: Status::Unrecognized,
        occurred_at: evidence.attestation.signed_at,
        details: Details::Unrecognized(UnrecognizedDetails { reason, payload_type, body_bytes: body.len() as u64 }),
        evidence,
    }
}

/// What one webhook says about a deposit or a withdrawal.
struct Statement {
    resource: ResourceId,
    status: Status,
    occurred_at: Option<Timestamp>,
    details: TransferDetails,
}

/// What the webhook called `event` says, or a sentence about why it cannot be understood.
fn statement(event: &str, mut members: Fields) -> Result<Statement, String> {
    let shown = event.chars().take(64).collect::<String>();
    let status = wire::status_of(event).ok_or_else(|| format!("no event is known by the name {shown:?}"))?;
    members.take_text("event");

    let (member, mut object) = wire::OBJECT_MEMBERS
        .into_iter()
        .find_map(|member| Some((member, members.take_object_present(member)?)))
        .ok_or_else(|| "the body has no object `deposit`".to_owned())?;
    let id = object.take_text("id").ok_or_else(|| format!("`{member}.id` is missing, or not a plain text"))?;
    let resource = ResourceId::new(status.kind(), Provider::Connect, &id)
        .map_err(|error| format!("`{member}.id` cannot name a resource: {error}"))?;

    let quantity = match object.take_text("amount") {
        // Taken for a missing one, the amount of an earlier webhook would stand in its place.
        None if object.has("amount") => return Err(format!("`{member}.amount` is not a number in a plain text")),
        None => None,
        Some(text) => {
            let value = text.parse().map_err(|error| format!("`{member}.amount`: {error}"))?;
            Some(Quantity { value, units: Units::Major })
        }
    };
    let transaction = transaction(&mut object);
    let source = source(&mut object);
    let session = session(&mut members);
    let account = account(&mut members);
    let created_at = object.take_rfc3339("created_at");
    let updated_at = object.take_rfc3339("updated_at");
    // Seed 000 has a confirmed withdrawal whose `updated_at` is seven minutes before its `created_at`; nothing
    // happens to a thing before it exists.
    let occurred_at = updated_at.max(created_at);
    let mut details = TransferDetails {
        quantity,
        asset: object.take_text("asset"),
        network: object.take_text("network").as_deref().map(Network::named),
        transaction,
        source,
        session,
        account,
        reference_id: None,
        provider_status: object.take_text("status"),
        created_at,
        updated_at,
        provider_data: Map::new(),
    };
    members.keep_rest_of(member, object);
    details.provider_data = members.into_rest();
    bound(&mut details);
    Ok(Statement { resource, status, occurred_at, details })
}

fn transaction(object: &mut Fields) -> Transaction {
    let Some(mut sent) = object.take_object("transaction") else {
        return Transaction::default();
    };
    let transaction = Transaction {
        hash: sent.take_text("hash"),
        from: sent.take_text("from"),
        to: sent.take_text("to"),
        // A withdrawal's sample has a date-time here and an unexpected deposit's has 0: neither is a block.
        block_number: sent.take_text_if("block_number", |text| {
            text.bytes().all(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte != b'0')
        }),
    };
    object.keep_rest_of("transaction", sent);
    transaction
}

fn source(object: &mut Fields) -> Source {
    // A withdrawal's source is a text (`"XYZ"`): it stays in the provider's data.
    let Some(mut sent) = object.take_object("source") else {
        return Source::default();
    };
    let source = Source { source_type: sent.take_text("type"), integration: sent.take_text("integration") };
    object.keep_rest_of("source", sent);
    source
}

fn session(members: &mut Fields) -> Session {
    let Some(mut sent) = members.take_object("session") else {
        return Session::default();
    };
    let session = Session {
        id: sent.take_text("id"),
        metadata: sent.take_json("metadata"),
        created_at: sent.take_rfc3339("created_at"),
    };
    members.keep_rest_of("session", sent);
    session
}

fn account(members: &mut Fields) -> Option<String> {
    let mut sent = members.take_object("account")?;
    let account = sent.take_text("reference_id");
    members.keep_rest_of("account", sent);
    account
}

/// Replaces what is too large to be carried by a note that says how large it was.
fn bound(details: &mut TransferDetails) {
    if let Some(metadata) = &mut details.session.metadata
        && let Some(note) = left_in_evidence(metadata)
    {
        *metadata = note;
    }
    if let Some(note) = left_in_evidence(&Value::Object(details.provider_data.clone())) {
        details.provider_data = Map::from_iter([("fundhook".to_owned(), note)]);
    }
}

/// The note that stands for `value` when it is too large or too deep to be carried.
fn left_in_evidence(value: &Value) -> Option<Value> {
    let (bytes, levels) = (value.to_string().len(), levels(value));
    (bytes > CARRIED_BYTES_MAX || levels > CARRIED_LEVELS_MAX).then(|| {
        json!({ "left_in_evidence": {
            "bytes": bytes,
            "carried_bytes_max": CARRIED_BYTES_MAX,
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
