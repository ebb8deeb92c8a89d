//! How Connect's webhooks are normalised: the rules, as tables.

use fundhook_domain::{Details, FactContent, NewFact, Statement, TransferDetails, WebhookFamily};
use serde_json::{Value, json};

use crate::support::statements::{named, notes, only_statement, outcome, reason, statements, status_of, transfer_of};
use crate::support::{SIGNED_AT, at, changed, envelope};

/// The single statement of the webhook with `body`.
fn statement(body: impl AsRef<[u8]>) -> Statement {
    only_statement(&envelope(body.as_ref()))
}

/// The details of the webhook with `body`, which must be about a transfer.
fn transfer(body: impl AsRef<[u8]>) -> TransferDetails {
    transfer_of(statement(body))
}

/// Why the webhook with `body` was not recognized.
fn why_not(body: impl AsRef<[u8]>) -> String {
    reason(&envelope(body.as_ref()))
}

/// A pending deposit whose object has the members of `changes`.
fn deposit_with(changes: &Value) -> String {
    let deposit = changed(json!({ "id": "1", "amount": "2", "asset": "BTC" }), changes);
    json!({ "event": "connect.deposits.pending", "deposit": deposit }).to_string()
}

#[test]
fn each_event_of_the_guide_reports_its_status() {
    for (event, resource, status) in [
        ("connect.deposits.pending", "deposit#connect#1", "pending"),
        ("connect.deposits.submitted", "deposit#connect#1", "submitted"),
        ("connect.deposits.on_hold", "deposit#connect#1", "held"),
        ("connect.deposits.abandoned", "deposit#connect#1", "abandoned"),
        ("connect.deposits.confirmed", "deposit#connect#1", "confirmed"),
        ("connect.deposits.failed", "deposit#connect#1", "failed"),
        ("connect.deposits.unexpected", "deposit#connect#1", "unexpected"),
        ("connect.withdrawal.initiated", "withdrawal#connect#1", "initiated"),
        ("connect.withdrawal.broadcasted", "withdrawal#connect#1", "broadcast"),
        ("connect.withdrawal.confirmed", "withdrawal#connect#1", "confirmed"),
        ("connect.withdrawal.failed", "withdrawal#connect#1", "failed"),
    ] {
        let body = json!({
            "event": event,
            "deposit": { "id": "1", "amount": "2", "asset": "BTC" },
            "account": { "reference_id": "abc123" },
        });
        let statement = statement(body.to_string());
        assert_eq!((statement.resource.to_string().as_str(), statement.content.event_type.as_str()), (resource, event));
        assert_eq!(status_of(&statement), status, "{event}");
    }
}

