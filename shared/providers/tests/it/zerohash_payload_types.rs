//! How the sort of a zerohash webhook is determined: the header names it and is not signed; the body has a form and no
//! name.

use fundhook_domain::{Details, Feed, Provider};
use fundhook_providers::Envelope;
use serde_json::{Value, json};

use crate::support::samples::Sample;
use crate::support::statements::{reason, statements};
use crate::support::zerohash::envelope;
use crate::support::{changed, envelope_of};

/// A body of each sort, with only the members that are required and distinguish it from the others.
fn bodies() -> [(&'static str, Value); 9] {
    [
        ("deposit_fund_complete", json!({ "fund_id": "1", "success": true })),
        (
            "payment_status_changed",
            json!({
                "payment_type": "auth_withdrawal",
                "status": "settled",
                "payment_details": { "withdrawal_request_id": "1" },
            }),
        ),
        ("payment_status_changed", json!({ "payment_status": "posted", "transaction_id": "1" })),
        ("deposit.status_changed", json!({ "deposit_id": "1", "state": "completed" })),
        ("account_balance.changed", json!({ "participant_code": "1", "asset": "BTC", "balance": "1" })),
        (
            "external_account_status_changed",
            json!({ "external_account_id": "1", "external_account_status": "approved" }),
        ),
        ("participant_status_changed", json!({ "participant_code": "1", "participant_status": "approved" })),
        ("participant_updated", json!({ "participant_code": "1", "edd_required": false })),
        (
            "deposit_failed",
            json!({
                "participant_code": "1", "asset": "BTC", "quantity": "1", "transaction_id": "0x1", "success": false,
            }),
        ),
    ]
}

/// The payload type that `body` is recognized as with the header `payload_type`; `None` if it is not recognized.
fn understood(payload_type: Option<&str>, body: &Value) -> Option<String> {
    let statements = statements(&envelope(payload_type, body.to_string().as_bytes()));
    let first = statements.first().expect("there is always one");
    (!matches!(first.content.details, Details::Unrecognized(_))).then(|| first.content.event_type.clone())
}

fn why_not(payload_type: Option<&str>, body: &Value) -> String {
    reason(&envelope(payload_type, body.to_string().as_bytes()))
}

#[test]
fn a_payload_type_is_recognized_with_dots_or_underscores_and_in_any_case() {
    let body = |name: &str| bodies().into_iter().find(|(sort, _)| *sort == name).expect(name).1;
    for (header, sort) in [
        ("deposit_fund_complete", "deposit_fund_complete"),
        ("deposit.fund.complete", "deposit_fund_complete"),
        ("payment_status_changed", "payment_status_changed"),
        ("payment.status_changed", "payment_status_changed"),
        ("deposit.status_changed", "deposit.status_changed"),
        ("deposit_status_changed", "deposit.status_changed"),
        ("account_balance.changed", "account_balance.changed"),
        ("account_balance_changed", "account_balance.changed"),
        ("external_account_status_changed", "external_account_status_changed"),
        ("external_account.status_changed", "external_account_status_changed"),
        ("participant_status_changed", "participant_status_changed"),
        ("participant.status_changed", "participant_status_changed"),
        ("participant.updated", "participant_updated"),
        ("participant_updated", "participant_updated"),
        ("participant_updated", "participant_status_changed"),
        ("DEPOSIT_FAILED", "deposit_failed"),
        ("deposit.failed", "deposit_failed"),
    ] {
        for header in [header.to_owned(), header.to_uppercase()] {
            let found = understood(Some(&header), &body(sort));
            // Every spelling gives events the same name, and so a fact the same id.
            assert_eq!(found.as_deref(), Some(sort), "{header}");
        }
    }
}

#[test]
fn without_a_known_header_the_form_of_the_body_decides() {
    for (sort, body) in bodies() {
        for header in [None, Some(""), Some("a.new.type"), Some("deposits"), Some("x".repeat(300).as_str())] {
            assert_eq!(understood(header, &body).as_deref(), Some(sort), "{header:?}");
        }
    }
}

#[test]
fn a_header_that_the_body_does_not_fit_is_ignored() {
    for (sort, body) in bodies() {
        for (other, _) in bodies() {
            assert_eq!(understood(Some(other), &body).as_deref(), Some(sort), "{sort} under the header of {other}");
        }
    }
}

#[test]
fn a_header_selects_among_the_sorts_that_a_body_fits() {
    let [(fund, fund_body), _, _, (deposit, deposit_body), ..] = bodies();
    let both = changed(fund_body, &deposit_body);
    assert_eq!(understood(Some(fund), &both).as_deref(), Some(fund));
    assert_eq!(understood(Some(deposit), &both).as_deref(), Some(deposit));
    assert_eq!(understood(None, &both).as_deref(), Some(fund), "the most specific form");
}

#[test]
fn an_unsupported_payload_type_is_unrecognized_whatever_its_body() {
    for header in [
        "asset_mover_update",
        "asset_mover.update",
        "crypto_pay_status_changed",
        "trade.status_changed",
        "trade_status_changed",
        "TRADE.STATUS_CHANGED",
        "asset_mover_updated",
    ] {
        for (_, body) in bodies() {
            let why = why_not(Some(header), &body);
            assert!(why.contains("is not supported") && why.contains(header), "{why}");
        }
    }
}

#[test]
fn the_reason_names_the_header_or_the_body() {
    let body = json!({ "participant_code": "CUST01", "change": "address" });
    for (header, why) in [
        (None, "no header names a payload type, and the body has the members of no known one"),
        (Some("a.new.type"), "the payload type \"a.new.type\" is not supported"),
        (Some("trade_status_changed"), "the payload type \"trade_status_changed\" is not supported"),
        (Some("participant_updated"), "the body does not have the members of the payload type \"participant_updated\""),
    ] {
        assert_eq!(why_not(header, &body), why);
    }
}

#[test]
fn each_sort_requires_the_members_that_distinguish_it() {
    for (sort, body) in bodies() {
        for member in body.as_object().expect("an object").keys() {
            // These members are checked later and have reasons of their own, or one of them suffices.
            if ["payment_details", "payment_type", "quantity"].contains(&member.as_str()) && sort != "deposit_failed" {
                continue;
            }
            let less = changed(body.clone(), &json!({ member: null }));
            let why = why_not(None, &less);
            assert!(why.contains("has the members of no known one"), "{sort} without {member}: {why}");
        }
    }
    let [_, (_, payment), ..] = bodies();
    let why = why_not(None, &changed(payment, &json!({ "payment_type": null, "payment_details": null })));
    assert!(why.contains("has the members of no known one"), "{why}");
}

#[test]
fn every_recognized_sample_has_the_same_statements_without_its_header() {
    for sample in Sample::of(Provider::Zerohash) {
        let read =
            |payload_type| -> Envelope { envelope_of(&Feed::from(Provider::Zerohash), payload_type, &sample.body) };
        let (with, without) = (statements(&read(sample.payload_type())), statements(&read(None)));
        let facts = |statements: &[fundhook_domain::Statement]| -> Vec<String> {
            statements.iter().map(|statement| format!("{} {}", statement.resource, statement.content.id)).collect()
        };
        assert_eq!(facts(&with), facts(&without), "{}", sample.name);
    }
}
