//! Striga's other webhooks about money: bank transfers, Lightning, exchanges, ledger transfers and account fees.

use fundhook_domain::{DecimalValue, Quantity, Resource, Statement, TransferDetails, events_after, fold};
use serde_json::{Value, json};

use crate::support::changed;
use crate::support::statements::{
    credit_of, dropped, only_statement, outcome, reason, statements, status_of, transfer_of,
};
use crate::support::striga::envelope;

fn webhook(name: &str, unit: &str, changes: &Value) -> Value {
    let body = json!({
        "type": name,
        "txType": name,
        "id": "s-1",
        "accountId": "a-1",
        "syncedOwnerId": "o-1",
        "timestamp": "2024-09-10T12:05:40.606Z",
        "balanceBefore": { "amount": "7", "currency": unit },
        "balanceAfter": { "amount": "9", "currency": unit },
    });
    changed(body, changes)
}

/// The statements of `body`, which drop nothing.
fn read(body: &Value) -> Vec<Statement> {
    let statements = statements(&envelope(body.to_string().as_bytes()));
    assert_eq!(dropped(body, &statements), Vec::<String>::new(), "{body}");
    statements
}

fn statement(body: &Value) -> Statement {
    read(body);
    only_statement(&envelope(body.to_string().as_bytes()))
}

fn in_major(quantity: Option<&Quantity>) -> Option<String> {
    quantity.and_then(Quantity::in_major).map(|value: DecimalValue| value.to_string())
}

/// The amount, the fee, the total and the refund in whole units.
fn amounts(details: &TransferDetails) -> [Option<String>; 4] {
    let fee = details.fee.as_ref().map(|fee| &fee.quantity);
    [details.quantity.as_ref(), fee, details.total.as_ref(), details.refunded.as_ref()].map(in_major)
}

