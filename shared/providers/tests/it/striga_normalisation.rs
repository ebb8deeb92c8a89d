//! How Striga's webhooks are normalised: the rules, as tables.

use fundhook_domain::{Statement, TransferDetails};
use serde_json::{Value, json};

use crate::support::statements::{notes, only_statement, outcome, reason, statements, status_of, transfer_of};
use crate::support::striga::envelope;
use crate::support::{SIGNED_AT, at, changed};

/// The statements of `body`.
fn all_statements(body: &Value) -> Vec<Statement> {
    statements(&envelope(body.to_string().as_bytes()))
}

/// The single statement of `body`.
fn statement(body: &Value) -> Statement {
    only_statement(&envelope(body.to_string().as_bytes()))
}

/// The details of the single statement of `body`, which must be about a transfer.
fn transfer(body: &Value) -> TransferDetails {
    transfer_of(statement(body))
}

fn why_not(body: &Value) -> String {
    reason(&envelope(body.to_string().as_bytes()))
}

/// A webhook of the type `name`, with `changes`.
fn webhook(name: &str, changes: &Value) -> Value {
    let body = json!({
        "type": name,
        "txType": name,
        "id": "s-1",
        "accountId": "a-1",
        "syncedOwnerId": "o-1",
        "timestamp": "2024-09-10T12:05:40.606Z",
        "currency": "POL",
        "balanceBefore": { "amount": "7", "balance": "7", "currency": "wei" },
        "balanceAfter": { "amount": "9", "balance": "9", "currency": "wei" },
    });
    changed(body, changes)
}

/// The texts of `details`' quantity, fee and refund.
fn amounts(details: &TransferDetails) -> [Option<String>; 3] {
    let text = |quantity: &fundhook_domain::Quantity| format!("{} {}", quantity.value, quantity.units.as_str());
    let fee = details.fee.as_ref().map(|fee| fee.quantity.clone());
    [&details.quantity, &fee, &details.refunded].map(|quantity| quantity.as_ref().map(text))
}

#[test]
fn each_documented_type_reports_the_status_of_its_resource() {
    for (name, changes, resource, status) in [
        ("ON_CHAIN_DEPOSIT_PENDING", json!({}), "deposit#striga#s-1", "pending"),
        ("ON_CHAIN_DEPOSIT_CONFIRMED", json!({ "credit": "5" }), "deposit#striga#s-1", "confirmed"),
        ("ON_CHAIN_DEPOSIT_CONFIRMED", json!({}), "deposit#striga#s-1", "held"),
        ("ON_CHAIN_WITHDRAWAL_INITIATED", json!({}), "withdrawal#striga#s-1", "initiated"),
        ("ON_CHAIN_WITHDRAWAL_PENDING", json!({}), "withdrawal#striga#s-1", "broadcast"),
        ("ON_CHAIN_WITHDRAWAL_CONFIRMED", json!({}), "withdrawal#striga#s-1", "confirmed"),
        ("ON_CHAIN_WITHDRAWAL_FAILED", json!({}), "withdrawal#striga#s-1", "failed"),
        ("ON_CHAIN_WITHDRAWAL_DENIED", json!({}), "withdrawal#striga#s-1", "failed"),
        ("NETWORK_FEE", json!({}), "fee#striga#s-1:network", "charged"),
        ("FEE_REFUND", json!({}), "fee#striga#s-1:network", "refunded"),
        ("APPLICATION_FEE", json!({ "debit": "1" }), "fee#striga#s-1:application:debit", "charged"),
        ("APPLICATION_FEE", json!({ "credit": "1" }), "fee#striga#s-1:application:credit", "charged"),
    ] {
        let statement = statement(&webhook(name, &changes));
        assert_eq!((statement.resource.to_string().as_str(), status_of(&statement)), (resource, status), "{name}");
        assert_eq!(statement.content.event_type, name);
        assert_eq!(transfer_of(statement).provider_status.as_deref(), Some(name));
    }
}

