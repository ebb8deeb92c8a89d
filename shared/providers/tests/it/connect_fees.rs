//! The credits of Connect's deposits: fees of every form that Connect might send, and what the transaction moved.

use fundhook_domain::Statement;
use serde_json::{Value, json};

use crate::support::statements::{credit_of, dropped, only_statement, statements, transfer_of};
use crate::support::{changed, envelope};

/// A confirmed deposit of 100 USDC whose object has `changes`.
fn deposit(changes: &Value) -> Value {
    let deposit = json!({
        "id": "1",
        "amount": "100",
        "asset": "USDC",
        "network": "base",
        "transaction": { "hash": "0x1", "to": "0x2", "value": "100" },
    });
    json!({
        "event": "connect.deposits.confirmed",
        "deposit": changed(deposit, changes),
        "account": { "reference_id": "abc123" },
    })
}

fn statement(body: &Value) -> Statement {
    only_statement(&envelope(body.to_string().as_bytes()))
}

/// The credit of a deposit with `fees` of which the transaction moved `value`; every value stays in the provider's
/// data.
fn credit(fees: &Value, value: &Value) -> String {
    let mut body = deposit(&json!({}));
    body["deposit"]["fees"] = fees.clone();
    body["deposit"]["transaction"]["value"] = value.clone();
    let statement = statement(&body);
    assert_eq!(dropped(&body, std::slice::from_ref(&statement)), Vec::<String>::new(), "{fees}");
    assert_eq!(transfer_of(statement.clone()).provider_data["deposit"]["fees"], *fees);
    credit_of(&statement)
}

fn fee(amount: &str, model: &str) -> Value {
    json!({ "amount": amount, "asset": "USDC", "payment_model": model })
}

const NETTED: &str = "99 USDC of 100, connect_fee 1 customer";
const NETTED_BEFORE: &str = "100 USDC of 101, connect_fee 1 customer";

#[test]
fn what_the_transaction_moved_tells_whether_a_netted_fee_is_still_part_of_the_amount() {
    for (value, netted, additive) in [
        (json!("100"), NETTED, NETTED_BEFORE),
        (json!(100), NETTED, NETTED_BEFORE),
        (json!("1e2"), NETTED, NETTED_BEFORE),
        (json!("101"), NETTED_BEFORE, NETTED_BEFORE),
        // Not stated: the fee is taken from the amount, as the word says.
        (json!(null), NETTED, NETTED_BEFORE),
        (json!(""), NETTED, NETTED_BEFORE),
        (json!("0"), NETTED, NETTED_BEFORE),
        (json!("unknown"), NETTED, NETTED_BEFORE),
        // In the chain's smallest units.
        (json!("100000000"), NETTED, NETTED_BEFORE),
        (json!("101000000"), NETTED_BEFORE, NETTED_BEFORE),
        (json!("100000000000000000000"), NETTED, NETTED_BEFORE),
        (json!("101000000000000000000"), NETTED_BEFORE, NETTED_BEFORE),
        // Contradictory.
        (json!("99"), "held: amounts_disagree", "held: amounts_disagree"),
        (json!("102"), "held: amounts_disagree", "held: amounts_disagree"),
        (json!("100.000001"), "held: amounts_disagree", "held: amounts_disagree"),
        (json!("-100"), "held: amounts_disagree", "held: amounts_disagree"),
        // An amount that is wrong by a power of ten is not in another unit.
        (json!("1000"), "held: amounts_disagree", "held: amounts_disagree"),
        (json!("10000"), "held: amounts_disagree", "held: amounts_disagree"),
        (json!("10000000"), "held: amounts_disagree", "held: amounts_disagree"),
        (json!("10"), "held: amounts_disagree", "held: amounts_disagree"),
        (json!("0.0001"), "held: amounts_disagree", "held: amounts_disagree"),
    ] {
        assert_eq!(credit(&fee("1", "NETTED"), &value), netted, "NETTED, {value}");
        assert_eq!(credit(&fee("1", "ADDITIVE"), &value), additive, "ADDITIVE, {value}");
    }
}

#[test]
fn without_fees_the_amount_is_credited_if_the_transaction_moved_it() {
    let nothing = [json!(null), json!(""), json!([]), json!({})];
    let unfilled = json!({ "amount": "", "asset": null, "payment_model": " " });
    let empty = [unfilled.clone(), json!([unfilled, unfilled])];
    let zero = [
        fee("0", "NETTED"),
        fee("0.00", ""),
        fee("0", "SHARED"),
        json!([fee("0", "NETTED")]),
        json!({ "amount": 0, "asset": "POL" }),
    ];
    for fees in [nothing.as_slice(), &empty, &zero].concat() {
        for (value, expected) in [
            (json!("100"), "100 USDC"),
            (json!("0"), "100 USDC"),
            (json!("100000000"), "100 USDC"),
            (json!("101"), "held: amounts_disagree"),
            (json!("1000"), "held: amounts_disagree"),
        ] {
            if fees.is_null() {
                let without = deposit(&json!({ "transaction": { "hash": "0x1", "value": value } }));
                assert_eq!(credit_of(&statement(&without)), expected, "no fees, {value}");
            }
            assert_eq!(credit(&fees, &value), expected, "{fees}, {value}");
        }
    }
}

