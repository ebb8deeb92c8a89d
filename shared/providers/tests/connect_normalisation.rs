//! What Connect's webhooks become, and that none of them is lost, whatever it holds.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use fundhook_domain::{
    DecimalValue, Details, EvidencePointer, FactId, Kind, Resource, Signal, Status, Timestamp, TransferDetails,
    UnrecognizedDetails, View, fold,
};
use fundhook_providers::connect::{self, PAYLOAD_TYPE_HEADER, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, normalise};
use fundhook_providers::{Envelope, Headers, Webhook};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::{RSA, SIGNED_AT, URL, at, envelope, headers, settings};

/// The largest part of a webhook that is carried beside its fields.
const CARRIED_BYTES_MAX: usize = 24 * 1024;

fn archived() -> EvidencePointer {
    EvidencePointer { object: "connect/2025/10/14/0.ndjson.gz".to_owned(), line: 7 }
}

/// The one signal of the webhook with `body`.
fn signal(body: impl AsRef<[u8]>) -> Signal {
    let mut signals = normalise(&envelope(body.as_ref()), archived());
    assert_eq!(signals.len(), 1, "one webhook, one statement");
    signals.remove(0)
}

/// What the webhook with `body` says about money, which it must say.
fn transfer(body: impl AsRef<[u8]>) -> TransferDetails {
    match signal(&body).details {
        Details::Transfer(details) => *details,
        Details::Unrecognized(details) => unreachable!("not understood: {details:?}"),
    }
}

/// Why the webhook with `body` was not understood.
fn reason(body: impl AsRef<[u8]>) -> String {
    let signal = signal(&body);
    assert_eq!((signal.resource.kind(), signal.status), (Kind::Unrecognized, Status::Unrecognized));
    match signal.details {
        Details::Unrecognized(UnrecognizedDetails { reason, body_bytes, .. }) => {
            assert_eq!(body_bytes, body.as_ref().len() as u64);
            reason
        }
        Details::Transfer(details) => unreachable!("understood: {details:?}"),
    }
}

/// The files of `events/connect` and the folder of odd ones in it: name and body.
fn samples(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/connect").join(folder);
    let entries = fs::read_dir(folder).expect("the folder of samples").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.is_file());
    let mut samples: Vec<_> = files
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("a readable sample"))
        })
        .collect();
    samples.sort();
    samples
}

/// The samples that are about money.
static TRANSFERS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let parsed = |(name, body): (String, Vec<u8>)| Some((name, serde_json::from_slice(&body).ok()?));
    let all = [samples(""), samples("odd")].concat().into_iter().filter_map(parsed);
    all.filter(|(_, body): &(String, Value)| body.get("deposit").is_some()).collect()
});

/// A pending deposit with the members of `changes` in its object.
fn deposit_with(changes: &Value) -> String {
    let deposit = support::changed(json!({ "id": "1", "amount": "2", "asset": "BTC" }), changes);
    json!({ "event": "connect.deposits.pending", "deposit": deposit }).to_string()
}

/// Every text, number and truth value in `value`: what it says.
fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(members) => members.values().flat_map(leaves).collect(),
    }
}

/// What `body` says and `signal` does not: as it stands, as a decimal, or as a time.
fn dropped(body: &Value, signal: &Signal) -> Vec<String> {
    let mut said: BTreeSet<String> = leaves(&serde_json::to_value(signal).expect("JSON")).into_iter().collect();
    said.insert(signal.resource.native().to_owned());
    let is_said = |leaf: &String| {
        leaf.is_empty()
            || said.contains(leaf)
            || leaf.parse::<DecimalValue>().is_ok_and(|value| said.contains(&value.to_string()))
            || leaf.parse::<Timestamp>().is_ok_and(|at| said.contains(&at.to_string()))
    };
    leaves(body).into_iter().filter(|leaf| !is_said(leaf)).collect()
}

#[test]
fn the_samples_become_these_signals() {
    for (folder, prefix) in [("", ""), ("odd", "odd.")] {
        for (name, body) in samples(folder) {
            let signals = normalise(&envelope(&body), archived());
            let json = serde_json::to_string_pretty(&signals).expect("JSON");
            insta::assert_snapshot!(format!("{prefix}{name}"), json);
        }
    }
}