#[test]
fn an_unrecognized_webhook_has_a_reason() {
    let id_of = |id: Value| webhook("ON_CHAIN_DEPOSIT_PENDING", &json!({ "id": id }));
    for (body, why) in [
        (webhook("SEPA_PAYIN_RECALLED", &json!({})), "the type \"SEPA_PAYIN_RECALLED\" is not supported"),
        (webhook("on_chain_deposit_pending", &json!({})), "the type \"on_chain_deposit_pending\" is not supported"),
        (webhook(&"Y".repeat(900), &json!({})), "the type \"YYY"),
        (webhook("", &json!({})), "no text member `type`"),
        (json!({ "userId": "1", "state": "APPROVED" }), "no text member `type`"),
        (webhook("NETWORK_FEE", &json!({ "type": ["NETWORK_FEE", "FEE_REFUND"] })), "no text member `type`"),
        (webhook("NETWORK_FEE", &json!({ "type": true })), "no text member `type`"),
        (id_of(Value::Null), "`id` is missing"),
        (id_of(json!("")), "`id` is missing"),
        (id_of(json!({ "uuid": "1" })), "`id` is missing, or not a plain string"),
        (id_of(json!(["1", "2"])), "`id` is missing, or not a plain string"),
        (id_of(json!("x".repeat(600))), "`id` cannot name a resource"),
        (webhook("APPLICATION_FEE", &json!({})), "neither `debit` nor `credit`"),
    ] {
        let found = why_not(&body);
        assert!(found.contains(why), "{body:.80}: {found}");
    }
}

#[test]
fn a_webhook_without_a_time_that_can_be_read_happened_when_it_was_received() {
    for (time, note) in [
        (json!(null), None),
        (json!(""), None),
        (json!("noon"), Some("`timestamp`: \"noon\"")),
        (json!(["noon"]), Some("`timestamp` is not a time")),
    ] {
        let statement = statement(&webhook("NETWORK_FEE", &json!({ "timestamp": time })));
        // Striga signs no time.
        assert_eq!(statement.content.occurred_at, at(SIGNED_AT + 2), "{time}");
        let notes = notes(&statement);
        assert_eq!(notes.len(), usize::from(note.is_some()), "{time}: {notes:?}");
        assert!(note.is_none_or(|note| notes[0].contains(note)), "{time}: {notes:?}");
        let data = transfer_of(statement).provider_data;
        assert_eq!(data.get("timestamp"), note.map(|_| &time), "what cannot be read stays as it came");
    }
}

#[test]
fn a_repeated_type_is_dropped_and_a_different_second_one_is_kept() {
    let pending = "ON_CHAIN_DEPOSIT_PENDING";
    for (changes, kept) in [
        (json!({}), None),
        (json!({ "txType": null }), None),
        (json!({ "type": null }), None),
        (json!({ "type": "" }), None),
        (json!({ "txType": "ON_CHAIN_DEPOSIT_CONFIRMED" }), Some(json!("ON_CHAIN_DEPOSIT_CONFIRMED"))),
    ] {
        let statement = statement(&webhook(pending, &changes));
        assert_eq!((statement.content.event_type.as_str(), status_of(&statement)), (pending, "pending"), "{changes}");
        assert_eq!(transfer_of(statement).provider_data.get("txType"), kept.as_ref(), "{changes}");
    }
}

#[test]
fn each_unit_is_converted_by_its_size() {
    for (units, known_as, whole) in [
        ("wei", "wei", Some("119.078888888888888887")),
        ("lamports", "lamports", Some("119078888888.888888887")),
        ("satoshis", "satoshis", Some("1190788888888.88888887")),
        ("cents", "cents", Some("1190788888888888888.87")),
        ("WEI", "wei", Some("119.078888888888888887")),
        ("drops", "drops", None),
        ("POL", "POL", None),
    ] {
        let balance = json!({ "amount": "1", "currency": units });
        let changes = json!({ "credit": "119078888888888888887", "balanceBefore": balance, "balanceAfter": balance });
        let details = transfer(&webhook("ON_CHAIN_DEPOSIT_CONFIRMED", &changes));
        let quantity = details.quantity.expect("an amount");
        assert_eq!((quantity.value.to_string().as_str(), quantity.units.as_str()), ("119078888888888888887", known_as));
        assert_eq!(quantity.in_major().map(|value| value.to_string()).as_deref(), whole, "{units}");
        assert_eq!(details.balances.before.expect("a balance").units.as_str(), known_as);
    }
}

