//! Times in every form that providers send: what is read, and what is not costs nothing.

use fundhook_domain::{Details, Feed, Provider, Statement, Timestamp};
use serde_json::{Value, json};

use crate::support::statements::{notes, statements};
use crate::support::{SIGNED_AT, at, envelope_of, zerohash};

/// Each member with a time: the provider, a body without it, and its path.
fn members() -> Vec<(Provider, Value, &'static str)> {
    let connect = json!({ "event": "connect.deposits.pending", "deposit": { "id": "1" } });
    let fund = json!({ "fund_id": "1", "success": true });
    let deposit = json!({ "deposit_id": "1", "state": "initial" });
    let payment = json!({ "payment_id": "1", "status": "posted", "payment_type": "payout" });
    let bank = json!({ "transaction_id": "1", "payment_status": "posted" });
    let participant = json!({ "participant_code": "1", "participant_status": "approved" });
    let updated = json!({ "participant_code": "1", "edd": true });
    let external = json!({ "external_account_id": "1", "external_account_status": "approved" });
    let balance = json!({ "participant_code": "1", "asset": "BTC", "balance": "1" });
    let striga = json!({ "type": "ON_CHAIN_WITHDRAWAL_PENDING", "id": "1" });
    let person = json!({ "userId": "1", "status": "APPROVED" });
    vec![
        (Provider::Connect, connect.clone(), "/deposit/created_at"),
        (Provider::Connect, connect, "/deposit/updated_at"),
        (Provider::Zerohash, fund.clone(), "/fund_timestamp"),
        (Provider::Zerohash, fund, "/deposit_timestamp"),
        (Provider::Zerohash, deposit, "/timestamp"),
        (Provider::Zerohash, payment.clone(), "/created_at"),
        (Provider::Zerohash, payment, "/updated_at"),
        (Provider::Zerohash, bank, "/timestamp"),
        (Provider::Zerohash, participant, "/timestamp"),
        (Provider::Zerohash, updated, "/timestamp"),
        (Provider::Zerohash, external, "/timestamp"),
        (Provider::Zerohash, balance, "/timestamp"),
        (Provider::Striga, striga, "/timestamp"),
        (Provider::Striga, person, "/ts"),
    ]
}

/// The statement of `body` with `time` at `path`.
fn read(provider: Provider, body: &Value, path: &str, time: &Value) -> Statement {
    let mut body = body.clone();
    let (parent, name) = path.rsplit_once('/').expect("a path");
    body.pointer_mut(parent).expect("an object")[name] = time.clone();
    statements(&envelope_of(&Feed::from(provider), None, body.to_string().as_bytes())).remove(0)
}

/// When the tests' webhooks of `provider` were sent.
fn sent_at(provider: Provider) -> Timestamp {
    match provider {
        Provider::Connect => at(SIGNED_AT),
        Provider::Zerohash => zerohash::signed_at(),
        // Striga signs no time, so the time of receipt takes its place.
        Provider::Striga => at(SIGNED_AT + 2),
    }
}

fn provider_data(statement: &Statement) -> Value {
    match &statement.content.details {
        Details::Transfer(details) => Value::Object(details.provider_data.clone()),
        Details::Account(details) => Value::Object(details.provider_data.clone()),
        Details::Balance(details) => Value::Object(details.provider_data.clone()),
        Details::Recovery(_) | Details::Unrecognized(_) => unreachable!("recognized: {statement:?}"),
    }
}

#[test]
fn every_form_of_time_is_read_in_every_member() {
    let number = |text: &str| serde_json::from_str::<Value>(text).expect("a number");
    for (time, expected) in [
        (json!(1_759_866_290), "2025-10-07T19:44:50Z"),
        (json!("1759866290"), "2025-10-07T19:44:50Z"),
        (json!(" 1759866290 "), "2025-10-07T19:44:50Z"),
        (json!(1_759_866_290_123_i64), "2025-10-07T19:44:50.123Z"),
        (json!(1_759_866_290_123_456_i64), "2025-10-07T19:44:50.123456Z"),
        (json!(1_759_866_290_123_456_789_i64), "2025-10-07T19:44:50.123456789Z"),
        (json!("1759866290123456789"), "2025-10-07T19:44:50.123456789Z"),
        (number("1759866290.5"), "2025-10-07T19:44:50.500Z"),
        (json!("1759866290.123456789"), "2025-10-07T19:44:50.123456789Z"),
        (number("1759866290123.5"), "2025-10-07T19:44:50.123500Z"),
        (number("1.75986629e9"), "2025-10-07T19:44:50Z"),
        (number("1759866290123E0"), "2025-10-07T19:44:50.123Z"),
        (number("1.759866290123456789e18"), "2025-10-07T19:44:50.123456789Z"),
        (json!("1.75986629E+9"), "2025-10-07T19:44:50Z"),
        (json!("2025-10-07T19:44:50Z"), "2025-10-07T19:44:50Z"),
        (json!("2025-10-07t19:44:50.5z"), "2025-10-07T19:44:50.500Z"),
        (json!("2025-10-07 19:44:50Z"), "2025-10-07T19:44:50Z"),
        (json!("2025-10-07 19:44:50 +0000"), "2025-10-07T19:44:50Z"),
        (json!("2025-10-07T21:44:50+02:00"), "2025-10-07T19:44:50Z"),
        (json!("2025-10-07T21:44:50+0200"), "2025-10-07T19:44:50Z"),
        (json!("\t2025-10-07T19:44:50Z\n"), "2025-10-07T19:44:50Z"),
        (json!("Tue, 07 Oct 2025 19:44:50 GMT"), "2025-10-07T19:44:50Z"),
        (json!("Tue, 07 Oct 2025 21:44:50 +0200"), "2025-10-07T19:44:50Z"),
    ] {
        for (provider, body, path) in members() {
            let statement = read(provider, &body, path, &time);
            assert_eq!(statement.content.occurred_at.to_string(), expected, "{provider} {path}: {time}");
            assert_eq!(notes(&statement), Vec::<String>::new(), "{provider} {path}: {time}");
        }
    }
}