#[test]
fn nothing_that_a_sample_says_is_dropped() {
    assert!(TRANSFERS.len() >= 15, "every sample about money is read");
    for (name, body) in TRANSFERS.iter() {
        assert_eq!(dropped(body, &signal(body.to_string())), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_fact_has_one_id_whatever_is_said_outside_the_body() {
    let (_, body) = samples("").remove(0);
    let known = signal(&body).fact;
    let fact = |webhook: Webhook, url: &str, now: Timestamp, received_at: Timestamp, line: u32| -> FactId {
        let settings = Settings { webhook_urls: vec![url.to_owned()], ..settings() };
        let verified = connect::verify(webhook, &settings, &RSA.set(), now).expect("verifies");
        let envelope = Envelope::seal(verified, received_at, None);
        normalise(&envelope, EvidencePointer { object: "another".to_owned(), line }).remove(0).fact
    };
    let now = at(SIGNED_AT);
    let with = |headers: Vec<(String, String)>| Webhook { headers: headers.into_iter().collect(), body: body.clone() };

    let received_later = fact(support::webhook(&RSA, &body), URL, now, now.plus(Duration::from_nanos(250)), 1);
    let signed_later = fact(with(headers(&RSA, SIGNED_AT + 60, &body)), URL, now, now, 2);
    let mut named_otherwise = headers(&RSA, SIGNED_AT, &body);
    named_otherwise.retain(|(name, _)| name != "client-id" && name != PAYLOAD_TYPE_HEADER);
    named_otherwise.push((PAYLOAD_TYPE_HEADER.to_owned(), "connect_withdrawal.status_changed".to_owned()));
    let named_otherwise = fact(with(named_otherwise), URL, now, now, 3);
    let elsewhere = "https://fundhook.example/withdrawals";
    let timestamp = SIGNED_AT.to_string();
    let sent_elsewhere =
        [(TIMESTAMP_HEADER, &timestamp), (SIGNATURE_HEADER, &RSA.signature(&timestamp, elsewhere, &body))];
    let sent_elsewhere = Webhook { headers: sent_elsewhere.into_iter().collect::<Headers>(), body: body.clone() };
    let sent_elsewhere = fact(sent_elsewhere, elsewhere, now, now, 4);
    for (what, fact) in [
        ("received later", received_later),
        ("signed again later", signed_later),
        ("with other headers", named_otherwise),
        ("sent to another URL", sent_elsewhere),
    ] {
        assert_eq!(fact, known, "{what}");
    }

    let in_other_bytes = [body.as_slice(), b"\n"].concat();
    assert_ne!(signal(in_other_bytes).fact, known, "other bytes are another fact");
}

#[test]
fn amounts_are_exact_whether_sent_as_texts_or_as_numbers() {
    for (sent, exact) in [
        (r#"".013""#, "0.013"),
        (r#""0.0130""#, "0.013"),
        (r#""1000000000000000000""#, "1000000000000000000"),
        ("1", "1"),
        ("1.10", "1.1"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("9007199254740993", "9007199254740993"),
        ("119078888888888888887", "119078888888888888887"),
        ("18446744073709551616.000000000000000001", "18446744073709551616.000000000000000001"),
    ] {
        let body = format!(r#"{{"event":"connect.deposits.pending","deposit":{{"id":"1","amount":{sent}}}}}"#);
        let quantity = transfer(body).quantity.expect(sent);
        assert_eq!(quantity.value.to_string(), exact, "{sent}");
    }
}

#[test]
fn numbers_that_nobody_here_reads_are_carried_exactly_too() {
    for number in ["0.1000000000000000055511151231257827", "119078888888888888887", "1e+400", "-0.0", "1.0"] {
        let body = format!(
            r#"{{"event":"connect.deposits.pending","deposit":{{"id":"1","fees":{{"total":{number}}}}},"session":{{"metadata":{{"n":{number}}}}}}}"#
        );
        let message = signal(body).to_message().expect("a message");
        let Details::Transfer(details) = Signal::from_message(&message).expect("a signal").details else {
            unreachable!("a deposit")
        };
        assert_eq!(details.provider_data["deposit"]["fees"]["total"].to_string(), number);
        assert_eq!(details.session.metadata.expect("metadata")["n"].to_string(), number);
    }
}

#[test]
fn an_amount_that_cannot_be_read_is_never_taken_for_a_missing_one() {
    for amount in [
        json!("abc"),
        json!("1e3"),
        json!("1,000"),
        json!(" 1"),
        json!("0x10"),
        json!("1\n"),
        json!("1".repeat(2000)),
        json!(true),
        json!(["1"]),
        json!({ "value": "1" }),
        json!({}),
        serde_json::from_str("1e3").expect("a number"),
    ] {
        let reason = reason(deposit_with(&json!({ "amount": amount })));
        assert!(reason.contains("`deposit.amount`"), "{amount}: {reason}");
    }
}

#[test]
fn an_amount_that_is_not_there_says_nothing() {
    for deposit in [r#"{"id":"1"}"#, r#"{"id":"1","amount":null}"#, r#"{"id":"1","amount":""}"#] {
        let body = format!(r#"{{"event":"connect.deposits.confirmed","deposit":{deposit}}}"#);
        assert_eq!(transfer(&body).quantity, None, "{deposit}");
        assert_eq!(signal(&body).resource.to_string(), "deposit#connect#1");
    }
}

#[test]
fn what_cannot_be_understood_is_seen_and_says_why() {
    let deep = format!("{{\"event\":\"connect.deposits.pending\",\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let event = |rest: &str| format!(r#"{{"event":"connect.deposits.pending"{rest}}}"#);
    for (body, why) in [
        (String::new(), "not JSON"),
        ("event=connect.deposits.pending".to_owned(), "not JSON"),
        ("\u{feff}{}".to_owned(), "not JSON"),
        (r#"{"event":"connect.deposits.pending""#.to_owned(), "not JSON"),
        (deep, "not JSON"),
        ("[]".to_owned(), "not a JSON object"),
        (format!("[{}]", event("")), "not a JSON object"),
        ("null".to_owned(), "not a JSON object"),
        ("\"connect.deposits.pending\"".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "no text member `event`"),
        (r#"{"event":null}"#.to_owned(), "no text member `event`"),
        (r#"{"event":["connect.deposits.pending"]}"#.to_owned(), "no text member `event`"),
        (r#"{"Event":"connect.deposits.pending"}"#.to_owned(), "no text member `event`"),
        (r#"{"event":"","deposit":{"id":"1"}}"#.to_owned(), "no event is known"),
        (r#"{"event":"connect.deposits.PENDING","deposit":{"id":"1"}}"#.to_owned(), "no event is known"),
        (r#"{"event":"connect.deposit.pending","deposit":{"id":"1"}}"#.to_owned(), "no event is known"),
        (format!(r#"{{"event":"{}"}}"#, "x".repeat(5000)), "no event is known"),
        (event(""), "no object `deposit`"),
        (event(r#","deposit":null"#), "no object `deposit`"),
        (event(r#","deposit":"1""#), "no object `deposit`"),
        (event(r#","deposit":[{"id":"1"}]"#), "no object `deposit`"),
        (event(r#","deposit":{}"#), "`deposit.id`"),
        (event(r#","deposit":{"id":null}"#), "`deposit.id`"),
        (event(r#","deposit":{"id":""}"#), "`deposit.id`"),
        (event(r#","deposit":{"id":{"uuid":"1"}}"#), "`deposit.id`"),
        (event(r#","deposit":{"id":["1"]}"#), "`deposit.id`"),
        (event(r#","deposit":{"id":true}"#), "`deposit.id`"),
        (event(r#","deposit":{"id":"a\nb"}"#), "`deposit.id`"),
        (event(&format!(r#","deposit":{{"id":"{}"}}"#, "x".repeat(513))), "`deposit.id`"),
        (event(&format!(r#","deposit":{{"id":"{}"}}"#, "x".repeat(2000))), "`deposit.id`"),
        // Of two members with one name the last one counts.
        (event(r#","deposit":{"id":"1"},"event":"another""#), "no event is known"),
    ] {
        let reason = reason(&body);
        assert!(reason.contains(why), "{body:.80}: {reason}");
        assert!(reason.len() < 300, "a reason is a sentence, not a body: {reason}");
    }
}

#[test]
fn a_webhook_that_is_not_text_is_seen() {
    for body in [&b"\xff"[..], b"{\"event\":\"connect.deposits.pending\",\"deposit\":{\"id\":\"\xfc\"}}", &[0; 1000]] {
        assert!(reason(body).contains("not JSON"));
    }
}

#[test]
fn what_is_not_understood_names_itself_where_it_can() {
    let payload_type = |body: &str| match signal(body).details {
        Details::Unrecognized(details) => details.payload_type,
        Details::Transfer(_) => unreachable!("unknown"),
    };
    let by_header = Some("connect_deposit.status_changed".to_owned());
    assert_eq!(
        payload_type(r#"{"event":"connect.user.status_changed"}"#),
        Some("connect.user.status_changed".to_owned())
    );
    assert_eq!(payload_type("not JSON"), by_header);
    assert_eq!(payload_type(&format!(r#"{{"event":"{}"}}"#, "x".repeat(5000))), by_header, "too long to be a name");
}

#[test]
fn odd_shapes_that_can_be_understood_are() {
    let id = |body: &str| signal(body).resource.to_string();
    assert_eq!(id(&deposit_with(&json!({ "id": 42 }))), "deposit#connect#42");
    assert_eq!(id(&deposit_with(&json!({ "id": "a#b ü" }))), "deposit#connect#a#b ü");
    let withdrawal = |rest: &str| format!(r#"{{"event":"connect.withdrawal.initiated",{rest}}}"#);
    assert_eq!(id(&withdrawal(r#""deposit":{"id":"1"}"#)), "withdrawal#connect#1");
    assert_eq!(id(&withdrawal(r#""withdrawal":{"id":"2"}"#)), "withdrawal#connect#2");
    assert_eq!(id(&withdrawal(r#""deposit":null,"withdrawal":{"id":"3"}"#)), "withdrawal#connect#3");
    // Of two members with one name the last one counts.
    assert_eq!(
        id(r#"{"event":"another","event":"connect.deposits.pending","deposit":{"id":"1","id":"2"}}"#),
        "deposit#connect#2"
    );

    // Parts of another form than they should have stay under the provider's own name.
    let odd = json!({
        "event": "connect.deposits.pending",
        "deposit": {
            "id": "1",
            "network": ["base"],
            "source": "XYZ",
            "transaction": [{ "hash": "0x1" }],
            "created_at": "yesterday",
            "updated_at": 1_759_866_290,
        },
        "session": "s-1",
        "account": ["abc123"],
    });
    let details = transfer(odd.to_string());
    let mut expected = odd.as_object().expect("an object").clone();
    expected.remove("event");
    expected["deposit"].as_object_mut().expect("an object").remove("id");
    assert_eq!(details, TransferDetails { provider_data: expected, ..TransferDetails::default() });
}

#[test]
fn without_a_time_of_its_own_a_webhook_happened_when_it_was_signed() {
    for (times, expected) in [
        (json!({}), at(SIGNED_AT).to_string()),
        (json!({ "created_at": "", "updated_at": null }), at(SIGNED_AT).to_string()),
        (json!({ "created_at": "2025-10-07T19:44:50Z" }), "2025-10-07T19:44:50Z".to_owned()),
        (
            json!({ "created_at": "2025-10-07T19:44:50Z", "updated_at": "2025-10-07T21:44:51.5+02:00" }),
            "2025-10-07T19:44:51.500Z".to_owned(),
        ),
        // As in the seed's confirmed withdrawal.
        (
            json!({ "created_at": "2025-07-24T15:42:07.123456789Z", "updated_at": "2025-07-24T15:35:00.123456789Z" }),
            "2025-07-24T15:42:07.123456789Z".to_owned(),
        ),
    ] {
        assert_eq!(signal(deposit_with(&times)).occurred_at.to_string(), expected, "{times}");
    }
    assert_eq!(signal("not JSON").occurred_at, at(SIGNED_AT));
}

#[test]
fn what_is_too_large_to_be_carried_is_left_in_the_evidence_and_says_so() {
    // A text whose JSON has exactly so many bytes.
    let text = |bytes: usize| json!("x".repeat(bytes - 2));
    for (bytes, is_carried) in [(CARRIED_BYTES_MAX, true), (CARRIED_BYTES_MAX + 1, false)] {
        let body = json!({
            "event": "connect.deposits.pending",
            "deposit": { "id": "1", "amount": "2" },
            "session": { "id": "s-1", "metadata": text(bytes) },
        });
        let session = transfer(body.to_string()).session;
        let metadata = session.metadata.expect("metadata");
        assert_eq!(session.id.as_deref(), Some("s-1"));
        assert_eq!(metadata == text(bytes), is_carried, "{bytes} bytes of metadata");
        assert!(is_carried || metadata["left_in_evidence"]["bytes"] == json!(bytes), "{metadata}");

        // `{"x":…}` is six bytes longer than what it holds.
        let body = json!({ "event": "connect.deposits.pending", "deposit": { "id": "1", "amount": "2" }, "x": text(bytes - 6) });
        let details = transfer(body.to_string());
        assert!(details.quantity.is_some(), "the fields are carried whatever the rest is");
        assert_eq!(details.provider_data == Map::from_iter([("x".to_owned(), text(bytes - 6))]), is_carried);
        assert!(is_carried || details.provider_data["fundhook"]["left_in_evidence"]["bytes"] == json!(bytes));
    }
}

#[test]
fn whatever_was_understood_can_be_stored_published_and_read_back_however_deep_it_is() {
    for levels in 1..=130 {
        let nested = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        let body = format!(
            r#"{{"event":"connect.deposits.pending","deposit":{{"id":"1","transaction":{{"x":{nested}}}}},"session":{{"metadata":{nested}}}}}"#
        );
        assert_can_be_stored(&signal(body), &format!("{levels} levels"));
    }
}

/// A signal is read from a message, a resource from its facts, and subscribers read the view.
fn assert_can_be_stored(signal: &Signal, what: &str) {
    let message = signal.to_message().expect("a message");
    assert_eq!(&Signal::from_message(&message).expect(what), signal, "{what}");
    let resource = Resource::unknown(signal.resource.clone());
    let view = fold(resource, signal.clone()).into_resource().view().expect("a view");
    let json = serde_json::to_string(&view).expect("JSON");
    assert_eq!(serde_json::from_str::<View>(&json).expect(what), view, "{what}");
}

#[test]
fn the_same_webhook_that_nobody_understands_is_one_resource() {
    let first = signal("who knows");
    assert_eq!(signal("who knows").resource, first.resource);
    assert_ne!(signal("who knows?").resource, first.resource);
}

/// Any JSON, with the texts and numbers that Connect's fields hold among it.
fn any_json() -> impl Strategy<Value = Value> {
    let number = "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number.prop_map(|text| serde_json::from_str(&text).expect("a number")),
        ".*".prop_map(Value::from),
        number.prop_map(Value::from),
        "20[0-9]{2}-0[1-9]-1[0-9]T1[0-9]:00:00(\\.[0-9]{1,9})?(Z|[+-]0[0-9]:30)".prop_map(Value::from),
        prop::sample::select(vec!["connect.deposits.confirmed", "connect.withdrawal.failed", "base", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(".*|id|hash|type|reference_id|metadata", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The paths of all members below `value`, as JSON pointers.
fn paths(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else { return Vec::new() };
    let below = |(name, value): (&String, &Value)| {
        let deeper = paths(value).into_iter().map(|path| format!("/{name}{path}")).collect();
        [vec![format!("/{name}")], deeper].concat()
    };
    members.iter().flat_map(below).collect()
}

proptest! {
    #[test]
    fn any_json_in_any_field_is_one_signal_that_drops_nothing(
        sample in any::<prop::sample::Index>(),
        field in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let (_, mut body) = sample.get(&TRANSFERS).clone();
        let path = field.get(&paths(&body)).clone();
        *body.pointer_mut(&path).expect("a path of the sample") = value;
        let text = body.to_string();
        let signal = signal(&text);
        prop_assert_eq!(signal.status.kind(), signal.resource.kind());
        match &signal.details {
            Details::Transfer(_) => prop_assert_eq!(dropped(&body, &signal), Vec::<String>::new()),
            Details::Unrecognized(details) => prop_assert!(!details.reason.is_empty()),
        }
        assert_can_be_stored(&signal, &text);
        prop_assert_eq!(&signal.fact, &FactId::of(&signal.resource, &signal.event_type, text.as_bytes()));
    }
}
