//! Odd bodies: what is not a character, white space, repeated members, and ids that cannot be read.

use fundhook_domain::{Feed, Kind, Provider, Statement};
use serde_json::{Map, Value, json};

use crate::support::envelope_of;
use crate::support::statements::{dropped, essence, notes, outcome, statements};

/// The first statement of the webhook with the bytes `body`.
fn read(provider: Provider, body: impl AsRef<[u8]>) -> Statement {
    statements(&envelope_of(&Feed::from(provider), None, body.as_ref())).remove(0)
}

/// The text of a deposit that each provider credits, with `rest` as further members: its id is 1, its user U, its
/// amount 5.
fn credited(rest: &str) -> [(Provider, &'static str, String); 4] {
    [
        (
            Provider::Connect,
            "deposit#connect#1",
            format!(
                r#"{{"event":"connect.deposits.confirmed","deposit":{{"id":"1","amount":"5","asset":"BTC"}},"account":{{"reference_id":"U"}}{rest}}}"#
            ),
        ),
        (
            Provider::Zerohash,
            "deposit#zerohash#1",
            format!(
                r#"{{"fund_id":"1","success":true,"quantity":"5","rate":"1","notional":"5","quoted_currency":"USD","fund_asset":"BTC","participant_code":"U"{rest}}}"#
            ),
        ),
        (
            Provider::Zerohash,
            "deposit#zerohash#1",
            format!(
                r#"{{"deposit_id":"1","state":"completed","amount":"5","asset":"BTC","participant_code":"U"{rest}}}"#
            ),
        ),
        (
            Provider::Striga,
            "deposit#striga#1",
            format!(
                r#"{{"type":"ON_CHAIN_DEPOSIT_CONFIRMED","id":"1","credit":"500000000","currency":"BTC","syncedOwnerId":"U","balanceAfter":{{"amount":"5","currency":"satoshis"}}{rest}}}"#
            ),
        ),
    ]
}

#[test]
fn what_is_not_a_character_is_replaced_in_values_and_names_and_costs_nothing() {
    for rest in [
        r#","memo":"\ud800""#,
        r#","memo":"a\udfffb""#,
        r#","memo":"\ud83d\ude00\ud83d""#,
        r#","\udc00":1"#,
        r#","\ud800":1,"\ud801":2"#,
        r#","session":{"id":"s","metadata":{"note":"\ud800","\udfff":["\udead"]}}"#,
        r#","memo":"\\ud800""#,
    ] {
        for (provider, resource, body) in credited(rest) {
            let statement = read(provider, &body);
            assert_eq!(
                (statement.resource.to_string().as_str(), outcome(&statement).as_str()),
                (resource, "confirmed")
            );
        }
    }
    for (provider, resource, body) in credited(r#","memo":"@""#) {
        let (before, after) = body.split_once('@').expect("the memo");
        for bytes in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"ok \xf0\x9f"] {
            let statement = read(provider, [before.as_bytes(), bytes, after.as_bytes()].concat());
            assert_eq!(
                (statement.resource.to_string().as_str(), outcome(&statement).as_str()),
                (resource, "confirmed")
            );
        }
    }
}

#[test]
fn a_byte_order_mark_and_white_space_around_a_body_are_not_part_of_it() {
    for (provider, resource, body) in credited("") {
        for whole in [format!("\u{feff}{body}"), format!("\r\n\t {body} \n"), format!("\u{feff} {body}")] {
            let statement = read(provider, &whole);
            assert_eq!(
                (statement.resource.to_string().as_str(), outcome(&statement).as_str()),
                (resource, "confirmed")
            );
        }
        // UTF-16 is not JSON [rfc-8259 §8.1], and is archived.
        let utf_16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(provider, utf_16).resource.kind(), Kind::Unrecognized);
    }
}

