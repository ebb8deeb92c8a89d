//! What a fund transaction credits: the arithmetic of quantity, rate, notional and fees, as tables.

use fundhook_domain::{DecimalValue, FeeBearer, Feed, ListKind, Provider, Resource, events_after, fold};
use fundhook_providers::{RawRow, listed};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::funds::{SETTINGS, assert_credits, fund, settings, statement};
use crate::support::statements::{credit_of, statements_with, transfer_of};
use crate::support::{SIGNED_AT, at};

#[test]
fn each_sample_of_the_providers_pages_has_its_credit() {
    let net = "495 USD of 500, deposit_fee 5 customer";
    for (page, changes, expected) in [
        (
            "[zerohash-fund-api], webhook: net",
            json!({ "notional": "495.00", "raw_fee_notional": "5.00", "deposit_fee_notional": "5.00", "deposit_fee_bps": "100" }),
            [net; 3],
        ),
        (
            "[zerohash-fund-api], the row of the same fund: gross",
            json!({ "raw_fee_notional": "5", "deposit_fee_notional": "5" }),
            [
                "held: fee_bearer_unknown",
                "495 USD of 500, deposit_fee 5 customer, by setting",
                "500 USD of 500, deposit_fee 5 platform, by setting",
            ],
        ),
        (
            "[zerohash-fund-sdk], webhook: a fee without an amount",
            json!({ "quantity": "7.47", "notional": "6.47", "deposit_fee_type": "flat" }),
            ["held: amounts_disagree"; 3],
        ),
        (
            "[zerohash-issuer-fees], webhook",
            json!({ "notional": "495", "issuer_fee_amount": "5", "issuer_fee_payor_type": "CUSTOMER" }),
            ["495 USD of 500, issuer_fee 5 customer"; 3],
        ),
        (
            "[zerohash-issuer-fees], row",
            json!({ "notional": "495", "issuer_fee_amount": "5", "issuer_fee_payor_type": "CUSTOMER", "actual_fee_notional": "0" }),
            ["495 USD of 500, issuer_fee 5 customer"; 3],
        ),
        (
            "[zerohash-limits], webhook: gross",
            json!({ "quantity": "5000", "notional": "5000", "raw_fee_notional": "15.00", "deposit_fee_notional": "15.00" }),
            [
                "held: fee_bearer_unknown",
                "4985 USD of 5000, deposit_fee 15 customer, by setting",
                "5000 USD of 5000, deposit_fee 15 platform, by setting",
            ],
        ),
    ] {
        assert_credits(page, &changes, expected);
    }
}

#[test]
fn a_row_and_the_webhook_of_the_same_fund_say_one_credit() {
    let webhook = fund(&json!({ "notional": "495.00", "deposit_fee_notional": "5.00" }));
    let row = fund(&json!({ "deposit_fee_notional": "5" })).to_string();
    for set in SETTINGS {
        let feed = Feed::from(Provider::Zerohash);
        let envelope = listed(RawRow {
            list: ListKind::ConnectTransactions,
            feed: &feed,
            json: row.clone(),
            url: "https://api.example/",
            read_at: at(SIGNED_AT),
        });
        let [sent, listed] = [statement(&webhook, set), statements_with(&envelope, &settings(set)).remove(0)];
        for [first, second] in [[&sent, &listed], [&listed, &sent]] {
            let unknown = Resource::unknown(sent.resource.clone());
            let known = fold(unknown, first.clone()).into_resource();
            let resource = fold(known, second.clone()).into_resource();
            let view = resource.view().expect("a view");
            assert!(view.is_confirmed_deposit(), "{set:?}: {:?}", view.conflicting());
            let last = events_after(&resource, 0).pop().expect("an event");
            let data = serde_json::to_value(&last.data).expect("JSON");
            assert_eq!(data["credit"]["net"], json!({ "value": "495", "asset": "USD" }), "{set:?}: {data}");
            assert_eq!(data["credit"]["gross"], json!({ "value": "500", "asset": "USD" }), "{set:?}");
        }
    }
}

