//! What zerohash's reasons for the status of a fund transaction mean, as tables.

use std::collections::BTreeMap;

use fundhook_domain::{HoldReason, Statement};
use fundhook_providers::{ReadingSettings, ReasonMeaning};
use serde_json::{Value, json};

use crate::support::statements::{outcome, statements_with, transfer_of};
use crate::support::{changed, zerohash};

fn fund(changes: &Value) -> Value {
    let body = json!({
        "fund_id": "f-1",
        "participant_code": "CUST01",
        "fund_asset": "USDC.ETH",
        "quoted_currency": "USD",
        "quantity": "100",
        "rate": "1",
        "notional": "100",
        "transaction_id": "0x1",
    });
    changed(body, changes)
}

fn read(body: &Value, settings: &ReadingSettings) -> Statement {
    statements_with(&zerohash::envelope(None, body.to_string().as_bytes()), settings).remove(0)
}

/// What `changes` mean with success, without it, and when neither is stated.
fn outcomes(changes: &Value) -> [String; 3] {
    [json!({ "success": true }), json!({ "success": false }), json!({})]
        .map(|success| outcome(&read(&changed(fund(changes), &success), &ReadingSettings::default())))
}

#[test]
fn each_documented_text_has_its_meaning_in_both_members_and_in_any_case() {
    let credited = ["confirmed", "held: unknown_reason", "held: status_unknown"];
    let expired = ["held: unknown_reason"; 3];
    let held = |reason: &'static str| [reason; 3];
    let not_converted = held("held: not_converted");
    for (text, expected) in [
        ("success", credited),
        ("Deposit processed", credited),
        ("Deposit processed.", credited),
        ("deposit session has expired.", expired),
        (
            "deposit above maximum threshold. The deposit has not been converted to fiat and the crypto has been \
             credited to the customer's account",
            not_converted,
        ),
        ("deposit below minimum threshold", not_converted),
        ("asset deposited is not supported by the fund workflow", not_converted),
        ("Asset deposited is not supported by your Platform. Contact support.", not_converted),
        ("deposit to an account associated with a platform not enabled for funding", not_converted),
        ("Your platform is no longer configured", not_converted),
        ("the customer was not in an approved state", not_converted),
        ("This participant is not in an approved state.", not_converted),
        ("USDC.ETH conversions are currently halted", not_converted),
        ("For Zero Hash Compliance reasons, we hold this deposit", held("held: compliance_review")),
        (
            "deposit received, however the Travel Rule-based account match has not completed",
            held("held: account_match_pending"),
        ),
        ("Travel Rule-based account match failed", held("held: account_match_failed")),
        ("pending settlement", held("held: settlement_pending")),
    ] {
        for spelled in [text.to_owned(), text.to_uppercase(), format!(" {text} "), text.replace(' ', "\n")] {
            for member in ["status_reason", "reason"] {
                assert_eq!(outcomes(&json!({ member: spelled })), expected.map(str::to_owned), "{member}: {spelled:?}");
            }
        }
    }
}

#[test]
fn a_text_that_is_not_documented_holds() {
    let long = format!("deposit above maximum threshold. {}", "x".repeat(5000));
    assert_eq!(outcomes(&json!({ "status_reason": long })), ["held: not_converted"; 3].map(str::to_owned));
    for text in [
        json!("success, reversed later"),
        json!("successful"),
        json!("deposit processed with exceptions"),
        json!("not success"),
        json!("deposit above maximum thresholds"),
        json!("a deposit above maximum threshold"),
        json!("all the USDC conversions are currently halted"),
        json!("deposit received, however the Travel Rule-based account match has not completed and was refused"),
        json!("travel rule"),
        json!("éxito"),
        json!("\u{fffd}"),
        json!("x".repeat(5000)),
        json!("success\u{0000}"),
        json!(7),
        json!(true),
        json!(["success", "success."]),
        json!(["", "deposit above maximum threshold"]),
        json!({ "code": "success" }),
        json!({}),
        json!([]),
    ] {
        for member in ["status_reason", "reason", "status_reason_code"] {
            let found = outcomes(&json!({ member: text }));
            assert_eq!(found, ["held: unknown_reason"; 3].map(str::to_owned), "{member}: {text:.80}");
            let kept =
                transfer_of(read(&changed(fund(&json!({})), &json!({ member: text })), &ReadingSettings::default()));
            let texts = json!([kept.status_reason, kept.status_reason_code, kept.provider_data.get(member)]);
            assert!(
                texts.as_array().expect("a list").iter().any(|one| *one == text || *one == json!(text.to_string()))
            );
        }
    }
}

#[test]
fn no_reason_leaves_it_to_success() {
    for changes in [
        json!({}),
        json!({ "status_reason": "" }),
        json!({ "status_reason": " ", "reason": "", "status_reason_code": "" }),
    ] {
        let expected = ["confirmed", "held: unknown_reason", "held: status_unknown"].map(str::to_owned);
        assert_eq!(outcomes(&changes), expected, "{changes}");
    }
}

#[test]
fn two_texts_count_if_they_tell_the_same() {
    let maximum = "deposit above maximum threshold";
    for (status_reason, reason, expected) in [
        ("success", "Deposit processed", "confirmed"),
        ("", "success", "confirmed"),
        ("success", maximum, "held: unknown_reason"),
        (maximum, "success", "held: unknown_reason"),
        (maximum, "deposit below minimum threshold", "held: not_converted"),
        (maximum, "For Zero Hash Compliance reasons", "held: unknown_reason"),
        ("success", "who knows", "held: unknown_reason"),
    ] {
        let found = outcomes(&json!({ "status_reason": status_reason, "reason": reason }));
        assert_eq!(found[0], expected, "{status_reason:?} and {reason:?}");
    }
}

