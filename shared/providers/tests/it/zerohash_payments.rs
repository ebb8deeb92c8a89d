//! zerohash's payments in both forms, and every word of every status.

use fundhook_domain::{Details, HoldReason, Resource, Side, Statement, fold};
use serde_json::{Value, json};

use crate::support::changed;
use crate::support::statements::{credit_of, dropped, outcome, reason, statements, status_of, transfer_of};
use crate::support::zerohash::envelope;

fn read(payload_type: Option<&str>, body: &Value) -> Vec<Statement> {
    let statements = statements(&envelope(payload_type, body.to_string().as_bytes()));
    assert_eq!(dropped(body, &statements), Vec::<String>::new(), "{body}");
    statements
}

fn statement(body: &Value) -> Statement {
    read(None, body).remove(0)
}

fn why_not(body: &Value) -> String {
    reason(&envelope(None, body.to_string().as_bytes()))
}

/// A payment to a chain, of the type `payout`.
fn payout(changes: &Value) -> Value {
    let body = json!({
        "payment_id": "p-1",
        "payment_type": "payout",
        "participant_code": "CUST01",
        "obo_participant": { "participant_code": "CUST02", "account_group": "G" },
        "asset": "USDC.BASE",
        "status": "posted",
        "total": "200",
        "quantity": "197.25",
        "external_account_id": "x-1",
        "reference_id": "r-1",
        "created_at": "2024-09-26T13:05:22.657Z",
        "updated_at": "2024-09-26T13:05:22.657Z",
        "payment_details": {
            "withdrawal_request_id": "w-1",
            "network_fee_quantity": "1.25",
            "withdrawal_fee_notional": "1.50",
            "on_chain_transaction_id": "0x1",
            "destination_address": "0x2",
        },
    });
    changed(body, changes)
}

/// A payment by a bank.
fn bank(changes: &Value) -> Value {
    let body = json!({
        "transaction_id": "t-1",
        "payment_status": "posted",
        "participant_code": "CUST01",
        "type": "credit",
        "amount": "100.00",
        "currency": "USD",
        "external_account_id": "x-1",
        "expected_settlement_date": "2024-09-30",
        "timestamp": 1_727_355_922_657_i64,
    });
    changed(body, changes)
}

/// Every documented word, and the status that it reports; a word without one says nothing about the money.
const WORDS: [(&str, Option<&str>); 17] = [
    ("initialized", Some("initiated")),
    ("pending_trade", Some("initiated")),
    ("submitted", Some("submitted")),
    ("pending", Some("submitted")),
    ("posted", Some("broadcast")),
    ("settled", Some("confirmed")),
    ("failed", Some("failed")),
    ("rejected", Some("failed")),
    ("abandoned", Some("abandoned")),
    ("cancelled", Some("abandoned")),
    ("canceled", Some("abandoned")),
    ("returned", Some("returned")),
    ("returned_settled", Some("returned")),
    ("retried", None),
    ("unspecified", None),
    ("Settled", Some("confirmed")),
    ("RETURNED_SETTLED", Some("returned")),
];

#[test]
fn every_documented_word_has_its_status_in_both_forms() {
    for (word, status) in WORDS {
        for (form, body, resource) in [
            ("payout", payout(&json!({ "status": word })), "withdrawal#zerohash#p-1"),
            ("bank", bank(&json!({ "payment_status": word })), "withdrawal#zerohash#t-1"),
            ("bank, padded", bank(&json!({ "payment_status": format!(" {word} ") })), "withdrawal#zerohash#t-1"),
        ] {
            for payload_type in [None, Some("payment_status_changed"), Some("PAYMENT.STATUS.CHANGED")] {
                let statement = read(payload_type, &body).remove(0);
                assert_eq!(statement.resource.to_string(), resource, "{form} {word}");
                assert_eq!(status_of(&statement), status.unwrap_or("none"), "{form} {word}");
                assert_eq!(statement.content.event_type, "payment_status_changed");
                assert_eq!(transfer_of(statement).provider_status.as_deref(), Some(word), "{form}");
            }
        }
    }
    for word in [json!("lost"), json!(""), json!(null), json!(["settled", "failed"]), json!(true), json!("settled?")] {
        for (mut body, member) in [(payout(&json!({})), "status"), (bank(&json!({})), "payment_status")] {
            body[member] = word.clone();
            let why = why_not(&body);
            assert!(why.contains(&format!("`{member}` is")), "{word}: {why}");
        }
    }
}