#[test]
fn a_unit_that_is_not_stated_is_never_guessed() {
    let wei = || json!({ "amount": "7", "currency": "wei" });
    for (what, changes, units) in [
        ("both balances", json!({}), "wei"),
        ("before alone", json!({ "balanceAfter": null }), "wei"),
        ("after alone", json!({ "balanceBefore": null }), "wei"),
        ("neither", json!({ "balanceBefore": null, "balanceAfter": null }), "unstated"),
        ("no unit before", json!({ "balanceBefore": { "amount": "7" }, "balanceAfter": wei() }), "wei"),
        ("balances of another form", json!({ "balanceBefore": "7 wei", "balanceAfter": ["9 wei"] }), "unstated"),
    ] {
        let details = transfer(&changed(webhook("ON_CHAIN_WITHDRAWAL_DENIED", &json!({ "debit": "5" })), &changes));
        assert_eq!(amounts(&details)[0].as_deref(), Some(format!("5 {units}").as_str()), "{what}");
        assert!(units != "unstated" || details.quantity.expect("an amount").in_major().is_none(), "{what}");
    }
    for (changes, units, note) in [
        (json!({ "balanceAfter": { "amount": "9", "currency": "cents" } }), "unstated", "\"wei\" and \"cents\""),
        (
            json!({ "balanceBefore": { "amount": "7", "currency": ["wei", "cents"] } }),
            "unstated",
            "`balanceBefore.currency` is not",
        ),
        (
            json!({ "balanceAfter": { "amount": "9", "currency": { "unit": "wei" } } }),
            "unstated",
            "`balanceAfter.currency` is not",
        ),
        (json!({ "balanceBefore": { "amount": "much", "currency": "wei" } }), "wei", "`balanceBefore.amount` is not"),
    ] {
        let body = changed(webhook("ON_CHAIN_WITHDRAWAL_DENIED", &json!({ "debit": "5" })), &changes);
        let statement = statement(&body);
        assert!(notes(&statement).iter().any(|found| found.contains(note)), "{changes}: {:?}", notes(&statement));
        let details = transfer_of(statement);
        assert_eq!(amounts(&details)[0].as_deref(), Some(format!("5 {units}").as_str()), "{changes}");
    }
}

#[test]
fn a_balance_is_read_and_its_other_members_are_kept() {
    let changes = json!({ "balanceBefore": { "amount": "7", "balance": "8", "currency": "wei", "hold": "1" } });
    let details = transfer(&webhook("ON_CHAIN_WITHDRAWAL_PENDING", &changes));
    assert_eq!(details.balances.before.expect("a balance").value.to_string(), "7");
    assert_eq!(details.provider_data["balanceBefore"], json!({ "balance": "8", "hold": "1" }));
    assert_eq!(details.provider_data.get("balanceAfter"), None, "amount and balance are the same");
}

#[test]
fn each_type_has_its_amount_field_and_no_other_amount_is_dropped() {
    let wei = |amount: &str| Some(format!("{amount} wei"));
    for (name, changes, expected, kept) in [
        ("ON_CHAIN_DEPOSIT_PENDING", json!({ "blockchainTransactionAmount": "5" }), [wei("5"), None, None], json!({})),
        ("ON_CHAIN_DEPOSIT_CONFIRMED", json!({ "credit": "5" }), [wei("5"), None, None], json!({})),
        (
            "ON_CHAIN_DEPOSIT_CONFIRMED",
            json!({ "credit": "5", "blockchainTransactionAmount": "5" }),
            [wei("5"), None, None],
            json!({}),
        ),
        (
            "ON_CHAIN_DEPOSIT_CONFIRMED",
            json!({ "credit": "5", "blockchainTransactionAmount": "6" }),
            [wei("5"), None, None],
            json!({ "blockchainTransactionAmount": "6" }),
        ),
        ("ON_CHAIN_DEPOSIT_CONFIRMED", json!({ "debit": "5" }), [None, None, None], json!({ "debit": "5" })),
        ("ON_CHAIN_WITHDRAWAL_INITIATED", json!({ "debit": "5" }), [wei("5"), None, None], json!({})),
        (
            "ON_CHAIN_WITHDRAWAL_PENDING",
            json!({ "blockchainTransactionAmount": "5" }),
            [None, None, None],
            json!({ "blockchainTransactionAmount": "5" }),
        ),
        ("ON_CHAIN_WITHDRAWAL_CONFIRMED", json!({}), [None, None, None], json!({})),
        ("ON_CHAIN_WITHDRAWAL_FAILED", json!({ "credit": "5" }), [None, None, wei("5")], json!({})),
        ("NETWORK_FEE", json!({ "debit": "5" }), [wei("5"), None, None], json!({})),
        ("NETWORK_FEE", json!({ "credit": "5" }), [None, None, None], json!({ "credit": "5" })),
        ("FEE_REFUND", json!({ "credit": "5" }), [None, None, wei("5")], json!({})),
        ("FEE_REFUND", json!({ "debit": "5" }), [None, None, None], json!({ "debit": "5" })),
        (
            "APPLICATION_FEE",
            json!({ "debit": "5", "blockchainTransactionAmount": "6" }),
            [wei("5"), None, None],
            json!({ "blockchainTransactionAmount": "6" }),
        ),
        ("APPLICATION_FEE", json!({ "credit": 5 }), [wei("5"), None, None], json!({})),
    ] {
        let mut details = transfer(&webhook(name, &changes));
        assert_eq!(amounts(&details), expected, "{name} {changes}");
        details.provider_data.remove("fundhook");
        assert_eq!(Value::Object(details.provider_data), kept, "{name} {changes}");
    }
}