#[test]
fn fees_are_read_as_an_object_a_list_and_an_object_of_objects() {
    let (network, platform) = (fee("1", "NETTED"), fee("2", "ADDITIVE"));
    let named = json!({ "amount": "1", "asset": "USDC", "payment_model": "NETTED", "kind": "network_fee" });
    for (fees, expected) in [
        (network.clone(), NETTED),
        (json!([network]), NETTED),
        (json!({ "network": network }), "99 USDC of 100, network 1 customer"),
        (json!([named]), "99 USDC of 100, network_fee 1 customer"),
        (json!([network, platform]), "99 USDC of 102, connect_fee 1 customer, connect_fee 2 customer"),
        (
            json!({ "network": network, "platform": platform }),
            "99 USDC of 102, network 1 customer, platform 2 customer",
        ),
        (json!([network, fee("0.5", "NETTED")]), "98.5 USDC of 100, connect_fee 1 customer, connect_fee 0.5 customer"),
        (json!([network, fee("0", "")]), NETTED),
    ] {
        assert_eq!(credit(&fees, &json!("100")), expected, "{fees}");
    }
}

#[test]
fn every_likely_name_and_form_of_a_fee_is_read() {
    for amount in ["amount", "fee_amount", "value", "fee_value", "quantity", "fee"] {
        for asset in ["asset", "fee_asset", "currency", "symbol"] {
            for model in ["payment_model", "fee_payment_model", "model", "fee_model", "type"] {
                let fees = json!({ amount: "1", asset: "usdc", model: "netted" });
                assert_eq!(credit(&fees, &json!("101")), NETTED_BEFORE, "{fees}");
            }
        }
    }
    for amount in [json!(1), json!("1.00"), json!(" 1 "), json!("1e0"), json!("0.1E1")] {
        let fees = json!({ "amount": amount, "payment_model": " NETTED " });
        assert_eq!(credit(&fees, &json!("100")), NETTED, "without an asset, the deposit's: {fees}");
    }
}

#[test]
fn fees_that_cannot_be_read_hold_the_deposit() {
    for fees in [
        json!("1"),
        json!(1),
        json!(true),
        json!(["1"]),
        json!([[]]),
        json!([{}]),
        json!([fee("1", "NETTED"), "1"]),
        json!({ "network": {} }),
        json!({ "network": fee("1", "NETTED"), "total": "1" }),
        json!({ "total": "1", "payment_model": "NETTED" }),
        fee("", "NETTED"),
        fee("abc", "NETTED"),
        fee("-1", "NETTED"),
        fee("1", ""),
        fee("1", "SHARED"),
        fee("1", "NETTED, ADDITIVE"),
        json!({ "amount": "1", "asset": "USDC" }),
        json!({ "amount": ["1", "2"], "payment_model": "NETTED" }),
        json!({ "amount": "1", "payment_model": ["NETTED", "ADDITIVE"] }),
        json!({ "amount": "1", "fee_amount": "2", "payment_model": "NETTED" }),
        json!({ "amount": "abc", "fee_amount": "2", "payment_model": "NETTED" }),
        json!({ "amount": "1", "payment_model": "NETTED", "model": "ADDITIVE" }),
    ] {
        assert_eq!(credit(&fees, &json!("100")), "held: fees_unreadable", "{fees}");
    }
}

#[test]
fn a_fee_in_another_asset_holds_the_deposit_and_the_hold_names_both() {
    for model in ["NETTED", "ADDITIVE"] {
        let fees = json!({ "amount": "0.01", "asset": "POL", "payment_model": model });
        assert_eq!(credit(&fees, &json!("100")), "held: amounts_disagree", "{model}");
        let hold = transfer_of(statement(&deposit(&json!({ "fees": fees })))).hold.expect("a hold");
        assert!(
            hold.explanation.starts_with("There is a fee of 0.01 POL for a deposit in USDC"),
            "{}",
            hold.explanation
        );
    }
}

#[test]
fn netted_and_additive_fees_at_once_are_told_apart_by_what_was_moved() {
    let fees = |netted: &str, additive: &str| json!([fee(netted, "NETTED"), fee(additive, "ADDITIVE")]);
    let parts = "connect_fee 1 customer, connect_fee 2 customer";
    for (value, expected) in [
        ("100", format!("99 USDC of 102, {parts}")),
        ("102", format!("99 USDC of 102, {parts}")),
        ("101", format!("100 USDC of 103, {parts}")),
        ("103", format!("100 USDC of 103, {parts}")),
        ("104", "held: amounts_disagree".to_owned()),
    ] {
        assert_eq!(credit(&fees("1", "2"), &json!(value)), expected, "{value}");
    }
    // 101 is the amount with the one fee or with the other.
    assert_eq!(credit(&fees("1", "1"), &json!("101")), "held: amounts_disagree");
    // 1000 is the amount and the fee; in units, it would be the amount alone.
    let large = json!({ "amount": "0.001", "fees": fee("999.999", "NETTED"), "transaction": { "value": "1000" } });
    assert_eq!(credit_of(&statement(&deposit(&large))), "0.001 USDC of 1000, connect_fee 999.999 customer");
}