fn some(texts: [&str; 4]) -> [Option<String>; 4] {
    texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

#[test]
fn a_bank_transfer_is_in_euros_and_its_zeros_are_no_amounts() {
    for (name, changes, resource, status, expected) in [
        ("SEPA_PAYIN_COMPLETED", json!({ "credit": "1000" }), "deposit#striga#s-1", "confirmed", ["10", "", "", ""]),
        (
            "SEPA_PAYIN_COMPLETED",
            json!({ "credit": 1000, "debit": 0 }),
            "deposit#striga#s-1",
            "confirmed",
            ["10", "", "", ""],
        ),
        (
            "SEPA_PAYOUT_INITIATED",
            json!({ "debit": 100, "credit": 0 }),
            "withdrawal#striga#s-1",
            "initiated",
            ["1", "", "", ""],
        ),
        ("SEPA_PAYOUT_INITIATED", json!({ "debit": "100" }), "withdrawal#striga#s-1", "initiated", ["1", "", "", ""]),
        ("SEPA_PAYOUT_COMPLETED", json!({ "debit": 0, "credit": 0 }), "withdrawal#striga#s-1", "confirmed", [""; 4]),
        ("SEPA_PAYOUT_COMPLETED", json!({ "debit": "0" }), "withdrawal#striga#s-1", "confirmed", [""; 4]),
        ("SEPA_PAYOUT_COMPLETED", json!({}), "withdrawal#striga#s-1", "confirmed", [""; 4]),
        ("SEPA_PAYOUT_FAILED", json!({ "credit": "100" }), "withdrawal#striga#s-1", "failed", ["", "", "", "1"]),
        (
            "SEPA_PAYOUT_FAILED",
            json!({ "credit": "100", "debit": "0.0" }),
            "withdrawal#striga#s-1",
            "failed",
            ["", "", "", "1"],
        ),
        (
            "SEPA_PAYOUT_DENIED",
            json!({ "credit": "100", "bankingSenderIban": null, "bankingTransactionShortId": "20230822-V4SD5L" }),
            "withdrawal#striga#s-1",
            "failed",
            ["", "", "", "1"],
        ),
    ] {
        let statement = statement(&webhook(name, "cents", &changes));
        assert_eq!(
            (statement.resource.to_string().as_str(), status_of(&statement)),
            (resource, status),
            "{name} {changes}"
        );
        let details = transfer_of(statement);
        assert_eq!(amounts(&details), some(expected), "{name} {changes}");
        assert_eq!((details.asset.as_deref(), details.network), (Some("EUR"), None), "{name}");
        assert_eq!(details.transaction, fundhook_domain::Transaction::default(), "no coin: {name}");
    }
    for (changes, expected) in [
        (json!({ "credit": "1000" }), "10 EUR"),
        (json!({ "credit": "1000", "currency": "GBP" }), "10 GBP"),
        (json!({ "credit": "1000", "currency": ["EUR", "GBP"] }), "held: amount_missing"),
        (json!({ "credit": "1000", "syncedOwnerId": null }), "held: account_unknown"),
        (json!({ "credit": "0", "debit": "0" }), "held: amount_not_positive"),
        (json!({ "credit": "-1000" }), "held: amount_not_positive"),
        (json!({ "credit": "1000", "debit": "5" }), "held: amounts_disagree"),
        (json!({ "debit": "1000" }), "held: amounts_disagree"),
        (json!({}), "held: amount_missing"),
        (json!({ "credit": "1000", "balanceBefore": null, "balanceAfter": null }), "held: unit_unknown"),
    ] {
        assert_eq!(credit_of(&statement(&webhook("SEPA_PAYIN_COMPLETED", "cents", &changes))), expected, "{changes}");
    }
}

#[test]
fn a_completed_payout_keeps_the_amount_of_its_start_in_both_orders() {
    let started = statement(&webhook("SEPA_PAYOUT_INITIATED", "cents", &json!({ "debit": 100, "credit": 0 })));
    let completed = webhook("SEPA_PAYOUT_COMPLETED", "cents", &json!({ "debit": 0, "credit": 0 }));
    let completed = statement(&changed(completed, &json!({ "timestamp": "2024-09-10T12:06:40Z" })));
    for [first, second] in [[&started, &completed], [&completed, &started]] {
        let known = fold(Resource::unknown(first.resource.clone()), first.clone()).into_resource();
        let resource = fold(known, second.clone()).into_resource();
        let last = serde_json::to_value(&events_after(&resource, 0).pop().expect("an event").data).expect("JSON");
        assert_eq!((&last["status"], &last["amount"]["major"]), (&json!("confirmed"), &json!("1")), "{last}");
    }
}

#[test]
fn a_lightning_payment_includes_strigas_fee_and_a_receipt_has_none() {
    let sats = |name: &str, changes: &Value| {
        statement(&webhook(name, "satoshis", &changed(json!({ "currency": "BTC" }), changes)))
    };
    for (changes, expected) in [
        (json!({ "debit": "1010", "strigaFee": 10 }), ["0.00001", "0.0000001", "0.0000101", ""]),
        (json!({ "debit": 1010, "strigaFee": " 10 " }), ["0.00001", "0.0000001", "0.0000101", ""]),
        (json!({ "debit": "1010", "strigaFee": 0 }), ["0.0000101", "0", "0.0000101", ""]),
        (json!({ "debit": "1010" }), ["0.0000101", "", "", ""]),
        // A fee that the debit cannot include is none of it.
        (json!({ "debit": "1010", "strigaFee": 1010 }), ["0.0000101", "", "", ""]),
        (json!({ "debit": "1010", "strigaFee": 5000 }), ["0.0000101", "", "", ""]),
        (json!({ "debit": "1010", "strigaFee": -10 }), ["0.0000101", "", "", ""]),
        (json!({ "debit": "1010", "strigaFee": "some" }), ["0.0000101", "", "", ""]),
        (json!({ "strigaFee": 10 }), ["", "", "", ""]),
    ] {
        let details = transfer_of(sats("LN_OUTGOING_INITIATED", &changes));
        assert_eq!(amounts(&details), some(expected), "{changes}");
        assert_eq!(details.provider_data.get("strigaFee"), changes.get("strigaFee"), "{changes}");
    }
    for (name, changes, expected) in [
        ("LN_OUTGOING_INITIATED", json!({ "debit": "1010" }), "initiated"),
        ("LN_OUTGOING_PENDING", json!({}), "broadcast"),
        ("LN_OUTGOING_CONFIRMED", json!({ "memo": "undefined" }), "confirmed"),
        ("LN_OUTGOING_FAILED", json!({ "credit": "1010" }), "failed"),
        ("LN_OUTGOING_DENIED", json!({ "credit": "1010" }), "failed"),
        ("LN_INCOMING_EXPIRED", json!({}), "abandoned"),
        ("LN_INCOMING_CONFIRMED", json!({ "credit": "1000", "otherCryptoIdentifier": "lnbc10u1p" }), "confirmed"),
        ("LN_INCOMING_CONFIRMED", json!({}), "held: amount_missing"),
        ("LN_INCOMING_CONFIRMED", json!({ "credit": "0" }), "held: amount_not_positive"),
    ] {
        let statement = sats(name, &changes);
        assert_eq!(outcome(&statement), expected, "{name} {changes}");
        let kind = if name.contains("INCOMING") { "deposit#striga#s-1" } else { "withdrawal#striga#s-1" };
        assert_eq!(statement.resource.to_string(), kind, "{name}");
    }
    // The fee of a transfer on a chain is a webhook of its own.
    let on_chain = webhook("ON_CHAIN_WITHDRAWAL_INITIATED", "wei", &json!({ "debit": "1010", "strigaFee": 10 }));
    assert_eq!(transfer_of(statement(&on_chain)).fee, None);
}

#[test]
fn the_legs_of_an_exchange_are_one_exchange_in_both_orders() {
    let order = json!({
        "price": "0.92",
        "debit": { "currency": "USDC", "amount": "10000", "amountFloat": "100" },
        "credit": { "currency": "EUR", "amount": "9200", "amountFloat": "92" },
    });
    let leg = |leg: &str, sub_type: Value, changes: Value| {
        let changes = changed(json!({ "txType": leg, "txSubType": sub_type }), &changes);
        webhook("CURRENCY_EXCHANGE", "cents", &changes)
    };
    let sold = leg(
        "EXCHANGE_DEBIT",
        json!("CURRENCY_EXCHANGE_PENDING"),
        json!({ "debit": "10000", "currency": "USDC", "order": order }),
    );
    let bought = leg(
        "EXCHANGE_CREDIT",
        json!("CURRENCY_EXCHANGE_CONFIRMED"),
        json!({ "credit": "9200", "currency": "EUR", "accountId": "a-2", "order": order, "timestamp": "2024-09-10T12:05:41Z" }),
    );
    let refunded = leg(
        "EXCHANGE_CREDIT",
        json!("CURRENCY_EXCHANGE_REFUND"),
        json!({ "credit": "10000", "currency": "USDC", "order": {} }),
    );
    for (body, status) in [(&sold, "pending"), (&bought, "confirmed"), (&refunded, "refunded")] {
        let statement = statement(body);
        assert_eq!((statement.resource.to_string().as_str(), status_of(&statement)), ("exchange#striga#s-1", status));
        let details = transfer_of(statement);
        assert_eq!(
            (details.quantity, details.asset, details.credit),
            (None, None, None),
            "{status}: each side names its own"
        );
    }
    let sides = |details: &TransferDetails| {
        [&details.exchange.sold, &details.exchange.bought]
            .map(|side| side.as_ref().map(|side| serde_json::to_value(side).expect("JSON")["major"].clone()))
    };
    let details = transfer_of(statement(&refunded));
    let back = details.exchange.refunded.clone().and_then(|amount| amount.major);
    assert_eq!((sides(&details), back.map(|back| back.to_string())), ([None, None], Some("100".to_owned())));
    for bodies in [[&sold, &bought], [&bought, &sold]] {
        let [first, second] = bodies.map(statement);
        let known = fold(Resource::unknown(first.resource.clone()), first).into_resource();
        let view = fold(known, second).into_resource().view().expect("a view");
        assert_eq!(view.status.map(|status| status.to_string()).as_deref(), Some("confirmed"));
        let fundhook_domain::Details::Transfer(details) = &view.details else { unreachable!("a transfer") };
        assert_eq!(sides(details), [Some(json!("100")), Some(json!("92"))]);
        assert_eq!(details.exchange.price.as_ref().map(|price| price.to_string()).as_deref(), Some("0.92"));
    }
    for (name, sub_type, status) in [
        ("EXCHANGE_DEBIT", Value::Null, Some("pending")),
        ("EXCHANGE_CREDIT", Value::Null, Some("confirmed")),
        ("EXCHANGE_CREDIT", json!("CURRENCY_EXCHANGE_SOMETHING"), None),
        ("EXCHANGE_SOMETHING", Value::Null, None),
    ] {
        let body = leg(name, sub_type, json!({ "debit": "1", "currency": "USDC" }));
        match status {
            Some(status) => assert_eq!(status_of(&statement(&body)), status, "{name}"),
            None => assert!(reason(&envelope(body.to_string().as_bytes())).contains("is not supported"), "{name}"),
        }
    }
    for order in [json!(null), json!("none"), json!([]), json!({ "debit": "x", "credit": { "amountFloat": "many" } })] {
        let body = changed(sold.clone(), &json!({ "order": order }));
        assert_eq!(
            sides(&transfer_of(statement(&body))),
            [Some(json!("100")), None],
            "{order}: the leg's amount counts"
        );
    }
}

#[test]
fn each_leg_of_a_ledger_transfer_is_a_resource_and_names_the_other() {
    for name in ["INTRA_LEDGER_SEND", "INTER_LEDGER_SEND"] {
        let leg = |side: &str, account: &str| {
            let changes =
                json!({ side: "1000", "accountId": account, "currency": "EUR", "destinationSyncedOwnerId": "o-2" });
            statement(&webhook(name, "cents", &changes))
        };
        let (debit, credit) = (leg("debit", "a-1"), leg("credit", "a-2"));
        assert_eq!(
            (debit.resource.to_string().as_str(), status_of(&debit)),
            ("withdrawal#striga#s-1", "confirmed"),
            "{name}"
        );
        assert_eq!(
            (credit.resource.to_string().as_str(), credit_of(&credit).as_str()),
            ("deposit#striga#s-1", "10 EUR")
        );
        assert_eq!(Vec::from_iter(&transfer_of(debit.clone()).related), [&credit.resource]);
        assert_eq!(Vec::from_iter(&transfer_of(credit).related), [&debit.resource]);
        for (changes, expected) in [
            (json!({ "credit": "1000", "debit": 0, "currency": "EUR" }), "10 EUR"),
            (json!({ "credit": "0", "debit": "1000", "currency": "EUR" }), "confirmed"),
            (json!({ "credit": "1000" }), "held: amount_missing"),
            (
                json!({ "credit": "1000", "currency": "EUR", "balanceAfter": { "amount": "9", "currency": "wei" } }),
                "held: unit_unknown",
            ),
        ] {
            assert_eq!(credit_of(&statement(&webhook(name, "cents", &changes))), expected, "{changes}");
        }
        for changes in [
            json!({}),
            json!({ "debit": "1", "credit": "1" }),
            json!({ "debit": "0", "credit": "0" }),
            json!({ "debit": [] }),
        ] {
            let why = reason(&envelope(webhook(name, "cents", &changes).to_string().as_bytes()));
            assert!(why.contains("the leg is not known"), "{changes}: {why}");
        }
    }
}

#[test]
fn an_account_fee_is_charged_and_refunded_in_part() {
    let charged = webhook(
        "ACCOUNT_CREATION_FEE",
        "lamports",
        &json!({ "debit": "10000000", "txSubType": "ATA_CREATION_FEE", "uid": "u-1", "ts": 1 }),
    );
    let refunded = webhook(
        "REFUND_ACCOUNT_CREATION_FEE",
        "lamports",
        &json!({ "credit": "7893847", "txSubType": "THEIR_FEE", "uid": "u-2" }),
    );
    let [charged, refunded] = [&charged, &refunded].map(statement);
    assert_eq!(charged.resource.to_string(), "fee#striga#s-1:account");
    assert_eq!(charged.resource, refunded.resource);
    assert_eq!([status_of(&charged), status_of(&refunded)], ["charged", "refunded"]);
    assert_eq!(amounts(&transfer_of(charged)), some(["0.01", "", "", ""]));
    assert_eq!(amounts(&transfer_of(refunded)), some(["", "", "", "0.007893847"]));
}

#[test]
fn a_withdrawal_and_its_fee_are_each_in_their_own_asset() {
    let started = webhook(
        "ON_CHAIN_WITHDRAWAL_INITIATED",
        "cents",
        &json!({ "debit": "10000", "currency": "USDC", "blockchainNetwork": "POLYGON" }),
    );
    let fee = webhook(
        "NETWORK_FEE",
        "wei",
        &json!({ "debit": "636300000378000", "currency": "POL", "txSubType": "TOTAL_WITHDRAWAL_FEE", "blockchainNetwork": "POLYGON" }),
    );
    let [started, fee] = [&started, &fee].map(read);
    assert_eq!((fee.len(), status_of(&fee[1])), (2, "none"), "a fee says nothing about the status of its withdrawal");
    for (order, types) in [
        ([&started[0], &fee[1]], ["withdrawal.initiated", "withdrawal.updated"]),
        ([&fee[1], &started[0]], ["withdrawal.updated", "withdrawal.initiated"]),
    ] {
        let unknown = Resource::unknown(started[0].resource.clone());
        let resource = order.into_iter().fold(unknown, |it, statement| fold(it, statement.clone()).into_resource());
        let events = events_after(&resource, 0);
        let found: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(found, types.map(|name| format!("fundhook.{name}")), "each comes when it is told");
        let data = serde_json::to_value(&events[1].data).expect("JSON");
        let amount = |name: &str| {
            [&data[name]["major"], &data[name]["asset"]].map(|part| part.as_str().unwrap_or("").to_owned())
        };
        assert_eq!(amount("amount"), ["100", "USDC"], "{data}");
        assert_eq!(amount("fee"), ["0.000636300000378", "POL"], "{data}");
        assert_eq!(data.get("total"), None, "two assets have no sum");
    }
    let first = &events_after(&fold(Resource::unknown(fee[1].resource.clone()), fee[1].clone()).into_resource(), 0)[0];
    assert_eq!(serde_json::to_value(&first.data).expect("JSON").get("status"), None, "no status before the first");
}

#[test]
fn a_deposit_is_credited_in_a_unit_that_is_stated_once_and_as_much_as_arrived() {
    let deposit = |changes: &Value| {
        let body = webhook(
            "ON_CHAIN_DEPOSIT_CONFIRMED",
            "wei",
            &json!({ "currency": "POL", "credit": "5000000000000000000" }),
        );
        credit_of(&statement(&changed(body, changes)))
    };
    let unit = |before: Value, after: Value| json!({ "balanceBefore": { "amount": "7", "currency": before }, "balanceAfter": { "amount": "9", "currency": after } });
    for (what, changes, expected) in [
        ("as sent", json!({}), "5 POL"),
        ("arrived", json!({ "blockchainTransactionAmount": "5000000000000000000" }), "5 POL"),
        ("arrived, as a number", json!({ "blockchainTransactionAmount": 5e18 }), "5 POL"),
        ("arrived, with an exponent", json!({ "credit": "5e18", "blockchainTransactionAmount": "0.5E19" }), "5 POL"),
        (
            "less is credited than arrived",
            json!({ "blockchainTransactionAmount": "6000000000000000000" }),
            "held: amounts_disagree",
        ),
        (
            "more is credited than arrived",
            json!({ "blockchainTransactionAmount": "4999999999999999999" }),
            "held: amounts_disagree",
        ),
        (
            "only what arrived is stated",
            json!({ "credit": null, "blockchainTransactionAmount": "5000000000000000000" }),
            "5 POL",
        ),
        (
            "the credit cannot be read",
            json!({ "credit": ["1", "2"], "blockchainTransactionAmount": "5" }),
            "held: amount_missing",
        ),
        ("no amount", json!({ "credit": "" }), "held: amount_missing"),
        ("no asset", json!({ "currency": null }), "held: amount_missing"),
        ("no owner", json!({ "syncedOwnerId": "" }), "held: account_unknown"),
        ("zero", json!({ "credit": "0" }), "held: amount_not_positive"),
        ("negative", json!({ "credit": -5 }), "held: amount_not_positive"),
        ("no unit", json!({ "balanceBefore": null, "balanceAfter": null }), "held: unit_unknown"),
        ("two units", unit(json!("wei"), json!("cents")), "held: unit_unknown"),
        ("one unit", unit(json!("wei"), json!("")), "5 POL"),
        ("a unit in another spelling", unit(json!("WEI"), json!("wei")), "5 POL"),
        ("an unknown unit", unit(json!("drops"), json!("drops")), "held: unit_unknown"),
        ("an unknown unit beside a known one", unit(json!("drops"), json!("wei")), "held: unit_unknown"),
        ("a unit that is not a text", unit(json!(true), json!("wei")), "held: unit_unknown"),
        ("no text at all", unit(json!([]), json!([])), "held: unit_unknown"),
        ("balances of another form", json!({ "balanceBefore": "9000", "balanceAfter": 9000 }), "held: unit_unknown"),
        ("both types disagree", json!({ "txType": "ON_CHAIN_DEPOSIT_PENDING" }), "held: status_unknown"),
        ("both types agree", json!({ "txType": " ON_CHAIN_DEPOSIT_CONFIRMED" }), "5 POL"),
        ("the other type is unknown", json!({ "txType": "SOMETHING" }), "5 POL"),
        ("the other type is not a text", json!({ "txType": ["X"] }), "5 POL"),
    ] {
        assert_eq!(deposit(&changes), expected, "{what}");
    }
}

#[test]
fn a_type_that_cannot_be_read_is_not_replaced_by_another_name() {
    for name in [json!(["NETWORK_FEE", "FEE_REFUND"]), json!(true), json!(7), json!({})] {
        let body = webhook("NETWORK_FEE", "wei", &json!({ "debit": "1", "type": name }));
        let why = reason(&envelope(body.to_string().as_bytes()));
        assert!(why.contains("no text member `type`"), "{name}: {why}");
        let person = json!({ "type": name, "userId": "1", "status": "APPROVED" });
        assert!(reason(&envelope(person.to_string().as_bytes())).contains("no text member `type`"), "{name}");
    }
}
