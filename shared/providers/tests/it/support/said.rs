//! What a webhook says, and what is left of it.

use std::collections::BTreeSet;

use fundhook_domain::{
    DecimalValue, Details, EvidencePointer, Kind, Resource, Signal, Status, Timestamp, TransferDetails, Units,
    UnrecognizedDetails, View, fold,
};
use fundhook_providers::{Envelope, normalise};
use serde_json::Value;

/// Where the envelopes of tests lie in the evidence.
pub(crate) fn archived() -> EvidencePointer {
    EvidencePointer { object: "connect/2025/10/14/0.ndjson.gz".to_owned(), line: 7 }
}

/// What `envelope` says.
pub(crate) fn signals(envelope: &Envelope) -> Vec<Signal> {
    normalise(envelope, archived())
}

/// The one thing that `envelope` says.
pub(crate) fn only_signal(envelope: &Envelope) -> Signal {
    let mut signals = signals(envelope);
    assert_eq!(signals.len(), 1, "one webhook, one statement: {signals:#?}");
    signals.remove(0)
}

/// What `signal` says about money, which it must.
pub(crate) fn transfer_of(signal: Signal) -> TransferDetails {
    let Details::Transfer(transfer) = signal.details else { unreachable!("not about money: {signal:?}") };
    *transfer
}

/// Why the webhook of `envelope` was not understood, which it must not be.
pub(crate) fn reason(envelope: &Envelope) -> String {
    let signal = only_signal(envelope);
    assert_eq!((signal.resource.kind(), signal.status), (Kind::Unrecognized, Status::Unrecognized), "{signal:?}");
    let Details::Unrecognized(UnrecognizedDetails { reason, body_bytes, .. }) = signal.details else {
        unreachable!("understood: {signal:?}")
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
pub(crate) fn dropped(body: &Value, signals: &[Signal]) -> Vec<String> {
    let said = signals.iter().flat_map(|signal| leaves(&serde_json::to_value(signal).expect("JSON")));
    let said: BTreeSet<String> = said.collect();
    // An id may be a part of its resource's, or one of those that make it up.
    let ids = || signals.iter().map(|signal| format!(":{}:", signal.resource.native()));
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
pub(crate) fn assert_can_be_stored(signal: &Signal, what: &str) {
    let message = signal.to_message().expect("a message");
    assert_eq!(&Signal::from_message(&message).expect(what), signal, "{what}");
    let resource = Resource::unknown(signal.resource.clone());
    let view = fold(resource, signal.clone()).into_resource().view().expect("a view");
    let json = serde_json::to_string(&view).expect("JSON");
    assert_eq!(serde_json::from_str::<View>(&json).expect(what), view, "{what}");
}
