//! How zerohash's webhooks about transfers are normalised: the rules, as tables.

use fundhook_domain::{Resource, Statement, TransferDetails, fold};
use serde_json::{Value, json};

use crate::support::changed;
use crate::support::statements::{notes, only_statement, outcome, reason, statements, status_of, transfer_of};
use crate::support::zerohash::{envelope, signed_at};

/// The statements of `body`, sent without a payload type.
fn all_statements(body: &Value) -> Vec<Statement> {
    statements(&envelope(None, body.to_string().as_bytes()))
}

/// The single statement of `body`.
fn statement(body: &Value) -> Statement {
    only_statement(&envelope(None, body.to_string().as_bytes()))
}

/// The details of the first statement of `body`, which must be about a transfer.
fn transfer(body: &Value) -> TransferDetails {
    transfer_of(all_statements(body).remove(0))
}

fn why_not(body: &Value) -> String {
    reason(&envelope(None, body.to_string().as_bytes()))
}

/// A fund transaction that succeeded, with `changes`.
fn fund(changes: &Value) -> Value {
    let body = json!({
        "fund_id": "f-1",
        "participant_code": "CUST01",
        "fund_asset": "USDC.ETH",
        "quantity": "100",
        "rate": "1",
        "quoted_currency": "USD",
        "notional": "100",
        "success": true,
        "fund_timestamp": 1_750_404_740_514_i64,
        "deposit_timestamp": 1_750_404_905_037_i64,
        "transaction_id": "0x1",
    });
    changed(body, changes)
}

/// A deposit's status, with `changes`.
fn deposit(changes: &Value) -> Value {
    let body = json!({
        "deposit_id": "d-1",
        "participant_code": "CUST01",
        "transaction_hash": "0x1",
        "state": "completed",
        "asset": "USDC.BASE",
        "amount": "75",
        "timestamp": 1_750_755_847,
    });
    changed(body, changes)
}

/// A payment that returns money, with `changes`.
fn payment(changes: &Value) -> Value {
    let body = json!({
        "payment_details": { "withdrawal_request_id": "w-1" },
        "asset": "USDC",
        "network": "BASE",
        "payment_type": "auth_withdrawal",
        "participant_code": "CUST01",
        "quantity": "",
        "status": "submitted",
        "created_at": "2024-09-26T13:05:22.657Z",
        "updated_at": "2024-09-26T13:05:22.657Z",
        "total": "100.00",
    });
    changed(body, changes)
}

/// A `DEPOSIT_FAILED`, with `changes`.
fn deposit_failed(changes: &Value) -> Value {
    let body = json!({
        "participant_code": "CUST01",
        "asset": "USDC.BASE",
        "quantity": "100",
        "transaction_id": "0x1",
        "success": false,
    });
    changed(body, changes)
}

#[test]
fn a_fund_transaction_is_confirmed_held_or_abandoned() {
    for (what, changes, status) in [
        ("success", json!({}), "confirmed"),
        ("success as a string", json!({ "success": "true" }), "confirmed"),
        ("success in capital letters", json!({ "success": "True" }), "confirmed"),
        ("success as a number", json!({ "success": 1 }), "confirmed"),
        ("success with an exception", json!({ "status_reason": "deposit above maximum threshold" }), "held"),
        ("no success: the match may still complete", json!({ "success": false }), "held"),
        ("no success as a string", json!({ "success": "FALSE" }), "held"),
        ("no success, nothing on chain yet", json!({ "success": false, "transaction_id": "" }), "held"),
        ("no success, no amount", json!({ "success": false, "quantity": "" }), "held"),
        (
            "an expired session",
            json!({ "success": false, "quantity": "0", "transaction_id": "", "source_address": "-" }),
            "abandoned",
        ),
        ("nothing stated at all", json!({ "success": false, "quantity": null, "transaction_id": null }), "abandoned"),
    ] {
        let statement = statement(&fund(&changes));
        assert_eq!(status_of(&statement), status, "{what}");
        assert_eq!(
            statement.resource.to_string(),
            "deposit#zerohash#f-1",
            "{what}: a later success is the same deposit"
        );
    }
    for success in [json!("yes"), json!(""), json!(2), json!(null), json!([true, false]), json!({})] {
        let mut body = fund(&json!({}));
        body["success"] = success;
        let statement = statement(&body);
        assert_eq!(outcome(&statement), "held: status_unknown", "{body}");
        let hold = transfer_of(statement).hold.expect("a hold");
        assert_eq!(hold.explanation, "`success` is neither true nor false.", "{body}");
    }
}

