//! What a webhook says, and what is left of it.

use std::collections::BTreeSet;

use fundhook_domain::{
    DecimalValue, Details, EvidencePointer, Kind, Resource, Statement, Status, Timestamp, TransferDetails, Units,
    UnrecognizedDetails, View, fold,
};
use fundhook_providers::{Envelope, normalise};
use serde_json::Value;

/// Where the envelopes of tests lie in the evidence.
pub(crate) fn archived() -> EvidencePointer {
    EvidencePointer { object: "connect/2025/10/14/0.ndjson.gz".to_owned(), line: 7 }
}

/// What `envelope` says.
pub(crate) fn statements(envelope: &Envelope) -> Vec<Statement> {
    normalise(envelope, archived())
}

/// The one thing that `envelope` says.
pub(crate) fn only_statement(envelope: &Envelope) -> Statement {
    let mut statements = statements(envelope);
    assert_eq!(statements.len(), 1, "one webhook, one statement: {statements:#?}");
    statements.remove(0)
}

/// What `signal` says about money, which it must.
pub(crate) fn transfer_of(statement: Statement) -> TransferDetails {
    let Details::Transfer(transfer) = statement.details else { unreachable!("not about money: {statement:?}") };
    *transfer
}

/// Why the webhook of `envelope` was not understood, which it must not be.
pub(crate) fn reason(envelope: &Envelope) -> String {
    let statement = only_statement(envelope);
    assert_eq!(
        (statement.resource.kind(), statement.status),
        (Kind::Unrecognized, Status::Unrecognized),
        "{statement:?}"
    );
    let Details::Unrecognized(UnrecognizedDetails { reason, body_bytes, .. }) = statement.details else {
        unreachable!("understood: {statement:?}")
    };
    assert_eq!(body_bytes, envelope.body().len() as u64);
    assert!(reason.len() < 300, "a reason is a sentence, not a body: {reason}");
    reason
}

/// Every text, number and truth value in `value`: what it says.
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

/// What `body` says and none of `signals` does: as it stands, as a decimal, as a time, as an asset with its network in
/// one (`USDC.BASE`), or as a unit in small letters (`WEI`).
pub(crate) fn dropped(body: &Value, statements: &[Statement]) -> Vec<String> {
    let said = statements.iter().flat_map(|statement| leaves(&serde_json::to_value(statement).expect("JSON")));
    let said: BTreeSet<String> = said.collect();
    // An id may be a part of its resource's, or one of those that make it up.
    let ids = || statements.iter().map(|statement| format!(":{}:", statement.resource.native()));
    let is_said = |leaf: &String| {
        let decimal = leaf.parse::<DecimalValue>().ok().map(|value| value.to_string());
        let time = leaf.parse::<Timestamp>().or_else(|_| Timestamp::from_unix_digits(leaf)).ok();
        let time = time.map(|at| at.to_string());
        leaf.is_empty()
            || said.contains(leaf)
            || ids().any(|id| id.contains(&format!(":{leaf}:")))
            || [decimal, time, Some(Units::named(leaf).as_str().to_owned())]
                .into_iter()
                .flatten()
                .any(|text| said.contains(&text))
            || leaf.rsplit_once('.').is_some_and(|(asset, network)| said.contains(asset) && said.contains(network))
    };
    leaves(body).into_iter().filter(|leaf| !is_said(leaf)).collect()
}

/// A signal is read from a message, a resource from its facts, and subscribers read the view.
pub(crate) fn assert_can_be_stored(statement: &Statement, what: &str) {
    let message = statement.to_message().expect("a message");
    assert_eq!(&Statement::from_message(&message).expect(what), statement, "{what}");
    let resource = Resource::unknown(statement.resource.clone());
    let view = fold(resource, statement.clone()).into_resource().view().expect("a view");
    let json = serde_json::to_string(&view).expect("JSON");
    assert_eq!(serde_json::from_str::<View>(&json).expect(what), view, "{what}");
}