#[test]
fn a_webhook_is_a_debit_or_a_credit_and_never_both() {
    for (changes, side) in [
        (json!({ "debit": "5" }), Some("debit")),
        (json!({ "credit": 5 }), Some("credit")),
        (json!({ "debit": "", "credit": "5" }), Some("credit")),
        (json!({ "debit": "5", "credit": null }), Some("debit")),
        (json!({}), None),
    ] {
        let side_found = transfer(&webhook("ON_CHAIN_WITHDRAWAL_PENDING", &changes)).side;
        assert_eq!(serde_json::to_value(side_found).expect("JSON"), json!(side), "{changes}");
    }
    for (name, outcome_expected) in [
        ("ON_CHAIN_DEPOSIT_CONFIRMED", "held: amounts_disagree"),
        ("ON_CHAIN_WITHDRAWAL_FAILED", "failed"),
        ("NETWORK_FEE", "charged"),
    ] {
        let statement = statement(&webhook(name, &json!({ "debit": "5", "credit": "5" })));
        assert_eq!(outcome(&statement), outcome_expected, "{name}");
        assert_eq!(notes(&statement), ["both `debit` and `credit` are stated"], "{name}");
        assert_eq!(transfer_of(statement).side, None, "{name}");
    }
    let why = why_not(&webhook("APPLICATION_FEE", &json!({ "debit": "5", "credit": "5" })));
    assert!(why.contains("neither `debit` nor `credit` is stated"), "the leg is its identity: {why}");
}

#[test]
fn an_amount_that_cannot_be_read_is_never_taken_as_missing() {
    for amount in [json!("abc"), json!("1e"), json!(true), json!(["1", "2"]), json!({ "value": "1" }), json!("1\n2")] {
        for (member, outcome_expected) in [
            ("credit", "held: amount_missing"),
            ("blockchainTransactionAmount", "held: amount_missing"),
            ("debit", "held: amount_missing"),
        ] {
            let statement = statement(&webhook("ON_CHAIN_DEPOSIT_CONFIRMED", &json!({ member: amount })));
            assert_eq!(outcome(&statement), outcome_expected, "{member}: {amount}");
            assert_eq!(notes(&statement), [format!("`{member}` is not a number")], "{amount}");
            assert_eq!(transfer_of(statement).provider_data[member], amount, "{amount}");
        }
        let both = json!({ "credit": amount, "blockchainTransactionAmount": "5" });
        let statement = statement(&webhook("ON_CHAIN_DEPOSIT_CONFIRMED", &both));
        assert_eq!(outcome(&statement), "held: amount_missing", "another amount does not take its place: {amount}");
    }
}

#[test]
fn a_network_fee_and_its_withdrawal_share_an_id_and_refer_to_each_other() {
    for (name, side, fee_amounts, withdrawal_amounts) in [
        ("NETWORK_FEE", "debit", [Some("5 wei"), None, None], [None, Some("5 wei"), None]),
        ("FEE_REFUND", "credit", [None, None, Some("5 wei")], [None, None, None]),
    ] {
        let body = webhook(name, &json!({ "txSubType": "TOTAL_WITHDRAWAL_FEE", side: "5", "memo": "m" }));
        let statements = all_statements(&body);
        let [fee, withdrawal] = statements.as_slice() else { unreachable!("two statements: {statements:?}") };
        assert_eq!(fee.resource.to_string(), "fee#striga#s-1:network");
        assert_eq!(withdrawal.resource.to_string(), "withdrawal#striga#s-1");
        // A fee says nothing about the status of its withdrawal.
        assert_eq!(status_of(withdrawal), "none");
        assert_eq!(withdrawal.content.occurred_at, fee.content.occurred_at);
        assert_ne!(withdrawal.content.id, fee.content.id);
        let [of_fee, of_withdrawal] = [fee, withdrawal].map(|statement| transfer_of(statement.clone()));
        assert_eq!(Vec::from_iter(&of_fee.related), [&withdrawal.resource]);
        assert_eq!(Vec::from_iter(&of_withdrawal.related), [&fee.resource]);
        let owned = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned));
        assert_eq!(
            (amounts(&of_fee), amounts(&of_withdrawal)),
            (owned(fee_amounts), owned(withdrawal_amounts)),
            "{name}"
        );
        // The fee's webhook must not overwrite what the withdrawal's own webhooks state.
        assert_eq!((of_withdrawal.provider_status, of_withdrawal.side, of_withdrawal.updated_at), (None, None, None));
        assert!(of_withdrawal.provider_data.is_empty() && of_withdrawal.balances.before.is_none());
    }
    // A fee of another sub-type does not belong to a known withdrawal.
    for sub_type in [Value::Null, json!("THEIR_FEE"), json!(["TOTAL_WITHDRAWAL_FEE", "THEIR_FEE"])] {
        let only = statement(&webhook("NETWORK_FEE", &json!({ "txSubType": sub_type, "debit": "5" })));
        assert!(transfer_of(only).related.is_empty(), "{sub_type}");
    }
}