#[test]
fn each_spelling_of_the_deposit_fee_is_one_fee_and_a_raw_fee_is_none() {
    let net = "495 USD of 500, deposit_fee 5 customer";
    for (changes, expected) in [
        (json!({ "notional": "495", "deposit_fee_notional": "5" }), net),
        (json!({ "notional": "495", "actual_fee_notional": "5" }), net),
        (json!({ "notional": "495", "deposit_fee_notional": "5.00", "actual_fee_notional": 5 }), net),
        (json!({ "notional": "495", "deposit_fee_notional": "", "actual_fee_notional": "5" }), net),
        (
            json!({ "notional": "495", "deposit_fee_notional": "5", "actual_fee_notional": "0" }),
            "held: fees_unreadable",
        ),
        (json!({ "deposit_fee_notional": "0", "actual_fee_notional": "0.00" }), "500 USD"),
        (json!({ "raw_fee_notional": "5" }), "500 USD"),
        (json!({ "raw_fee_notional": "5", "raw_fee_bps": "100", "deposit_fee_notional": "0" }), "500 USD"),
        (json!({ "notional": "495", "raw_fee_notional": "5" }), "held: amounts_disagree"),
        (json!({ "notional": "495", "raw_fee_notional": "6", "deposit_fee_notional": "5" }), net),
    ] {
        assert_credits("a spelling", &changes, [expected; 3]);
    }
}

#[test]
fn who_bears_an_issuer_fee_is_stated_or_follows_from_the_numbers() {
    let gross = |payor: &str| json!({ "issuer_fee_amount": "5", "issuer_fee_payor_type": payor });
    let net = |payor: &str| json!({ "issuer_fee_amount": "5", "issuer_fee_payor_type": payor, "notional": "495" });
    let (customer, platform) = ("495 USD of 500, issuer_fee 5 customer", "500 USD of 500, issuer_fee 5 platform");
    let open = [
        "held: fee_bearer_unknown",
        "495 USD of 500, issuer_fee 5 customer, by setting",
        "500 USD of 500, issuer_fee 5 platform, by setting",
    ];
    for (changes, expected) in [
        (gross("CUSTOMER"), [customer; 3]),
        (gross("customer"), [customer; 3]),
        (gross(" CUSTOMER "), [customer; 3]),
        (gross("ISSUER_FEE_PAYOR_TYPE_CUSTOMER"), [customer; 3]),
        (net("CUSTOMER"), [customer; 3]),
        (gross("PLATFORM"), [platform; 3]),
        (gross("ISSUER_FEE_PAYOR_TYPE_PLATFORM"), [platform; 3]),
        // What the platform bears is not taken from what the customer gets.
        (net("PLATFORM"), ["held: amounts_disagree"; 3]),
        // Words that are not documented say nothing.
        (gross("ISSUER"), open),
        (gross("UNSPECIFIED"), open),
        (gross("NONCUSTOMER"), open),
        (gross(""), open),
        (net("ISSUER"), [customer; 3]),
        (json!({ "issuer_fee_amount": "5", "issuer_fee_payor_type": ["CUSTOMER", "PLATFORM"] }), open),
        (json!({ "issuer_fee_amount": "5" }), open),
        (json!({ "issuer_fee_amount": "5", "notional": "495" }), [customer; 3]),
        (json!({ "issuer_fee_amount": "0", "issuer_fee_payor_type": "CUSTOMER" }), ["500 USD"; 3]),
        (json!({ "issuer_fee_payor_type": "CUSTOMER", "issuer_fee_rate": "0.01" }), ["500 USD"; 3]),
    ] {
        assert_credits("an issuer fee", &changes, expected);
    }
}