#[test]
fn a_held_fund_transaction_that_is_matched_later_is_one_confirmed_deposit_in_both_orders() {
    let held = statement(&fund(&json!({ "success": false, "status_reason": "account match has not completed yet" })));
    let matched = statement(&fund(&json!({ "deposit_timestamp": 1_750_404_999_000_i64 })));
    assert_eq!(held.resource, matched.resource);
    assert_ne!(held.content.id, matched.content.id);
    for [first, second] in [[&held, &matched], [&matched, &held]] {
        let resource = fold(Resource::unknown(held.resource.clone()), first.clone()).into_resource();
        let view = fold(resource, second.clone()).into_resource().view().expect("a view");
        assert_eq!(view.status.map_or("none", fundhook_domain::Status::as_str), "confirmed");
    }
}

#[test]
fn none_of_two_different_values_of_a_member_is_used() {
    let read = |rest: &str| {
        let body = format!(
            r#"{{"fund_id":"f-1","success":true,"quantity":"100","participant_code":"C","fund_asset":"USDC","notional":"100","quoted_currency":"USD",{rest}}}"#
        );
        envelope(Some("deposit_fund_complete"), body.as_bytes())
    };
    let why = reason(&read(r#""fund_id":"f-2""#));
    assert!(why.contains("`fund_id`"), "{why}");
    for (rest, expected) in [
        (r#""memo":"m""#, "confirmed"),
        (r#""quantity":"200""#, "held: amount_missing"),
        (r#""quantity":100"#, "held: amount_missing"),
        (r#""quantity":"""#, "held: amount_missing"),
        (r#""notional":"101""#, "held: amount_missing"),
        (r#""success":false"#, "held: status_unknown"),
        (r#""participant_code":"D""#, "held: account_unknown"),
        (r#""fund_asset":"USDT""#, "held: amount_missing"),
        (r#""quoted_currency":"EUR""#, "held: amount_missing"),
        (r#""status_reason":"success","status_reason":"deposit above maximum threshold""#, "held: unknown_reason"),
        (r#""status_reason_code":"DEPOSIT_PROCESSED","status_reason_code":"X""#, "held: unknown_reason"),
        (r#""deposit_fee_notional":"0","deposit_fee_notional":"1""#, "held: fees_unreadable"),
        // Without a fee, the rate decides nothing.
        (r#""rate":"1","rate":"2""#, "confirmed"),
        (r#""rate":"1","rate":"2","deposit_fee_notional":"1""#, "held: amount_missing"),
        (r#""fund_timestamp":1750404740,"fund_timestamp":1750404741"#, "confirmed"),
    ] {
        let statement = only_statement(&read(rest));
        assert_eq!(outcome(&statement), expected, "{rest}");
        let member = rest.split('"').nth(1).expect("a name");
        let has_note = notes(&statement).iter().any(|note| note.starts_with(&format!("`{member}` is not a")));
        let is_noted = !["memo", "success"].contains(&member) && !member.contains("fee");
        assert_eq!(has_note, is_noted, "{rest}: {:?}", notes(&statement));
    }
    let rest = r#""quantity":"100","reference_id":"abc123","reference_id":"def456""#;
    let details = transfer_of(only_statement(&read(rest)));
    assert_eq!(details.quantity.expect("an amount").value.to_string(), "100", "a repeated equal member counts once");
    assert_eq!(details.provider_data["reference_id"], json!(["abc123", "def456"]), "nothing is dropped");
    assert_eq!(details.credit.expect("a credit").net.value.to_string(), "100", "a reference is not money");
    assert_eq!(details.reference_id, None);
}

#[test]
fn a_dash_is_not_an_address_and_is_kept_under_the_providers_name() {
    let details = transfer(&fund(&json!({ "source_address": "-" })));
    assert_eq!((details.transaction.from, &details.provider_data["source_address"]), (None, &json!("-")));
    let details = transfer(&fund(&json!({ "source_address": "0xA3" })));
    assert_eq!(details.transaction.from.as_deref(), Some("0xA3"));
}

#[test]
fn the_platforms_identifier_and_the_reason_have_two_names_each() {
    let reference = |changes: Value| transfer(&fund(&changes)).reference_id;
    let abc = Some("abc123".to_owned());
    assert_eq!(reference(json!({ "reference_id": "abc123" })), abc);
    assert_eq!(reference(json!({ "client_fund_id": "abc123" })), abc);
    assert_eq!(reference(json!({ "reference_id": "", "client_fund_id": "abc123" })), abc);
    assert_eq!(reference(json!({ "reference_id": "" })), None);
    let both = transfer(&fund(&json!({ "reference_id": "abc123", "client_fund_id": "def456" })));
    assert_eq!((both.reference_id, &both.provider_data["client_fund_id"]), (abc, &json!("def456")));

    let why = |changes: Value| transfer(&fund(&changes)).status_reason;
    let matching = Some("no match yet".to_owned());
    assert_eq!(why(json!({ "status_reason": "no match yet" })), matching);
    assert_eq!(why(json!({ "reason": "no match yet" })), matching);
    assert_eq!(why(json!({ "status_reason": "", "reason": "no match yet" })), matching);
    assert_eq!(why(json!({ "status_reason": "" })), None);
    let both = transfer(&fund(&json!({ "status_reason": "no match yet", "reason": "other" })));
    assert_eq!((both.status_reason, &both.provider_data["reason"]), (matching, &json!("other")));
}

#[test]
fn a_time_is_told_in_seconds_milliseconds_nanoseconds_or_rfc_3339() {
    for (time, expected) in [
        (json!(1_750_404_740), "2025-06-20T07:32:20Z"),
        (json!(1_750_404_740_514_i64), "2025-06-20T07:32:20.514Z"),
        (json!(1_750_404_740_514_000_001_i64), "2025-06-20T07:32:20.514000001Z"),
        (json!("1750404740"), "2025-06-20T07:32:20Z"),
        (json!("1750404740514"), "2025-06-20T07:32:20.514Z"),
        (json!(1_750_404_740_514_000_i64), "2025-06-20T07:32:20.514Z"), // microseconds
        (json!(1_750_404_740.5), "2025-06-20T07:32:20.500Z"),
        (serde_json::from_str("1.75e9").expect("a number"), "2025-06-15T15:06:40Z"),
        (json!("2025-06-20T07:32:20.5Z"), "2025-06-20T07:32:20.500Z"),
        (json!("2025-06-20T09:32:20+02:00"), "2025-06-20T07:32:20Z"),
    ] {
        let of_fund = statement(&fund(&json!({ "fund_timestamp": time, "deposit_timestamp": null })));
        assert_eq!(of_fund.content.occurred_at.to_string(), expected, "{time}");
        let of_deposit = statement(&deposit(&json!({ "timestamp": time })));
        assert_eq!(of_deposit.content.occurred_at.to_string(), expected, "{time}");
        assert_eq!(transfer_of(of_deposit).updated_at.map(|at| at.to_string()).as_deref(), Some(expected));
    }
    // Some write 0 for an unknown time.
    let unsaid = statement(&deposit(&json!({ "timestamp": 0 })));
    assert_eq!(transfer_of(unsaid.clone()).updated_at, None);
    assert_eq!(transfer_of(unsaid).provider_data["timestamp"], json!(0));
    for time in [
        json!(99),
        json!(17_504_047_405_i64),
        json!(-1_750_404_740),
        serde_json::from_str("1.75e8").expect("a number"),
        json!("yesterday"),
        json!("0750404740"),
        json!(true),
        json!([1_750_404_740]),
        json!({ "seconds": 1_750_404_740 }),
    ] {
        for member in ["fund_timestamp", "deposit_timestamp"] {
            let other = if member == "fund_timestamp" { "deposit_timestamp" } else { "fund_timestamp" };
            let statement = statement(&fund(&json!({ member: time, other: null })));
            assert_eq!(
                (outcome(&statement).as_str(), statement.content.occurred_at),
                ("confirmed", signed_at()),
                "{time}"
            );
            assert!(notes(&statement)[0].starts_with(&format!("`{member}`")), "{time}: {:?}", notes(&statement));
            assert_eq!(transfer_of(statement).provider_data[member], time, "{time}");
        }
        let of_deposit = statement(&deposit(&json!({ "timestamp": time })));
        let of_payment = all_statements(&payment(&json!({ "updated_at": time }))).remove(0);
        for (statement, member) in [(of_deposit, "timestamp"), (of_payment, "updated_at")] {
            assert!(notes(&statement)[0].starts_with(&format!("`{member}`")), "{time}: {:?}", notes(&statement));
            assert_eq!(transfer_of(statement).provider_data[member], time, "{time}");
        }
    }
}

#[test]
fn a_webhook_has_the_latest_of_its_times_and_without_any_the_time_of_signing() {
    let occurred_at = |body: &Value| all_statements(body).remove(0).content.occurred_at.to_string();
    assert_eq!(occurred_at(&fund(&json!({}))), "2025-06-20T07:35:05.037Z");
    assert_eq!(occurred_at(&fund(&json!({ "deposit_timestamp": "" }))), "2025-06-20T07:32:20.514Z");
    assert_eq!(occurred_at(&fund(&json!({ "fund_timestamp": null }))), "2025-06-20T07:35:05.037Z");
    assert_eq!(occurred_at(&payment(&json!({ "updated_at": "2024-09-26T12:00:00Z" }))), "2024-09-26T13:05:22.657Z");
    for body in [
        fund(&json!({ "fund_timestamp": null, "deposit_timestamp": null })),
        deposit(&json!({ "timestamp": null })),
        payment(&json!({ "created_at": "", "updated_at": "" })),
        deposit_failed(&json!({})),
    ] {
        assert_eq!(occurred_at(&body), signed_at().to_string(), "{body}");
    }
}

#[test]
fn an_asset_names_its_network_or_implies_it_or_leaves_it_unknown() {
    for (code, asset, network) in [
        (json!("USDC.BASE"), Some("USDC"), Some("base")),
        (json!("USDC.ETH"), Some("USDC"), Some("ethereum")),
        (json!("BTC"), Some("BTC"), Some("bitcoin")),
        (json!("USDC"), Some("USDC"), None),
        (json!(""), None, None),
    ] {
        for body in [fund(&json!({ "fund_asset": code })), deposit(&json!({ "asset": code }))] {
            let details = transfer(&body);
            let found = (details.asset.as_deref(), details.network.as_ref().map(|network| network.slug()));
            assert_eq!(found, (asset, network), "{body}");
        }
    }
    assert_eq!(outcome(&statement(&fund(&json!({ "fund_asset": "" })))), "held: amount_missing");
    let odd = transfer(&fund(&json!({ "fund_asset": ["USDC", "BTC"] })));
    assert_eq!((odd.asset, &odd.provider_data["fund_asset"]), (None, &json!(["USDC", "BTC"])));
}

#[test]
fn a_payments_network_is_the_named_one_and_another_one_in_its_asset_is_kept() {
    for (asset, network, found, kept) in [
        ("USDC", "BASE", Some("base"), None),
        ("USDC", "", None, None),
        ("USDC.BASE", "", Some("base"), None),
        ("USDC.BASE", "BASE", Some("base"), None),
        ("ETH", "", Some("ethereum"), None),
        ("ETH", "BASE", Some("base"), None),
        ("USDC.ETH", "BASE", Some("base"), Some(json!("USDC.ETH"))),
        ("USDC.ETH", "ethereum", Some("ethereum"), Some(json!("USDC.ETH"))),
    ] {
        let details = transfer(&payment(&json!({ "asset": asset, "network": network })));
        assert_eq!(details.network.as_ref().map(|network| network.slug()), found, "{asset} on {network:?}");
        assert_eq!(details.asset.as_deref(), asset.split('.').next(), "{asset} on {network:?}");
        assert_eq!(details.provider_data.get("asset"), kept.as_ref(), "{asset} on {network:?}");
    }
}

#[test]
fn each_state_of_a_deposit_reports_its_status() {
    for (state, status) in [
        ("initial", "pending"),
        ("confirmed", "submitted"),
        ("pending_compliance_review", "held"),
        ("pending_approval", "held"),
        ("pending_settlement", "held"),
        ("quarantined", "held"),
        ("completed", "confirmed"),
        ("recovery_quarantine", "unexpected"),
    ] {
        let statement = all_statements(&deposit(&json!({ "state": state }))).remove(0);
        assert_eq!(
            (status_of(&statement), statement.content.event_type.as_str()),
            (status, "deposit.status_changed"),
            "{state}"
        );
        assert_eq!(transfer_of(statement).provider_status.as_deref(), Some(state));
    }
    for state in ["Completed", "COMPLETED", " completed ", "credited"] {
        assert_eq!(outcome(&statement(&deposit(&json!({ "state": state })))), "confirmed", "{state}");
    }
    for state in [json!("lost"), json!(7), json!(""), json!(["completed"]), json!(true)] {
        assert_eq!(outcome(&statement(&deposit(&json!({ "state": state })))), "held: status_unknown", "{state}");
    }
}

#[test]
fn each_status_of_a_payment_reports_its_own() {
    for (word, status) in [
        ("initialized", "initiated"),
        ("pending", "submitted"),
        ("submitted", "submitted"),
        ("posted", "broadcast"),
        ("settled", "confirmed"),
        ("failed", "failed"),
        ("abandoned", "abandoned"),
    ] {
        let statement = all_statements(&payment(&json!({ "status": word }))).remove(0);
        assert_eq!(
            (status_of(&statement), statement.resource.to_string().as_str()),
            (status, "withdrawal#zerohash#w-1")
        );
        assert_eq!(transfer_of(statement).provider_status.as_deref(), Some(word));
    }
    let why = why_not(&payment(&json!({ "status": "x".repeat(1000) })));
    assert!(why.contains("`status` is \"xxx") && why.contains("which is not known"), "{why}");
    // The type only tells whether unexpected money is returned.
    for (payment_type, statements) in [("auth_withdrawal", 2), ("payout", 1), ("withdrawal", 1), ("trade", 1), ("", 1)]
    {
        let found = all_statements(&payment(&json!({ "payment_type": payment_type })));
        assert_eq!((status_of(&found[0]), found.len()), ("submitted", statements), "{payment_type}");
    }
}

#[test]
fn a_payment_is_named_by_its_own_id_and_without_one_by_its_requests() {
    for (payment_id, request_id, native, kept) in [
        (json!("p-1"), json!("w-1"), Some("p-1"), Some(json!("w-1"))),
        (json!("p-1"), json!(""), Some("p-1"), None),
        (json!("w-1"), json!("w-1"), Some("w-1"), None),
        (json!(""), json!("w-1"), Some("w-1"), None),
        (Value::Null, json!("w-1"), Some("w-1"), None),
        (json!(42), json!("w-1"), Some("42"), Some(json!("w-1"))),
        (json!(""), json!(""), None, None),
        (Value::Null, Value::Null, None, None),
    ] {
        let details = json!({ "withdrawal_request_id": request_id });
        let body = payment(&json!({ "payment_id": payment_id, "payment_details": details }));
        let Some(native) = native else {
            assert!(why_not(&body).contains("neither `payment_id` nor"), "{body}");
            continue;
        };
        let statement = all_statements(&body).remove(0);
        assert_eq!(statement.resource.native(), native, "{body}");
        let data = transfer_of(statement).provider_data;
        let found = data.get("payment_details").and_then(|details| details.get("withdrawal_request_id")).cloned();
        assert_eq!(found, kept, "{body}");
    }
    let odd = payment(&json!({ "payment_details": "none", "payment_id": "p-1" }));
    assert_eq!(transfer(&odd).provider_data["payment_details"], json!("none"));
    // An id that cannot be read is not replaced by another one.
    for id in [json!(["p-1", "p-2"]), json!({ "id": "p-1" }), json!(true), json!("p\n1")] {
        let why = why_not(&payment(&json!({ "payment_id": id })));
        assert!(why.contains("`payment_id` is not a plain string"), "{id}: {why}");
    }
}