#[test]
fn the_two_legs_of_an_application_fee_share_an_id_and_refer_to_each_other() {
    let leg = |side: &str| statement(&webhook("APPLICATION_FEE", &json!({ side: "50" })));
    let (debit, credit) = (leg("debit"), leg("credit"));
    assert_ne!(debit.resource, credit.resource);
    assert_eq!(Vec::from_iter(&transfer_of(debit.clone()).related), [&credit.resource]);
    assert_eq!(Vec::from_iter(&transfer_of(credit).related), [&debit.resource]);
}

#[test]
fn numbers_and_strings_are_read_alike_and_null_and_empty_strings_too() {
    for (sent, taken) in
        [(json!(1), Some("1")), (json!("1"), Some("1")), (json!(0), Some("0")), (json!(""), None), (json!(null), None)]
    {
        let details = transfer(&webhook("ON_CHAIN_DEPOSIT_PENDING", &json!({ "blockchainConfirmations": sent })));
        assert_eq!(details.transaction.confirmations.as_deref(), taken, "{sent}");
    }
    for odd in [json!("many"), json!("-1"), json!(1.5), json!(true), json!([1, 2])] {
        let details = transfer(&webhook("ON_CHAIN_DEPOSIT_PENDING", &json!({ "blockchainConfirmations": odd })));
        assert_eq!(details.transaction.confirmations, None, "{odd}");
        assert_eq!(details.provider_data["blockchainConfirmations"], odd);
    }
    let empty = json!({ "txHash": "", "blockchainSourceAddress": "", "blockchainDepositAddress": "", "currency": "" });
    let details = transfer(&webhook("ON_CHAIN_WITHDRAWAL_FAILED", &empty));
    assert_eq!(details.transaction, fundhook_domain::Transaction::default());
    assert_eq!(details.asset, None);
    assert!(details.provider_data.is_empty());
}

#[test]
fn a_member_repeated_with_the_same_value_is_read_once_and_with_another_value_not_at_all() {
    let body = |rest: &str| {
        format!(r#"{{"type":"ON_CHAIN_DEPOSIT_CONFIRMED","id":"1","timestamp":"2024-09-10T12:05:40Z",{rest}}}"#)
    };
    let read = |rest: &str| statements(&envelope(body(rest).as_bytes())).remove(0);
    let twice = transfer_of(read(r#""credit":"5","memo":"m","credit":"5","memo":"m""#));
    assert_eq!(twice.quantity.expect("an amount").value.to_string(), "5");
    assert_eq!(twice.provider_data["memo"], json!("m"));
    let memos = transfer_of(read(r#""memo":"m","memo":"n""#));
    assert_eq!(memos.provider_data["memo"], json!(["m", "n"]), "nothing is dropped");
    for (rest, member) in [
        (r#""id":"2""#, "`id`"),
        (r#""type":"ON_CHAIN_DEPOSIT_PENDING""#, "`type`"),
        (r#""txType":"ON_CHAIN_DEPOSIT_CONFIRMED","type":"ON_CHAIN_DEPOSIT_PENDING""#, "`type`"),
    ] {
        let why = reason(&envelope(body(rest).as_bytes()));
        assert!(why.contains(member), "{rest}: {why}");
    }
    for (rest, member) in [
        (r#""credit":"5","credit":"6""#, "credit"),
        (r#""credit":"5","credit":5"#, "credit"),
        (r#""credit":"5","timestamp":"2024-09-10T12:05:41Z""#, "timestamp"),
    ] {
        let statement = read(rest);
        assert_eq!(notes(&statement).len(), 1, "{rest}: {:?}", notes(&statement));
        assert!(notes(&statement)[0].contains(&format!("`{member}` is not a")), "{rest}");
        let details = transfer_of(statement);
        assert!(details.provider_data[member].is_array(), "{rest}");
        assert_eq!(details.quantity.is_some(), member != "credit", "{rest}");
    }
}