#[test]
fn two_fees_at_once_are_told_apart_by_the_numbers() {
    let fees = |notional: &str, deposit: &str, issuer: &str, payor: &str| {
        json!({
            "notional": notional,
            "deposit_fee_notional": deposit,
            "issuer_fee_amount": issuer,
            "issuer_fee_payor_type": payor,
        })
    };
    let both = "490 USD of 500, deposit_fee 5 customer, issuer_fee 5 customer";
    for (what, changes, expected) in [
        ("both are deducted", fees("490", "5", "5", "CUSTOMER"), [both; 3]),
        (
            "the deposit fee alone is deducted",
            fees("495", "5", "3", "CUSTOMER"),
            ["492 USD of 500, deposit_fee 5 customer, issuer_fee 3 customer"; 3],
        ),
        (
            "the issuer fee alone is deducted",
            fees("497", "5", "3", "CUSTOMER"),
            [
                "held: fee_bearer_unknown",
                "492 USD of 500, deposit_fee 5 customer, issuer_fee 3 customer, by setting",
                "497 USD of 500, deposit_fee 5 platform, issuer_fee 3 customer, by setting",
            ],
        ),
        (
            "the platform bears the issuer fee",
            fees("495", "5", "5", "PLATFORM"),
            ["495 USD of 500, deposit_fee 5 customer, issuer_fee 5 platform"; 3],
        ),
        (
            "none is deducted",
            fees("500", "5", "3", "CUSTOMER"),
            [
                "held: fee_bearer_unknown",
                "492 USD of 500, deposit_fee 5 customer, issuer_fee 3 customer, by setting",
                "497 USD of 500, deposit_fee 5 platform, issuer_fee 3 customer, by setting",
            ],
        ),
        // Which of the two is deducted makes a difference when the platform bears the other one.
        (
            "one of two equal fees is deducted",
            fees("495", "5", "5", "CUSTOMER"),
            ["held: fee_bearer_unknown", both, "held: amounts_disagree"],
        ),
        ("neither sum fits", fees("493", "5", "5", "CUSTOMER"), ["held: amounts_disagree"; 3]),
    ] {
        assert_credits(what, &changes, expected);
    }
}

#[test]
fn numbers_are_compared_to_the_last_digit_that_is_stated_and_at_least_to_the_cent() {
    for (quantity, rate, notional, expected) in [
        ("33.333333", "1", "33.33", "33.33 USD"),
        ("33.333333", "1", "33.34", "33.34 USD"),
        ("33.333333", "1", "33.333", "33.333 USD"),
        ("33.333333", "1", "33.32", "held: amounts_disagree"),
        ("33.333333", "1", "33.35", "held: amounts_disagree"),
        ("33.333333", "1", "33.335", "held: amounts_disagree"),
        ("500", "1", "500.00", "500 USD"),
        ("500", "1", "499.99", "held: amounts_disagree"),
        ("500", "1", "500.01", "held: amounts_disagree"),
        ("500", "1", "499.995", "held: amounts_disagree"),
        ("500", "1", "500.001", "held: amounts_disagree"),
        ("500", "0.9998", "499.90", "499.9 USD"),
        ("500", "0.9998", "499.89", "held: amounts_disagree"),
        ("0.12345678", "97123.45", "11990.55", "11990.55 USD"),
        ("0.12345678", "97123.45", "11990.53", "held: amounts_disagree"),
        ("1000000", "9.9e-7", "0.99", "0.99 USD"),
        ("1E6", "9.9E-7", "9.9e-1", "0.99 USD"),
        ("5e+2", "1e0", "0.5e3", "500 USD"),
        (" 500 ", "\t1", "500\n", "500 USD"),
        ("500", "0", "500", "held: amounts_disagree"),
        ("500", "-1", "500", "held: amounts_disagree"),
        ("500", "1", "5000", "held: amounts_disagree"),
        ("500", "1", "0.000005", "held: amounts_disagree"),
    ] {
        let changes = json!({ "quantity": quantity, "rate": rate, "notional": notional });
        assert_credits("as strings", &changes, [expected; 3]);
        let numbers = [quantity, rate, notional].map(|text| serde_json::from_str(text.trim()).expect(text));
        let [quantity, rate, notional]: [Value; 3] = numbers;
        assert_credits(
            "as numbers",
            &json!({ "quantity": quantity, "rate": rate, "notional": notional }),
            [expected; 3],
        );
    }
}

