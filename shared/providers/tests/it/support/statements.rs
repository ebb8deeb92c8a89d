//! The statements of envelopes, and which parts of a body they contain.

use std::collections::BTreeSet;

use fundhook_domain::{
    Credit, CreditFee, DecidedBy, DecimalValue, Details, EvidencePointer, FeeBearer, Kind, NewFact, Resource,
    Statement, Status, Timestamp, TransferDetails, Units, UnrecognizedDetails, View, fold,
};
use fundhook_providers::{Envelope, IdKey, ReadingSettings, normalise};
use serde_json::{Value, json};

/// Where the tests' envelopes are archived.
pub(crate) fn archived() -> EvidencePointer {
    EvidencePointer { object: "connect/2025/10/14/0.ndjson.gz".to_owned(), line: 7 }
}

/// The statements of `envelope`.
pub(crate) fn statements(envelope: &Envelope) -> Vec<Statement> {
    normalise(envelope, archived(), &ReadingSettings::default())
}

/// The statements of `envelope` with `settings`.
pub(crate) fn statements_with(envelope: &Envelope, settings: &ReadingSettings) -> Vec<Statement> {
    normalise(envelope, archived(), settings)
}

/// The single statement of `envelope`.
pub(crate) fn only_statement(envelope: &Envelope) -> Statement {
    let mut statements = statements(envelope);
    assert_eq!(statements.len(), 1, "one webhook, one statement: {statements:#?}");
    statements.remove(0)
}

/// The name of the status of `statement`; `none` when it states none.
pub(crate) fn status_of(statement: &Statement) -> &'static str {
    statement.content.status.map_or("none", Status::as_str)
}

/// The status of `statement`, with the reason for a hold: `held: travel_rule`.
pub(crate) fn outcome(statement: &Statement) -> String {
    match &statement.content.details {
        Details::Transfer(transfer) => {
            let hold = transfer.hold.as_ref().map(|hold| format!(": {}", hold.reason)).unwrap_or_default();
            status_of(statement).to_owned() + &hold
        }
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => {
            status_of(statement).to_owned()
        }
    }
}

/// What may be booked for the deposit of `statement`, such as `495 USD of 500, deposit_fee 5 customer, by setting`;
/// what is not said is `by numbers`. Otherwise its [`outcome`].
pub(crate) fn credit_of(statement: &Statement) -> String {
    let Details::Transfer(transfer) = &statement.content.details else { return outcome(statement) };
    let Some(Credit { net, gross, fees, decided_by, .. }) = &transfer.credit else { return outcome(statement) };
    assert_eq!(status_of(statement), "confirmed", "only a confirmed deposit has a credit");
    assert_eq!(net.asset, gross.asset, "a credit is in one asset");
    let borne = fees.iter().filter(|fee| fee.borne_by == FeeBearer::Customer);
    let rest = borne.fold(gross.value.clone(), |rest, fee| rest - &fee.value);
    assert_eq!(net.value, rest, "the net is the gross less the fees of the customer, exactly");
    let fee = |fee: &CreditFee| {
        assert_eq!(fee.asset, gross.asset, "a fee is in the asset of the credit");
        let bearer = match fee.borne_by {
            FeeBearer::Customer => "customer",
            FeeBearer::Platform => "platform",
        };
        format!(", {} {} {bearer}", fee.kind, fee.value)
    };
    let fees: String = fees.iter().map(fee).collect();
    let of = if fees.is_empty() { String::new() } else { format!(" of {}", gross.value) };
    let by = if *decided_by == DecidedBy::Setting { ", by setting" } else { "" };
    format!("{} {}{of}{fees}{by}", net.value, net.asset)
}

/// What must not change: kind and resource, the name of the event, the status, and the credit or hold.
pub(crate) fn essence(statement: &Statement) -> [String; 4] {
    let credit = match &statement.content.details {
        Details::Transfer(details) => json!([details.credit, details.hold]).to_string(),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => String::new(),
    };
    [statement.resource.to_string(), statement.content.event_type.clone(), outcome(statement), credit]
}

