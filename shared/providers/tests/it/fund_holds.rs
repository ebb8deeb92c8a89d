//! When a fund transaction is held: fees, amounts and accounts that are missing or cannot be read, and what a hold
//! says.

use fundhook_domain::{HoldReason, Location, Needs};
use serde_json::{Value, json};

use crate::support::funds::{assert_credits, fund, statement};
use crate::support::statements::{credit_of, transfer_of};

#[test]
fn a_fee_that_cannot_be_read_holds_and_an_empty_one_is_none() {
    for member in ["deposit_fee_notional", "actual_fee_notional", "issuer_fee_amount"] {
        for fee in [
            json!("-5"),
            json!(-5),
            json!("abc"),
            json!("5 USD"),
            json!("5,00"),
            json!(true),
            json!(["5", "6"]),
            json!({}),
        ] {
            assert_credits("unreadable", &json!({ member: fee }), ["held: fees_unreadable"; 3]);
            let hold = transfer_of(statement(&fund(&json!({ member: fee })), None)).hold.expect("a hold");
            let name = member.rsplit_once('_').map_or(member, |(name, _)| name);
            assert!(
                hold.explanation.contains(name) || hold.explanation.contains("deposit_fee"),
                "{}",
                hold.explanation
            );
        }
        for fee in [json!(""), json!(" "), json!("0"), json!(0), json!("0.00"), json!("0e5"), json!("-0")] {
            assert_credits("none", &json!({ member: fee }), ["500 USD"; 3]);
        }
        let mut null = fund(&json!({}));
        null[member] = Value::Null;
        assert_eq!(credit_of(&statement(&null, None)), "500 USD");
    }
}

#[test]
fn without_a_rate_a_deposit_is_credited_if_it_has_no_fee() {
    for rate in [json!(null), json!(""), json!("abc"), json!(["1", "2"]), json!({ "value": "1" }), json!(true)] {
        assert_credits("no fee", &json!({ "rate": rate }), ["500 USD"; 3]);
        let fee = json!({ "rate": rate, "deposit_fee_notional": "5" });
        assert_credits("a fee", &fee, ["held: amount_missing"; 3]);
        let hold = transfer_of(statement(&fund(&fee), None)).hold.expect("a hold");
        assert_eq!(hold.explanation, "The webhook does not state `rate`, or not as a number.");
    }
    let with = transfer_of(statement(&fund(&json!({})), None)).credit.expect("a credit").conversion.expect("a rate");
    assert_eq!((with.from.value.to_string(), with.from.asset.as_str()), ("500".to_owned(), "USDC"));
    assert_eq!((with.to.value.to_string(), with.to.asset.as_str()), ("500".to_owned(), "USD"));
    assert_eq!(transfer_of(statement(&fund(&json!({ "rate": "" })), None)).credit.expect("a credit").conversion, None);
}

#[test]
fn what_is_missing_or_not_positive_holds_with_the_reason() {
    for (changes, expected) in [
        (json!({ "quantity": "0" }), "held: amount_not_positive"),
        (json!({ "quantity": 0 }), "held: amount_not_positive"),
        (json!({ "quantity": "-5" }), "held: amount_not_positive"),
        (json!({ "quantity": -5 }), "held: amount_not_positive"),
        (json!({ "quantity": "-5", "notional": "-5" }), "held: amount_not_positive"),
        (json!({ "quantity": "-5e-9", "rate": "" }), "held: amount_not_positive"),
        (json!({ "quantity": null }), "held: amount_missing"),
        (json!({ "quantity": "" }), "held: amount_missing"),
        (json!({ "quantity": "many" }), "held: amount_missing"),
        (json!({ "quantity": ["500", "600"] }), "held: amount_missing"),
        (json!({ "quantity": "1e1001" }), "held: amount_missing"),
        (json!({ "notional": null }), "held: amount_missing"),
        (json!({ "notional": "" }), "held: amount_missing"),
        (json!({ "notional": "0" }), "held: amount_not_positive"),
        (json!({ "notional": "-500" }), "held: amount_not_positive"),
        (json!({ "fund_asset": null }), "held: amount_missing"),
        (json!({ "fund_asset": ["USDC", "BTC"] }), "held: amount_missing"),
        (json!({ "quoted_currency": null }), "held: amount_missing"),
        (json!({ "quoted_currency": ["USD", "EUR"] }), "held: amount_missing"),
        (json!({ "participant_code": null }), "held: account_unknown"),
        (json!({ "participant_code": "" }), "held: account_unknown"),
        (json!({ "participant_code": ["CUST01", "CUST02"] }), "held: account_unknown"),
        (json!({ "participant_code": "x".repeat(2000) }), "held: account_unknown"),
        (json!({ "participant_code": "CUST\u{fffd}" }), "held: account_unknown"),
        (json!({ "success": null }), "held: status_unknown"),
        (json!({ "success": "perhaps" }), "held: status_unknown"),
    ] {
        assert_credits("missing or not positive", &changes, [expected; 3]);
    }
    let gross = |fee: &str| json!({ "deposit_fee_notional": fee });
    for fee in ["500", "600"] {
        let platform = format!("500 USD of 500, deposit_fee {fee} platform, by setting");
        assert_credits(
            "a fee of all",
            &gross(fee),
            ["held: fee_bearer_unknown", "held: amount_not_positive", &platform],
        );
    }
}

#[test]
fn a_hold_says_why_who_must_act_and_where_the_money_is() {
    let set = "There is a fee of 5 USD, and the numbers do not tell whether the customer or the platform bears it. \
               Set FUNDHOOK_DEPOSIT_FEES_BORNE_BY to customer or platform.";
    let disagree = "500 USDC at the rate 1 are 500 USD, but `notional` is 400 USD, and there is a fee of 5 USD.";
    for (changes, reason, needs, location, explanation) in [
        (json!({ "deposit_fee_notional": "5.00" }), HoldReason::FeeBearerUnknown, Needs::Setting, None, set),
        (
            json!({ "deposit_fee_notional": "5", "notional": "400" }),
            HoldReason::AmountsDisagree,
            Needs::Review,
            None,
            disagree,
        ),
        (json!({ "quantity": "-5" }), HoldReason::AmountNotPositive, Needs::Review, None, "The amount is -5 USDC."),
        (
            json!({ "notional": "0" }),
            HoldReason::AmountNotPositive,
            Needs::Review,
            None,
            "The converted amount is 0 USD.",
        ),
        (
            json!({ "quoted_currency": "" }),
            HoldReason::AmountMissing,
            Needs::Review,
            None,
            "The webhook does not state `quoted_currency`, or not as a text.",
        ),
        (
            json!({ "participant_code": "" }),
            HoldReason::AccountUnknown,
            Needs::Review,
            None,
            "The webhook does not state the customer's account.",
        ),
        (
            json!({ "status_reason": "deposit above maximum threshold" }),
            HoldReason::NotConverted,
            Needs::Review,
            Some(Location::CustomerAccount),
            "The crypto is in the customer's account as it arrived; it was not converted.",
        ),
        (
            json!({ "status_reason_code": "NEW" }),
            HoldReason::UnknownReason,
            Needs::Review,
            None,
            "The meaning of the code \"NEW\" is not known. FUNDHOOK_ZEROHASH_REASON_CODES can state it.",
        ),
    ] {
        let hold = transfer_of(statement(&fund(&changes), None)).hold.expect("a hold");
        assert_eq!((hold.reason, hold.needs, hold.location), (reason, needs, location), "{changes}");
        assert_eq!(hold.explanation, explanation, "{changes}");
    }
}