#[test]
fn a_fee_below_the_precision_is_not_told_from_none() {
    let tiny = |fee: &str| json!({ "deposit_fee_notional": fee });
    let platform = |fee: &str| format!("500 USD of 500, deposit_fee {fee} platform, by setting");
    for fee in ["0.000001", "0.004", "0.009"] {
        let held = ["held: fee_bearer_unknown", "held: amounts_disagree", &platform(fee)];
        assert_credits("a fee of less than a cent", &tiny(fee), held);
        let hold = transfer_of(statement(&fund(&tiny(fee)), Some(FeeBearer::Customer))).hold.expect("a hold");
        assert!(!hold.explanation.contains("Set FUNDHOOK"), "it is set already: {}", hold.explanation);
    }
    let customer = "499.99 USD of 500, deposit_fee 0.01 customer, by setting";
    assert_credits("a cent", &tiny("0.01"), ["held: fee_bearer_unknown", customer, &platform("0.01")]);
    let net = json!({ "deposit_fee_notional": "0.01", "notional": "499.99" });
    assert_credits("a cent, deducted", &net, ["499.99 USD of 500, deposit_fee 0.01 customer"; 3]);
    let exact = json!({ "deposit_fee_notional": "0.004", "notional": "499.996" });
    assert_credits("less than a cent, stated exactly", &exact, ["499.996 USD of 500, deposit_fee 0.004 customer"; 3]);
}

#[test]
fn a_row_of_a_connect_deposit_credits_what_arrived() {
    let row = |changes: &Value, set| {
        let feed = Feed::from(Provider::Connect);
        let json = fund(changes).to_string();
        let envelope = listed(RawRow {
            list: ListKind::ConnectTransactions,
            feed: &feed,
            json,
            url: "https://api.example/",
            read_at: at(SIGNED_AT),
        });
        credit_of(&statements_with(&envelope, &settings(set)).remove(0))
    };
    let issuer = |payor: &str| json!({ "issuer_fee_amount": "5", "issuer_fee_payor_type": payor });
    let open = ["held: fee_bearer_unknown", "held: fees_unreadable", "500 USDC"];
    for (changes, expected) in [
        (json!({}), ["500 USDC"; 3]),
        (json!({ "notional": "1", "rate": "abc", "quoted_currency": "" }), ["500 USDC"; 3]),
        (json!({ "deposit_fee_notional": "5" }), open),
        (issuer("PLATFORM"), ["500 USDC"; 3]),
        (issuer("CUSTOMER"), ["held: fees_unreadable"; 3]),
        (issuer("SOMEONE"), open),
        (json!({ "deposit_fee_notional": "abc" }), ["held: fees_unreadable"; 3]),
        (json!({ "quantity": "0" }), ["held: amount_not_positive"; 3]),
        (json!({ "participant_code": "" }), ["held: account_unknown"; 3]),
    ] {
        assert_eq!(SETTINGS.map(|set| row(&changes, set)), expected.map(str::to_owned), "{changes}");
    }
}

proptest! {
    #[test]
    fn a_credit_is_exact_whatever_the_number_of_digits(
        quantity in "[1-9][0-9]{2,20}(\\.[0-9]{1,18})?",
        rate in "[1-9][0-9]{0,8}(\\.[0-9]{1,12})?",
        fee in "[1-9][0-9]?(\\.[0-9]{1,18})?",
        is_net in any::<bool>(),
        set in prop::sample::select(&SETTINGS[..]),
    ) {
        let number = |text: &str| text.parse::<DecimalValue>().expect("a number");
        let worth = number(&quantity).times(&number(&rate));
        let notional = if is_net { worth.clone() - &number(&fee) } else { worth.clone() };
        let changes = json!({
            "quantity": quantity, "rate": rate, "notional": notional.to_string(), "deposit_fee_notional": fee,
        });
        let found = credit_of(&statement(&fund(&changes), set));
        let net = worth.clone() - &number(&fee);
        let (customer, platform) = (
            format!("{net} USD of {worth}, deposit_fee {} customer", number(&fee)),
            format!("{worth} USD of {worth}, deposit_fee {} platform", number(&fee)),
        );
        let expected = match (is_net, set) {
            (true, _) => customer,
            (false, None) => "held: fee_bearer_unknown".to_owned(),
            (false, Some(FeeBearer::Customer)) => customer + ", by setting",
            (false, Some(FeeBearer::Platform)) => platform + ", by setting",
        };
        prop_assert_eq!(found, expected);
    }
}