#[test]
fn a_payment_that_says_nothing_about_the_money_changes_no_status_in_any_order() {
    for word in ["retried", "unspecified"] {
        let quiet = statement(&payout(&json!({ "status": word, "updated_at": "2024-09-27T00:00:00Z" })));
        let settled = statement(&payout(&json!({ "status": "settled" })));
        for [first, second] in [[&quiet, &settled], [&settled, &quiet]] {
            let known = fold(Resource::unknown(first.resource.clone()), first.clone()).into_resource();
            let view = fold(known, second.clone()).into_resource().view().expect("a view");
            assert_eq!(view.status.map(|status| status.to_string()).as_deref(), Some("confirmed"), "{word}");
            assert!(view.conflict.is_none(), "{word}");
        }
    }
}

#[test]
fn a_settled_payment_may_be_returned_and_never_conflicts() {
    for returned in ["returned", "returned_settled"] {
        let [settled, returned] =
            ["settled", returned].map(|word| statement(&bank(&json!({ "payment_status": word }))));
        for [first, second] in [[&settled, &returned], [&returned, &settled]] {
            let known = fold(Resource::unknown(first.resource.clone()), first.clone()).into_resource();
            let view = fold(known, second.clone()).into_resource().view().expect("a view");
            assert_eq!(view.status.map(|status| status.to_string()).as_deref(), Some("returned"));
            assert!(view.conflict.is_none());
        }
    }
}

#[test]
fn the_parts_of_a_payment_to_a_chain_have_their_fields() {
    let details = transfer_of(statement(&payout(&json!({}))));
    assert_eq!(details.total.expect("a total").value.to_string(), "200");
    assert_eq!(details.quantity.expect("an amount").value.to_string(), "197.25");
    assert_eq!(details.fee.expect("a fee").quantity.value.to_string(), "1.25");
    assert_eq!((details.account.as_deref(), details.reference_id.as_deref()), (Some("CUST01"), Some("r-1")));
    assert_eq!(
        (details.asset.as_deref(), details.network.map(|on| on.slug().to_owned())),
        (Some("USDC"), Some("base".to_owned()))
    );
    assert_eq!(details.related.iter().map(ToString::to_string).collect::<Vec<_>>(), ["external_account#zerohash#x-1"]);
    assert_eq!(details.provider_data["obo_participant"], json!({ "participant_code": "CUST02", "account_group": "G" }));
    assert_eq!(details.provider_data["payment_details"]["withdrawal_fee_notional"], json!("1.50"));
    assert_eq!(read(None, &payout(&json!({}))).len(), 1, "a payout returns nothing unexpected");
}

#[test]
fn the_parts_of_a_payment_by_a_bank_have_their_fields() {
    for (kind, side) in [("credit", Some("credit")), ("debit", Some("debit")), ("transfer", None)] {
        let changes = json!({ "type": kind, "reason_code": "R10", "reason_description": "not authorized", "payment_status": "returned" });
        let statement = statement(&bank(&changes));
        assert_eq!(statement.content.occurred_at.to_string(), "2024-09-26T13:05:22.657Z");
        let details = transfer_of(statement);
        assert_eq!(serde_json::to_value(details.side).expect("JSON"), json!(side));
        assert_eq!((details.asset.as_deref(), details.account.as_deref()), (Some("USD"), Some("CUST01")));
        assert_eq!(details.status_reason.as_deref(), Some("not authorized"));
        assert_eq!(details.status_reason_code.as_deref(), Some("R10"));
        assert_eq!(details.quantity.expect("an amount").value.to_string(), "100");
        assert_eq!(details.provider_data["expected_settlement_date"], json!("2024-09-30"));
    }
    let drawn = statements(&envelope(None, bank(&json!({ "type": "DEBIT" })).to_string().as_bytes())).remove(0);
    assert_eq!(transfer_of(drawn).side, Some(Side::Debit), "in any case");
}