#[test]
fn a_code_decides_before_a_text() {
    let maximum = "deposit above maximum threshold";
    for (code, text, expected) in [
        ("DEPOSIT_PROCESSED", "", "confirmed"),
        ("deposit_processed", "", "confirmed"),
        (" DEPOSIT_PROCESSED ", maximum, "confirmed"),
        ("AMOUNT_ABOVE_MAXIMUM", "", "held: not_converted"),
        ("AMOUNT_BELOW_MINIMUM", "success", "held: not_converted"),
        ("DEPOSIT_WINDOW_EXPIRED", "", "held: unknown_reason"),
        ("PROCESSING_FAILED", "", "held: unknown_reason"),
        ("PROCESSING_FAILED", "success", "held: unknown_reason"),
        ("PROCESSING_FAILED", "who knows", "held: unknown_reason"),
        ("PROCESSING_FAILED", maximum, "held: not_converted"),
        ("PROCESSING_FAILED", "For Zero Hash Compliance reasons", "held: compliance_review"),
        ("PROCESSING_FAILED", "USDC conversions are currently halted", "held: not_converted"),
        ("NEW_CODE", "", "held: unknown_reason"),
        ("NEW_CODE", "success", "held: unknown_reason"),
        ("DEPOSIT PROCESSED", "", "held: unknown_reason"),
    ] {
        let found = outcomes(&json!({ "status_reason_code": code, "status_reason": text }));
        assert_eq!(found[0], expected, "{code:?} and {text:?}");
    }
    let contradicted = outcomes(&json!({ "status_reason_code": "DEPOSIT_PROCESSED" }));
    assert_eq!(contradicted[1], "held: unknown_reason", "processed, and no success");
}

#[test]
fn a_session_has_expired_only_if_nothing_arrived() {
    let nothing = json!({ "quantity": "0", "transaction_id": "", "source_address": "-", "notional": "0" });
    let expired = json!({ "status_reason": "deposit session has expired." });
    let by_code = json!({ "status_reason_code": "DEPOSIT_WINDOW_EXPIRED" });
    for reason in [expired, by_code, json!({ "reason": "session expired" })] {
        for (what, changes, expected) in [
            ("nothing", json!({}), "abandoned"),
            ("no members", json!({ "quantity": null, "transaction_id": null }), "abandoned"),
            ("an amount", json!({ "quantity": "1" }), "held: unknown_reason"),
            ("a negative amount", json!({ "quantity": "-1" }), "held: unknown_reason"),
            ("an amount that cannot be read", json!({ "quantity": "some" }), "held: unknown_reason"),
            ("two amounts", json!({ "quantity": ["0", "1"] }), "held: unknown_reason"),
            ("a transaction", json!({ "transaction_id": "0x1" }), "held: unknown_reason"),
            ("a UUID", json!({ "transaction_id": "ec963207-69f4-44d0-9251-2977dda86fcd" }), "held: unknown_reason"),
        ] {
            let body = changed(changed(fund(&reason), &nothing), &changes);
            let found = [json!({ "success": false }), json!({})]
                .map(|success| outcome(&read(&changed(body.clone(), &success), &ReadingSettings::default())));
            assert_eq!(found, [expected; 2].map(str::to_owned), "{what}: {reason}");
            let succeeded = changed(body, &json!({ "success": true }));
            assert_eq!(outcome(&read(&succeeded, &ReadingSettings::default())), "held: unknown_reason", "{what}");
        }
    }
}

#[test]
fn the_setting_maps_codes_and_replaces_documented_ones() {
    let with = |code: &str, meaning| ReadingSettings {
        reason_codes: BTreeMap::from([(code.to_owned(), meaning)]),
        ..ReadingSettings::default()
    };
    let body = |code: &str, success: bool| fund(&json!({ "status_reason_code": code, "success": success }));
    for reason in HoldReason::ALL {
        for success in [true, false] {
            let found = read(&body("new_code", success), &with("NEW_CODE", ReasonMeaning::Held(reason)));
            assert_eq!(outcome(&found), format!("held: {reason}"), "{success}");
            let hold = transfer_of(found).hold.expect("a hold");
            assert_eq!((hold.reason, hold.needs), (reason, reason.needs()));
        }
    }
    for (settings, code, success, expected) in [
        (with("NEW_CODE", ReasonMeaning::Processed), "NEW_CODE", true, "confirmed"),
        (with("NEW_CODE", ReasonMeaning::Processed), "NEW_CODE", false, "held: unknown_reason"),
        (with("NEW_CODE", ReasonMeaning::Expired), "NEW_CODE", false, "held: unknown_reason"),
        (with("OTHER", ReasonMeaning::Processed), "NEW_CODE", true, "held: unknown_reason"),
        (
            with("PROCESSING_FAILED", ReasonMeaning::Held(HoldReason::Quarantined)),
            "PROCESSING_FAILED",
            true,
            "held: quarantined",
        ),
        (with("AMOUNT_ABOVE_MAXIMUM", ReasonMeaning::Processed), "AMOUNT_ABOVE_MAXIMUM", true, "confirmed"),
    ] {
        assert_eq!(outcome(&read(&body(code, success), &settings)), expected, "{code}, {success}");
    }
}