#[test]
fn amounts_are_exact_whether_sent_as_strings_or_as_numbers() {
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
fn numbers_without_a_field_are_carried_exactly_too() {
    for number in ["0.1000000000000000055511151231257827", "119078888888888888887", "1e+400", "-0.0", "1.0"] {
        let body = format!(
            r#"{{"event":"connect.deposits.pending","deposit":{{"id":"1","fees":{{"total":{number}}}}},"session":{{"metadata":{{"n":{number}}}}}}}"#
        );
        let message = NewFact::from(statement(body)).to_message().expect("a message");
        let NewFact { resource, content } = NewFact::from_message(&message).expect("a fact to record");
        let FactContent::Statement(content) = content else { unreachable!("a statement was written") };
        let details = transfer_of(Statement { resource, content });
        assert_eq!(details.provider_data["deposit"]["fees"]["total"].to_string(), number);
        assert_eq!(details.session.metadata.expect("metadata")["n"].to_string(), number);
    }
}

#[test]
fn an_amount_that_cannot_be_read_is_never_taken_as_missing() {
    for amount in [
        json!("abc"),
        json!("1e1001"),
        json!("1,000"),
        json!("1 000"),
        json!("0x10"),
        json!("1\n2"),
        json!("1".repeat(2000)),
        json!(true),
        json!(["1"]),
        json!({ "value": "1" }),
        json!({}),
        serde_json::from_str("1e1001").expect("a number"),
    ] {
        let statement = statement(deposit_with(&json!({ "amount": amount })));
        assert_eq!(notes(&statement), ["`deposit.amount` is not a number"], "{amount}");
        let details = transfer_of(statement);
        assert_eq!((details.quantity, &details.provider_data["deposit"]["amount"]), (None, &amount));
        let confirmed = json!({
            "event": "connect.deposits.confirmed",
            "deposit": { "id": "1", "amount": amount, "asset": "BTC", "transaction": { "value": "2" } },
            "account": { "reference_id": "abc123" },
        });
        assert_eq!(outcome(&only_statement(&envelope(confirmed.to_string().as_bytes()))), "held: amount_missing");
    }
}

#[test]
fn white_space_and_exponents_are_part_of_no_number() {
    for amount in [" 1", "1\n", "\t1.0 ", "1e0", "0.1E+1", "10e-1"] {
        let details = transfer(deposit_with(&json!({ "amount": amount })));
        assert_eq!(details.quantity.map(|quantity| quantity.value.to_string()).as_deref(), Some("1"), "{amount:?}");
    }
}

#[test]
fn an_amount_may_be_missing() {
    for deposit in [r#"{"id":"1"}"#, r#"{"id":"1","amount":null}"#, r#"{"id":"1","amount":""}"#] {
        let body = format!(r#"{{"event":"connect.deposits.confirmed","deposit":{deposit}}}"#);
        assert_eq!(transfer(&body).quantity, None, "{deposit}");
        assert_eq!(statement(&body).resource.to_string(), "deposit#connect#1");
    }
}

#[test]
fn an_unrecognized_webhook_has_a_reason() {
    let deep = format!("{{\"event\":\"connect.deposits.pending\",\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let event = |rest: &str| format!(r#"{{"event":"connect.deposits.pending"{rest}}}"#);
    for (body, why) in [
        (String::new(), "not JSON"),
        ("event=connect.deposits.pending".to_owned(), "not JSON"),
        ("\u{feff}{}".to_owned(), "no text member `event`"),
        ("\u{feff}\u{feff}{}".to_owned(), "not JSON"),
        (r#"{"event":"connect.deposits.pending""#.to_owned(), "not JSON"),
        (event(r#","deposit":{"id":"\ud800"}"#), "not a character"),
        (event(r#","deposit":{"id":"a\udc00"}"#), "not a character"),
        (deep, "nested more than 127 levels"),
        ("[]".to_owned(), "not a JSON object"),
        (format!("[{}]", event("")), "not a JSON object"),
        ("null".to_owned(), "not a JSON object"),
        ("\"connect.deposits.pending\"".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "no text member `event`"),
        (r#"{"event":null}"#.to_owned(), "no text member `event`"),
        (r#"{"event":["connect.deposits.pending"]}"#.to_owned(), "no text member `event`"),
        (r#"{"Event":"connect.deposits.pending"}"#.to_owned(), "no text member `event`"),
        (r#"{"event":"","deposit":{"id":"1"}}"#.to_owned(), "no text member `event`"),
        (r#"{"event":"connect.deposits.PENDING","deposit":{"id":"1"}}"#.to_owned(), "is not known"),
        (r#"{"event":"connect.deposit.pending","deposit":{"id":"1"}}"#.to_owned(), "is not known"),
        (format!(r#"{{"event":"{}"}}"#, "x".repeat(5000)), "is not known"),
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
    ] {
        let reason = why_not(&body);
        assert!(reason.contains(why), "{body:.80}: {reason}");
    }
}

#[test]
fn none_of_two_different_values_of_a_member_is_used() {
    let event = |rest: &str| format!(r#"{{"event":"connect.deposits.pending"{rest}}}"#);
    for (body, why) in [
        (event(r#","deposit":{"id":"1"},"event":"another""#), "no text member `event`"),
        (event(r#","deposit":{"id":"1"},"deposit":{"id":"2"}"#), "no object `deposit`"),
        (event(r#","deposit":{"id":"1","id":"2"}"#), "`deposit.id`"),
    ] {
        let reason = why_not(&body);
        assert!(reason.contains(why), "{body}: {reason}");
    }
    for (rest, member) in [
        (r#""amount":"1","amount":"2""#, "amount"),
        (r#""amount":"1","amount":1"#, "amount"),
        (r#""created_at":"2025-10-07T19:44:50Z","created_at":null"#, "created_at"),
    ] {
        let statement = statement(event(&format!(r#","deposit":{{"id":"1",{rest}}}"#)));
        assert!(notes(&statement)[0].starts_with(&format!("`deposit.{member}` is not a")), "{rest}");
        assert_eq!(statement.content.occurred_at, at(SIGNED_AT), "{rest}");
        let details = transfer_of(statement);
        assert_eq!((details.quantity, details.created_at), (None, None), "{rest}");
        assert!(details.provider_data["deposit"][member].is_array(), "{rest}: none is dropped");
    }
    // A member that is repeated with the same value is read once. One without a field keeps all its values.
    let twice = transfer(event(r#","deposit":{"id":"1","amount":"2","amount":"2","memo":"a","memo":"b"}"#));
    assert_eq!(twice.quantity.expect("an amount").value.to_string(), "2");
    assert_eq!(twice.provider_data["deposit"], json!({ "memo": ["a", "b"] }));
}

#[test]
fn a_webhook_that_is_not_utf_8_is_unrecognized_unless_only_information_is_not() {
    for body in [&b"\xff"[..], &[0; 1000]] {
        assert!(why_not(body).contains("not JSON"));
    }
    let with = |id: &[u8], memo: &[u8]| {
        let parts: [&[u8]; 5] =
            [br#"{"event":"connect.deposits.pending","deposit":{"id":""#, id, br#"","memo":""#, memo, br#""}}"#];
        parts.concat()
    };
    assert!(why_not(with(b"\xfc", b"m")).contains("`deposit.id` contains what is not a character"));
    let details = transfer(with(b"1", b"gr\xfcn"));
    assert_eq!(details.provider_data["deposit"]["memo"], json!("gr\u{fffd}n"));
}

#[test]
fn an_unrecognized_webhook_has_its_payload_type_if_it_names_one() {
    let payload_type = |body: &str| {
        let statement = statement(body);
        let Details::Unrecognized(details) = statement.content.details else {
            unreachable!("understood: {statement:?}")
        };
        details.payload_type
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
fn unusual_forms_that_can_be_read_are_read() {
    let id = |body: &str| statement(body).resource.to_string();
    assert_eq!(id(&deposit_with(&json!({ "id": 42 }))), "deposit#connect#42");
    assert_eq!(id(&deposit_with(&json!({ "id": "a#b ü" }))), "deposit#connect#a#b ü");
    let withdrawal = |rest: &str| format!(r#"{{"event":"connect.withdrawal.initiated",{rest}}}"#);
    assert_eq!(id(&withdrawal(r#""deposit":{"id":"1"}"#)), "withdrawal#connect#1");
    assert_eq!(id(&withdrawal(r#""withdrawal":{"id":"2"}"#)), "withdrawal#connect#2");
    assert_eq!(id(&withdrawal(r#""deposit":null,"withdrawal":{"id":"3"}"#)), "withdrawal#connect#3");

    // Parts of an unexpected form are kept under the provider's names.
    let odd = json!({
        "event": "connect.deposits.pending",
        "deposit": {
            "id": "1",
            "network": ["base"],
            "source": "XYZ",
            "transaction": [{ "hash": "0x1" }],
            "status": { "code": 7 },
        },
        "session": "s-1",
        "account": ["abc123"],
    });
    let mut expected = odd.as_object().expect("an object").clone();
    expected.remove("event");
    expected["deposit"].as_object_mut().expect("an object").remove("id");
    let family = Some(WebhookFamily::ConnectDeposits);
    let mut details = transfer(odd.to_string());
    let own = details.provider_data.remove("fundhook").expect("notes");
    let notes = ["`deposit.network` is not a plain string", "`deposit.status` is not a plain string"];
    assert_eq!(own, json!({ "notes": notes }));
    assert_eq!(details, TransferDetails { provider_data: expected, family, ..TransferDetails::default() });
}

#[test]
fn only_a_positive_whole_number_is_read_as_a_block_number() {
    for (sent, taken) in [
        (json!("914854"), Some("914854")),
        (json!(914854), Some("914854")),
        (json!("0"), None),
        (json!("000"), None),
        (json!("0x10"), None),
        (json!("-1"), None),
        (json!(1.5), None),
        (json!("2025-07-24T15:42:07.123456789Z"), None),
        (json!(""), None),
        (json!(null), None),
    ] {
        let details = transfer(deposit_with(&json!({ "transaction": { "block_number": sent } })));
        assert_eq!(details.transaction.block_number.as_deref(), taken, "{sent}");
        if taken.is_none() && sent != json!("") && !sent.is_null() {
            assert_eq!(details.provider_data["deposit"]["transaction"]["block_number"], sent);
        }
    }
}

#[test]
fn a_webhook_without_a_time_happened_when_it_was_signed() {
    for (times, expected) in [
        (json!({}), at(SIGNED_AT).to_string()),
        (json!({ "created_at": "", "updated_at": null }), at(SIGNED_AT).to_string()),
        (json!({ "created_at": "2025-10-07T19:44:50Z" }), "2025-10-07T19:44:50Z".to_owned()),
        (json!({ "updated_at": 1_759_866_290 }), "2025-10-07T19:44:50Z".to_owned()),
        (json!({ "updated_at": "1759866290123" }), "2025-10-07T19:44:50.123Z".to_owned()),
        (json!({ "updated_at": 1_759_866_290.5 }), "2025-10-07T19:44:50.500Z".to_owned()),
        (
            json!({ "created_at": "2025-10-07T19:44:50Z", "updated_at": "2025-10-07T21:44:51.5+02:00" }),
            "2025-10-07T19:44:51.500Z".to_owned(),
        ),
        // As in the confirmed withdrawal of [connect-guide §W4].
        (
            json!({ "created_at": "2025-07-24T15:42:07.123456789Z", "updated_at": "2025-07-24T15:35:00.123456789Z" }),
            "2025-07-24T15:42:07.123456789Z".to_owned(),
        ),
    ] {
        assert_eq!(statement(deposit_with(&times)).content.occurred_at.to_string(), expected, "{times}");
    }
    assert_eq!(statement("not JSON").content.occurred_at, at(SIGNED_AT));
}

#[test]
fn a_time_that_cannot_be_read_is_never_taken_as_missing() {
    for time in [
        json!("yesterday"),
        json!("2025-10-07"),
        json!("2025-13-07T19:44:50Z"),
        json!("x".repeat(10_000)),
        json!(99),
        json!("99"),
        json!(-1_759_866_290),
        json!(true),
        json!(["2025-10-07T19:44:50Z"]),
        json!({}),
    ] {
        for member in ["created_at", "updated_at"] {
            let statement = statement(deposit_with(&json!({ member: time })));
            assert_eq!(statement.content.occurred_at, at(SIGNED_AT), "{time:.80}: the time of sending");
            assert!(notes(&statement)[0].starts_with(&format!("`deposit.{member}`")), "{time:.80}");
            assert_eq!(transfer_of(statement).provider_data["deposit"][member], time, "{time:.80}");
        }
        let body = json!({
            "event": "connect.deposits.pending",
            "deposit": { "id": "1" },
            "session": { "id": "s-1", "created_at": time },
        });
        let statement = statement(body.to_string());
        assert!(notes(&statement)[0].starts_with("`session.created_at`"), "{time:.80}: {:?}", notes(&statement));
        assert_eq!(transfer_of(statement).provider_data["session"]["created_at"], time, "{time:.80}");
    }
}

#[test]
fn an_unexpected_deposit_has_a_recovery_if_it_states_what_identifies_one() {
    let body = |deposit: &Value, account: &str| {
        let deposit = changed(
            json!({ "id": "1", "amount": "2", "asset": "USDC", "network": "base", "transaction": { "hash": "0x1" } }),
            deposit,
        );
        json!({ "event": "connect.deposits.unexpected", "deposit": deposit, "account": { "reference_id": account } })
    };
    for (what, body, recovery) in [
        ("everything stated", body(&json!({}), "CUST01"), Some(["CUST01", "USDC"])),
        ("no network", body(&json!({ "network": null }), "CUST01"), Some(["CUST01", "USDC"])),
        ("no user", body(&json!({}), ""), None),
        ("no asset", body(&json!({ "asset": null }), "CUST01"), None),
        ("no amount", body(&json!({ "amount": null }), "CUST01"), None),
        ("no transaction", body(&json!({ "transaction": null }), "CUST01"), None),
        ("not unexpected", changed(body(&json!({}), "CUST01"), &json!({ "event": "connect.deposits.failed" })), None),
        ("a withdrawal", changed(body(&json!({}), "CUST01"), &json!({ "event": "connect.withdrawal.failed" })), None),
    ] {
        let recovery = recovery.map(|parts| format!("recovery#zerohash#{}", named(&parts)));
        let statements = statements(&envelope(body.to_string().as_bytes()));
        let second = statements.get(1).map(|statement| statement.resource.to_string());
        assert_eq!((statements.len(), &second), (1 + usize::from(recovery.is_some()), &recovery), "{what}");
        let related = transfer_of(statements[0].clone()).related;
        assert_eq!(related.iter().map(ToString::to_string).next(), recovery, "{what}: each names the other");
    }
}