#[test]
fn fees_of_all_that_arrived_hold_the_deposit() {
    for (amount, expected) in [
        ("99.999999", "0.000001 USDC of 100, connect_fee 99.999999 customer"),
        ("100", "held: amount_not_positive"),
        ("100.5", "held: amount_not_positive"),
    ] {
        assert_eq!(credit(&fee(amount, "NETTED"), &json!("100")), expected, "{amount}");
    }
}

#[test]
fn fees_beside_the_deposit_count_too_and_must_not_differ_from_those_in_it() {
    for (inside, beside, expected) in [
        (json!(null), fee("1", "NETTED"), NETTED),
        (json!({}), fee("1", "NETTED"), NETTED),
        (fee("0", ""), fee("1", "NETTED"), NETTED),
        (fee("1", "NETTED"), json!([]), NETTED),
        (fee("1", "NETTED"), fee("1.0", "NETTED"), NETTED),
        (fee("1", "NETTED"), json!([fee("1", "NETTED")]), NETTED),
        (fee("1", "NETTED"), fee("2", "NETTED"), "held: fees_unreadable"),
        (fee("1", "NETTED"), fee("1", "ADDITIVE"), "held: fees_unreadable"),
        (fee("1", "NETTED"), json!("x"), "held: fees_unreadable"),
        (json!(null), json!("x"), "held: fees_unreadable"),
    ] {
        let mut body = deposit(&json!({}));
        body["deposit"]["fees"] = inside.clone();
        body["fees"] = beside.clone();
        assert_eq!(credit_of(&statement(&body)), expected, "{inside} and {beside}");
    }
}

#[test]
fn what_is_missing_or_not_positive_holds_with_the_reason() {
    for (changes, expected) in [
        (json!({ "amount": "0", "transaction": null }), "held: amount_not_positive"),
        (json!({ "amount": "-100", "transaction": null }), "held: amount_not_positive"),
        (json!({ "amount": null }), "held: amount_missing"),
        (json!({ "amount": "much" }), "held: amount_missing"),
        (json!({ "amount": ["100", "101"] }), "held: amount_missing"),
        (json!({ "asset": null }), "held: amount_missing"),
        (json!({ "asset": ["USDC", "USDT"] }), "held: amount_missing"),
        (json!({ "amount": "1e2" }), "100 USDC"),
        (json!({ "amount": "00100.00" }), "100 USDC"),
        (json!({ "amount": "100.0000000000000000001", "transaction": null }), "100.0000000000000000001 USDC"),
        (json!({ "network": null, "source": "x", "transaction": "none" }), "100 USDC"),
    ] {
        assert_eq!(credit_of(&statement(&deposit(&changes))), expected, "{changes}");
    }
    for (account, expected) in [
        (json!({ "reference_id": "abc123" }), "100 USDC"),
        (json!({ "reference_id": " abc123 " }), "100 USDC"),
        (json!({ "reference_id": 7 }), "100 USDC"),
        (json!({ "reference_id": "" }), "held: account_unknown"),
        (json!({ "reference_id": ["a", "b"] }), "held: account_unknown"),
        (json!({ "reference_id": "a\u{fffd}" }), "held: account_unknown"),
        (json!({}), "held: account_unknown"),
        (json!("abc123"), "held: account_unknown"),
        (json!(null), "held: account_unknown"),
    ] {
        let mut body = deposit(&json!({}));
        body["account"] = account.clone();
        assert_eq!(credit_of(&statement(&body)), expected, "{account}");
    }
}

#[test]
fn only_a_confirmed_deposit_has_a_credit_and_a_withdrawals_fees_are_carried() {
    let fees = fee("1", "NETTED");
    for event in
        ["deposits.pending", "deposits.submitted", "deposits.abandoned", "deposits.failed", "deposits.unexpected"]
    {
        let body = changed(deposit(&json!({ "fees": fees })), &json!({ "event": format!("connect.{event}") }));
        let details = transfer_of(statements(&envelope(body.to_string().as_bytes())).remove(0));
        assert_eq!((details.credit, details.hold), (None, None), "{event}");
    }
    let body = changed(deposit(&json!({ "fees": fees })), &json!({ "event": "connect.withdrawal.confirmed" }));
    let details = transfer_of(statement(&body));
    assert_eq!((details.credit, details.fee, &details.provider_data["deposit"]["fees"]), (None, None, &fees));
}