#[test]
fn the_account_of_a_payment_is_its_own_or_that_of_whom_it_is_for() {
    for (own, other, expected) in [
        (json!("CUST01"), json!({ "participant_code": "CUST02" }), Some("CUST01")),
        (json!(""), json!({ "participant_code": "CUST02" }), Some("CUST02")),
        (json!(null), json!({ "participant_code": "CUST02" }), Some("CUST02")),
        (json!(null), json!({}), None),
        (json!(null), json!("CUST02"), None),
        // A code that cannot be read is not replaced by another one.
        (json!(["CUST01", "CUST03"]), json!({ "participant_code": "CUST02" }), None),
    ] {
        for body in [payout(&json!({})), bank(&json!({}))] {
            let mut body = body;
            body["participant_code"] = own.clone();
            body["obo_participant"] = other.clone();
            assert_eq!(transfer_of(statement(&body)).account.as_deref(), expected, "{own} {other}");
        }
    }
}

#[test]
fn a_payment_is_no_external_account_whatever_the_unsigned_header_says() {
    for word in ["submitted", "failed", "pending", "rejected"] {
        for header in ["external_account_status_changed", "participant_status_changed", "deposit_failed", "a.new.type"]
        {
            let statement = read(Some(header), &payout(&json!({ "status": word }))).remove(0);
            assert_eq!(statement.resource.to_string(), "withdrawal#zerohash#p-1", "{word} as {header}");
        }
    }
}

fn deposit(changes: &Value) -> Value {
    let body = json!({
        "deposit_id": "d-1", "participant_code": "CUST01", "transaction_hash": "0x1", "state": "completed",
        "asset": "USDC.BASE", "amount": "75", "timestamp": 1_750_755_847,
    });
    changed(body, changes)
}

#[test]
fn every_state_of_a_deposit_has_its_outcome_in_any_case() {
    for (state, expected) in [
        ("initial", "pending".to_owned()),
        ("pending", "pending".to_owned()),
        ("confirmed", "submitted".to_owned()),
        ("pending_compliance_review", format!("held: {}", HoldReason::ComplianceReview)),
        ("pending_approval", format!("held: {}", HoldReason::ApprovalPending)),
        ("pending_settlement", format!("held: {}", HoldReason::SettlementPending)),
        ("quarantined", format!("held: {}", HoldReason::Quarantined)),
        ("completed", "confirmed".to_owned()),
        ("credited", "confirmed".to_owned()),
        ("recovery_quarantine", "unexpected".to_owned()),
        ("released", format!("held: {}", HoldReason::StatusUnknown)),
        ("not completed", format!("held: {}", HoldReason::StatusUnknown)),
        ("completed.", format!("held: {}", HoldReason::StatusUnknown)),
    ] {
        for spelled in [state.to_owned(), state.to_uppercase(), format!(" {state}\n")] {
            let statement = statement(&deposit(&json!({ "state": spelled })));
            assert_eq!(outcome(&statement), expected, "{spelled:?}");
            assert_eq!(transfer_of(statement).provider_status.as_deref(), Some(spelled.trim()));
        }
    }
    for state in
        [json!(""), json!(7), json!(true), json!(["completed", "quarantined"]), json!({}), json!("x".repeat(2000))]
    {
        assert_eq!(outcome(&statement(&deposit(&json!({ "state": state })))), "held: status_unknown", "{state:.60}");
    }
}

#[test]
fn a_completed_deposit_credits_what_arrived_or_is_held_with_the_reason() {
    for (changes, expected) in [
        (json!({}), "75 USDC"),
        (json!({ "amount": 75.50 }), "75.5 USDC"),
        (json!({ "amount": "7.5e1" }), "75 USDC"),
        (json!({ "amount": "0" }), "held: amount_not_positive"),
        (json!({ "amount": "-75" }), "held: amount_not_positive"),
        (json!({ "amount": "" }), "held: amount_missing"),
        (json!({ "amount": "75 USDC" }), "held: amount_missing"),
        (json!({ "asset": "" }), "held: amount_missing"),
        (json!({ "participant_code": "" }), "held: account_unknown"),
        (json!({ "account_id": "", "transaction_hash": [], "source_address": 7, "timestamp": "noon" }), "75 USDC"),
    ] {
        let statement = statement(&deposit(&changes));
        assert_eq!(credit_of(&statement), expected, "{changes}");
        assert!(matches!(statement.content.details, Details::Transfer(_)));
    }
}