/// The notes about what could not be read, in the provider's data.
pub(crate) fn notes(statement: &Statement) -> Vec<String> {
    let data = match &statement.content.details {
        Details::Transfer(details) => &details.provider_data,
        Details::Account(details) => &details.provider_data,
        Details::Balance(details) => &details.provider_data,
        Details::Recovery(_) | Details::Unrecognized(_) => return Vec::new(),
    };
    let notes = data.get("fundhook").and_then(|own| own["notes"].as_array()).cloned().unwrap_or_default();
    notes.into_iter().map(|note| note.as_str().expect("a note is a sentence").to_owned()).collect()
}

/// The name in the tests' ids of the resource that `parts` describe.
pub(crate) fn named(parts: &[&str]) -> String {
    IdKey::public().name(parts)
}

/// The details of `statement`, which must be about a transfer.
pub(crate) fn transfer_of(statement: Statement) -> TransferDetails {
    let Details::Transfer(transfer) = statement.content.details else { unreachable!("not about money: {statement:?}") };
    *transfer
}

/// Why the webhook of `envelope` was not recognized, which it must not be.
pub(crate) fn reason(envelope: &Envelope) -> String {
    let statement = only_statement(envelope);
    assert_eq!(
        (statement.resource.kind(), statement.content.status),
        (Kind::Unrecognized, Some(Status::Unrecognized)),
        "{statement:?}"
    );
    let Details::Unrecognized(UnrecognizedDetails { reason, body_bytes, .. }) = statement.content.details else {
        unreachable!("recognized: {statement:?}")
    };
    assert_eq!(body_bytes, envelope.body().len() as u64);
    assert!(reason.len() < 300, "a reason is a sentence, not a body: {reason}");
    reason
}

/// Every string, number and boolean in `value`, as text.
pub(crate) fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(members) => members.values().flat_map(leaves).collect(),
    }
}

/// The values of `body` that no statement contains: neither unchanged, nor as a decimal, a time, an asset and its
/// network (`USDC.BASE`), or a unit in small letters (`WEI`).
pub(crate) fn dropped(body: &Value, statements: &[Statement]) -> Vec<String> {
    let kept = statements.iter().flat_map(|statement| leaves(&serde_json::to_value(statement).expect("JSON")));
    let kept: BTreeSet<String> = kept.collect();
    // A value may be the resource's id, or one of the parts that make it up.
    let ids = || statements.iter().map(|statement| format!(":{}:", statement.resource.native()));
    let is_kept = |leaf: &str| {
        let decimal = leaf.parse::<DecimalValue>().ok().map(|value| value.to_string());
        let digits = decimal.as_deref().unwrap_or(leaf);
        let time = if digits.starts_with('-') { None } else { Timestamp::from_any_form(digits).ok() };
        let time = time.map(|at| at.to_string());
        leaf.is_empty()
            || kept.contains(leaf)
            || ids().any(|id| id.contains(&format!(":{leaf}:")))
            || [decimal, time, Some(Units::named(leaf).as_str().to_owned())]
                .into_iter()
                .flatten()
                .any(|text| kept.contains(&text))
            || leaf.rsplit_once('.').is_some_and(|(asset, network)| kept.contains(asset) && kept.contains(network))
    };
    // White space around a value is not part of it.
    leaves(body).into_iter().filter(|leaf| !is_kept(leaf) && !is_kept(leaf.trim())).collect()
}

/// Asserts that `statement` reads back from its message, and the view from its JSON.
pub(crate) fn assert_can_be_stored(statement: &Statement, what: &str) {
    let fact = NewFact::from(statement.clone());
    let message = fact.to_message().expect("a message");
    assert_eq!(NewFact::from_message(&message).expect(what), fact, "{what}");
    let resource = Resource::unknown(statement.resource.clone());
    let view = fold(resource, statement.clone()).into_resource().view().expect("a view");
    let json = serde_json::to_string(&view).expect("JSON");
    assert_eq!(serde_json::from_str::<View>(&json).expect(what), *view, "{what}");
}