#[test]
fn white_space_around_ids_numbers_and_words_is_not_part_of_them() {
    for (provider, resource, body) in credited("") {
        let known = read(provider, &body);
        for (value, spaced) in [
            (r#""1""#, r#"" 1 ""#),
            (r#""1""#, r#""\t1\r\n""#),
            (r#""U""#, r#"" U\n""#),
            (r#""5""#, r#""\t5 ""#),
            (r#""500000000""#, r#"" 500000000 ""#),
            (r#""BTC""#, r#"" BTC ""#),
            (r#""USD""#, r#"" USD""#),
            (r#""satoshis""#, r#"" satoshis ""#),
            (r#""completed""#, r#"" completed ""#),
            (r#""connect.deposits.confirmed""#, r#"" connect.deposits.confirmed ""#),
            (r#""ON_CHAIN_DEPOSIT_CONFIRMED""#, r#"" ON_CHAIN_DEPOSIT_CONFIRMED""#),
            ("true", r#"" TRUE ""#),
        ] {
            let statement = read(provider, body.replace(value, spaced));
            assert_eq!(statement.resource.to_string(), resource, "{provider} {spaced}");
            assert_eq!(essence(&statement), essence(&known), "{provider} {spaced}");
        }
    }
}

#[test]
fn an_identity_that_cannot_be_read_is_unrecognized() {
    let deep = format!("{}1{}", "[".repeat(5), "]".repeat(5));
    for id in [
        r#""""#,
        r#"" ""#,
        "null",
        "true",
        "[]",
        r#"["1","2"]"#,
        r#"{"uuid":"1"}"#,
        r#""a\nb""#,
        r#""\u0000""#,
        r#""\ud800""#,
        r#""1\udc00""#,
        "\"\u{fffd}\"",
        &format!("\"{}\"", "1".repeat(513)),
        &format!("\"{}\"", "1".repeat(3000)),
        &deep,
    ] {
        for (provider, _, body) in credited("") {
            let statement = read(
                provider,
                body.replace(r#"_id":"1""#, &format!(r#"_id":{id}"#)).replace(r#""id":"1""#, &format!(r#""id":{id}"#)),
            );
            assert_eq!(statement.resource.kind(), Kind::Unrecognized, "{provider}: {id:.40}");
        }
    }
}

#[test]
fn a_member_that_is_repeated_with_another_value_has_none_whatever_its_class() {
    // The members of `credited`, the value that is repeated, and the outcome.
    for (provider, member, again, expected) in [
        (Provider::Zerohash, "participant_code", r#""V""#, "held: account_unknown"),
        (Provider::Zerohash, "participant_code", r#""U""#, "confirmed"),
        (Provider::Zerohash, "memo", r#""a","memo":"b""#, "confirmed"),
        (Provider::Striga, "syncedOwnerId", r#""V""#, "held: account_unknown"),
        (Provider::Striga, "credit", r#""6""#, "held: amount_missing"),
        (Provider::Striga, "credit", "500000000", "held: amount_missing"),
        (Provider::Striga, "credit", r#""500000000""#, "confirmed"),
        (Provider::Striga, "currency", r#""ETH""#, "held: amount_missing"),
        (Provider::Striga, "balanceAfter", r#"{"amount":"5","currency":"wei"}"#, "held: unit_unknown"),
        (Provider::Striga, "memo", r#""a","memo":"b""#, "confirmed"),
        (Provider::Striga, "id", r#""2""#, "unrecognized"),
        (Provider::Striga, "type", r#""ON_CHAIN_DEPOSIT_PENDING""#, "unrecognized"),
        (Provider::Connect, "account", r#"{"reference_id":"V"}"#, "held: account_unknown"),
        (Provider::Connect, "account", r#"{"reference_id":"U"}"#, "confirmed"),
        (Provider::Connect, "event", r#""connect.deposits.pending""#, "unrecognized"),
        (Provider::Connect, "deposit", r#"{"id":"2"}"#, "unrecognized"),
        (Provider::Connect, "session", r#"{"id":"s"},"session":{"id":"t"}"#, "confirmed"),
    ] {
        for (of, _, body) in credited(&format!(r#","{member}":{again}"#)) {
            if of == provider {
                let statement = read(provider, &body);
                let is_recognized = statement.resource.kind() != Kind::Unrecognized;
                let found = if is_recognized { outcome(&statement) } else { "unrecognized".to_owned() };
                assert_eq!(found, expected, "{provider} {member} {again}");
            }
        }
    }
}

#[test]
fn a_note_never_replaces_what_the_provider_states() {
    for own in [json!({ "notes": ["theirs"] }), json!("text"), json!({ "other": 1 }), json!([1])] {
        let body = json!({ "fund_id": "1", "success": true, "fund_timestamp": "noon", "fundhook": own });
        let statement = read(Provider::Zerohash, body.to_string());
        assert_eq!(dropped(&body, std::slice::from_ref(&statement)), Vec::<String>::new(), "{own}");
    }
    let many: Map<String, Value> = (0..40).map(|at| (format!("m{at}"), json!(["x"]))).collect();
    let body = json!({ "type": "NETWORK_FEE", "id": "1", "more": many, "currency": [], "txHash": {}, "timestamp": [] });
    let found = notes(&read(Provider::Striga, body.to_string()));
    assert_eq!(found.len(), 3, "one for each member that was looked for: {found:?}");
}