#[test]
fn a_zero_is_no_time_and_needs_no_note() {
    for time in
        [json!(0), json!("0"), json!("0001-01-01T00:00:00Z"), json!("0000-01-01T00:00:00Z"), json!(""), json!(null)]
    {
        for (provider, body, path) in members() {
            let statement = read(provider, &body, path, &time);
            assert_eq!(statement.content.occurred_at, sent_at(provider), "{provider} {path}: {time}");
            assert_eq!(notes(&statement), Vec::<String>::new(), "{provider} {path}: {time}");
            let is_stated = !time.is_null() && time != json!("");
            let kept = provider_data(&statement).pointer(path).cloned();
            assert!(!is_stated || kept.as_ref() == Some(&time), "{provider} {path}: {time} is kept: {kept:?}");
        }
    }
}

#[test]
fn what_is_no_time_is_noted_and_the_time_of_sending_takes_its_place() {
    let number = |text: &str| serde_json::from_str::<Value>(text).expect("a number");
    for time in [
        json!(99),
        json!(-5),
        json!("-5"),
        json!("+5"),
        json!("-"),
        json!("-0"),
        number("-0.0"),
        number("-1e-7"),
        json!(-1_759_866_290),
        json!("+1759866290"),
        json!(17_598_662_905_i64),
        number("1e300"),
        number("1e1001"),
        number("1e-300"),
        json!("1759866290."),
        json!("1,759,866,290"),
        json!("yesterday"),
        json!("07/10/2025 19:44"),
        json!("2025-10-07"),
        json!("2025-10-07T19:44:50"),
        json!("2025-13-07T19:44:50Z"),
        json!("2025-10-07T25:44:50Z"),
        json!("10000-01-01T00:00:00Z"),
        json!("١٧٥٩٨٦٦٢٩٠"),
        json!("\u{fffd}"),
        json!("x".repeat(3000)),
        json!(true),
        json!([1_759_866_290]),
        json!({ "seconds": 1_759_866_290 }),
        json!({}),
    ] {
        for (provider, body, path) in members() {
            let statement = read(provider, &body, path, &time);
            assert_eq!(statement.content.occurred_at, sent_at(provider), "{provider} {path}: {time:.60}");
            let name = path[1..].replace('/', ".");
            let found = notes(&statement);
            assert!(found.len() == 1 && found[0].starts_with(&format!("`{name}`")), "{path}: {time:.60}: {found:?}");
            assert!(found[0].len() < 300, "a note is a sentence: {found:?}");
            assert_eq!(provider_data(&statement).pointer(path), Some(&time), "{provider} {path}: it stays as it came");
        }
    }
}

#[test]
fn two_balances_of_one_second_are_ordered_by_their_movements() {
    let body = |timestamp: Value, movements: Value| json!({ "participant_code": "1", "asset": "BTC", "balance": "1", "timestamp": timestamp, "movements": movements });
    let moved = |at: Value| json!({ "movement_id": "m", "change": "1", "movement_timestamp": at });
    for (timestamp, movements, expected) in [
        (json!(1_750_750_200), json!([moved(json!(1_750_750_200_514_i64))]), "2025-06-24T07:30:00.514Z"),
        (
            json!(1_750_750_200),
            json!([moved(json!(1_750_750_200_514_i64)), moved(json!(1_750_750_200_515_i64))]),
            "2025-06-24T07:30:00.515Z",
        ),
        (
            json!(1_750_750_200),
            json!([moved(json!("1750750200999")), moved(json!(1_750_750_200_515_i64))]),
            "2025-06-24T07:30:00.999Z",
        ),
        // A movement without a time that can be read decides nothing.
        (json!(1_750_750_200), json!([moved(json!("soon")), moved(json!(0))]), "2025-06-24T07:30:00Z"),
        (json!(1_750_750_200), json!([]), "2025-06-24T07:30:00Z"),
        (json!(1_750_750_200), json!("none"), "2025-06-24T07:30:00Z"),
        (json!(1_750_750_200), json!([7, null, "x"]), "2025-06-24T07:30:00Z"),
        (json!(null), json!([moved(json!(1_750_750_200_514_i64))]), "2025-06-24T07:30:00.514Z"),
        (json!(null), json!([]), "2025-10-14T23:34:26.123Z"),
    ] {
        let body = body(timestamp, movements);
        let statement = statements(&zerohash::envelope(None, body.to_string().as_bytes())).remove(0);
        assert_eq!(statement.content.occurred_at.to_string(), expected, "{body}");
        let movements = provider_data(&statement)["movements"].clone();
        assert_eq!(movements, body["movements"], "they are carried");
    }
}
