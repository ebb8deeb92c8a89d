//! How zerohash's webhooks about recoveries, participants, accounts and balances are normalised: the rules, as tables.

use fundhook_domain::{Details, Statement};
use serde_json::{Value, json};

use crate::support::changed;
use crate::support::statements::{named, notes, only_statement, outcome, reason, statements, status_of, transfer_of};
use crate::support::zerohash::envelope;

/// The statements of `body`, sent without a payload type.
fn all_statements(body: &Value) -> Vec<Statement> {
    statements(&envelope(None, body.to_string().as_bytes()))
}

/// The single statement of `body`.
fn statement(body: &Value) -> Statement {
    only_statement(&envelope(None, body.to_string().as_bytes()))
}

fn why_not(body: &Value) -> String {
    reason(&envelope(None, body.to_string().as_bytes()))
}

/// A sample of `events/zerohash`, with `changes`.
fn sample(json: &str, changes: &Value) -> Value {
    changed(serde_json::from_str(json).expect("a sample"), changes)
}

fn deposit_failed(changes: &Value) -> Value {
    sample(include_str!("../../../../events/zerohash/deposit_failed.json"), changes)
}

fn quarantined(changes: &Value) -> Value {
    sample(include_str!("../../../../events/zerohash/deposit.recovery_quarantine.json"), changes)
}

fn completed(changes: &Value) -> Value {
    sample(include_str!("../../../../events/zerohash/deposit.completed.json"), changes)
}

fn payment(changes: &Value) -> Value {
    sample(include_str!("../../../../events/zerohash/payment.posted.json"), changes)
}

fn balance(changes: &Value) -> Value {
    sample(include_str!("../../../../events/zerohash/balance.changed.seconds.json"), changes)
}

fn participant(changes: &Value) -> Value {
    sample(include_str!("../../../../events/zerohash/participant.locked.json"), changes)
}

fn external_account(changes: &Value) -> Value {
    sample(include_str!("../../../../events/zerohash/external_account.approved.json"), changes)
}

#[test]
fn unexpected_deposits_and_returning_payments_name_their_recovery_and_it_names_them() {
    let unnamed = json!({ "asset": "USDC", "network": "" });
    let on_base = Some(["CUST01", "USDC"]);
    for (what, body, recovery, status) in [
        ("DEPOSIT_FAILED", deposit_failed(&json!({})), on_base, "required"),
        ("recovery_quarantine", quarantined(&json!({})), on_base, "required"),
        ("a returning payment", payment(&json!({})), on_base, "in_progress"),
        ("a settled one", payment(&json!({ "status": "settled" })), on_base, "resolved"),
        ("a failed one", payment(&json!({ "status": "failed" })), on_base, "required"),
        ("an abandoned one", payment(&json!({ "status": "abandoned" })), on_base, "required"),
        ("the network in the asset", payment(&json!({ "asset": "USDC.BASE", "network": "" })), on_base, "in_progress"),
        ("a returned one", payment(&json!({ "status": "returned" })), on_base, "required"),
        ("no network", payment(&unnamed), Some(["CUST01", "USDC"]), "in_progress"),
        ("no user", payment(&json!({ "participant_code": "" })), None, ""),
        ("no asset", payment(&json!({ "asset": "" })), None, ""),
        ("a payment for another purpose", payment(&json!({ "payment_type": "withdrawal" })), None, ""),
        ("an authorised deposit", quarantined(&json!({ "state": "completed" })), None, ""),
        ("no transaction", quarantined(&json!({ "transaction_hash": "" })), None, ""),
        ("no amount", quarantined(&json!({ "amount": "" })), None, ""),
    ] {
        let statements = all_statements(&body);
        let related = transfer_of(statements[0].clone()).related;
        let Some(recovery) = recovery else {
            assert_eq!(statements.len(), 1, "{what}");
            assert!(!related.iter().any(|id| id.to_string().starts_with("recovery#")), "{what}");
            continue;
        };
        assert_eq!(statements.len(), 2, "{what}");
        assert_eq!(statements[1].resource.to_string(), format!("recovery#zerohash#{}", named(&recovery)), "{what}");
        assert_eq!(status_of(&statements[1]), status, "{what}");
        assert_eq!(statements[1].content.occurred_at, statements[0].content.occurred_at, "{what}");
        assert!(related.contains(&statements[1].resource), "{what}");
        let Details::Recovery(details) = &statements[1].content.details else {
            unreachable!("{what}: {:?}", statements[1])
        };
        assert!(details.related().contains(&statements[0].resource), "{what}");
    }
}

#[test]
fn the_amount_that_leaves_the_account_is_returned() {
    for (total, quantity, returned) in
        [("100.00", "", Some("100")), ("100.00", "99.999", Some("100")), ("", "99.999", Some("100")), ("", "", None)]
    {
        let statements = all_statements(&payment(&json!({ "total": total, "quantity": quantity })));
        let Details::Recovery(details) = &statements[1].content.details else { unreachable!("{:?}", statements[1]) };
        let value = details.payments[&statements[0].resource].value().map(|value| value.to_string());
        assert_eq!(value.as_deref(), returned, "{total:?}, {quantity:?}");
        let stated = transfer_of(statements[0].clone()).quantity.map(|quantity| quantity.value.to_string());
        let expected = Some(quantity).filter(|quantity| !quantity.is_empty());
        assert_eq!(stated.as_deref(), expected, "{total:?}, {quantity:?}");
    }
}

#[test]
fn an_unexpected_deposit_without_an_id_is_named_by_all_that_it_states() {
    let resource = |changes: Value| all_statements(&deposit_failed(&changes)).remove(0).resource.to_string();
    let known = resource(json!({}));
    let hash = "a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff";
    assert_eq!(known, format!("deposit#zerohash#{}", named(&[hash, "CUST01", "USDC.BASE", "100"])));
    assert_eq!(resource(json!({ "quantity": "100.00" })), known, "the same amount is the same deposit");
    assert_eq!(resource(json!({ "success": "false", "note": "again" })), known);
    for changes in [
        json!({ "quantity": "101" }),
        json!({ "asset": "USDC.ETH" }),
        json!({ "participant_code": "CUST02" }),
        json!({ "transaction_id": "0x2" }),
    ] {
        assert_ne!(resource(changes.clone()), known, "{changes}");
    }
    for (changes, why) in [
        (json!({ "success": true }), "`success` is not false"),
        (json!({ "success": "no" }), "`success` is not false"),
        (json!({ "participant_code": "" }), "`participant_code` is missing"),
        (json!({ "transaction_id": "" }), "`transaction_id` is missing"),
        (json!({ "asset": ["USDC.BASE"] }), "`asset` is missing, or not a plain string"),
        (json!({ "transaction_id": "x".repeat(2000) }), "`transaction_id` is missing, or not a plain string"),
    ] {
        let found = why_not(&deposit_failed(&changes));
        assert!(found.contains(why), "{changes:.60}: {found}");
    }
    // An amount that cannot be read is part of the name as it came, so two of them are two deposits.
    let mut ids = vec![known];
    for quantity in [json!(""), json!("a lot"), json!(["100", "200"])] {
        let statements = all_statements(&deposit_failed(&json!({ "quantity": quantity })));
        assert_eq!((statements.len(), status_of(&statements[0])), (1, "unexpected"), "{quantity}: no recovery");
        assert!(!ids.contains(&statements[0].resource.to_string()), "{quantity}");
        ids.push(statements[0].resource.to_string());
        assert_eq!(transfer_of(statements[0].clone()).quantity, None, "{quantity}");
    }
}

#[test]
fn an_amount_that_cannot_be_read_is_never_taken_as_missing() {
    let odd = [json!("abc"), json!("1e"), json!("1,000"), json!(true), json!(["1", "2"]), json!({ "value": "1" })];
    let fund = |changes: &Value| sample(include_str!("../../../../events/zerohash/fund.success.json"), changes);
    for amount in odd {
        let details = json!({ "withdrawal_request_id": "w-1", "network_fee_quantity": amount });
        for (body, member, expected) in [
            (fund(&json!({ "quantity": amount })), "quantity", "held: amount_missing"),
            (fund(&json!({ "rate": amount, "deposit_fee_notional": "1" })), "rate", "held: amount_missing"),
            (fund(&json!({ "notional": amount })), "notional", "held: amount_missing"),
            (completed(&json!({ "amount": amount })), "amount", "held: amount_missing"),
            (quarantined(&json!({ "amount": amount })), "amount", "unexpected"),
            (payment(&json!({ "total": amount })), "total", "broadcast"),
            (payment(&json!({ "quantity": amount })), "quantity", "broadcast"),
            (payment(&json!({ "payment_details": details })), "payment_details.network_fee_quantity", "broadcast"),
            (deposit_failed(&json!({ "quantity": amount })), "quantity", "unexpected"),
        ] {
            let statement = all_statements(&body).remove(0);
            assert_eq!(outcome(&statement), expected, "{member} {amount}");
            assert_eq!(notes(&statement), [format!("`{member}` is not a number")], "{amount}");
            let kept = Value::Object(transfer_of(statement).provider_data);
            let pointer = format!("/{}", member.replace('.', "/"));
            assert_eq!(kept.pointer(&pointer), Some(&amount), "{member}");
        }
        let why = why_not(&balance(&json!({ "balance": amount })));
        assert!(why.contains("`balance` is not a number"), "{amount}: a balance without an amount says nothing: {why}");
    }
}

#[test]
fn numbers_and_strings_are_read_alike_and_empty_values_are_missing() {
    let of = |amount: Value| {
        let mut body = completed(&json!({ "amount": null }));
        body["amount"] = amount;
        transfer_of(statement(&body)).quantity.map(|quantity| quantity.value.to_string())
    };
    for (sent, exact) in [("75", "75"), ("0.10", "0.1"), ("9007199254740993", "9007199254740993"), ("-0.0", "0")] {
        assert_eq!(of(json!(sent)).as_deref(), Some(exact), "a string");
        assert_eq!(of(serde_json::from_str(sent).expect("a number")).as_deref(), Some(exact), "a number");
    }
    for nothing in [json!(""), Value::Null] {
        assert_eq!(of(nothing), None);
    }
}

#[test]
fn the_statuses_of_users_and_accounts_are_the_providers_words() {
    let users = ["submitted", "pending_approval", "approved", "rejected", "locked", "disabled", "divested", "closed"];
    for word in users {
        let statement = statement(&participant(&json!({ "participant_status": word })));
        assert_eq!(
            (statement.resource.to_string().as_str(), status_of(&statement)),
            ("participant#zerohash#CUST01", word)
        );
    }
    for word in ["pending", "approved", "rejected", "closed", "locked", "disabled"] {
        let statement = statement(&external_account(&json!({ "external_account_status": word })));
        let id = "external_account#zerohash#2cc93b20-ee43-4877-8cdc-863e61829015";
        assert_eq!((statement.resource.to_string().as_str(), status_of(&statement)), (id, word));
    }
    assert_eq!(status_of(&statement(&participant(&json!({ "participant_status": "Approved" })))), "approved");
    // Each kind has its own statuses.
    for (body, member) in [
        (participant(&json!({ "participant_status": "pending" })), "participant_status"),
        (external_account(&json!({ "external_account_status": "divested" })), "external_account_status"),
        (external_account(&json!({ "external_account_status": "confirmed" })), "external_account_status"),
    ] {
        let why = why_not(&body);
        assert!(why.contains(&format!("`{member}` is")) && why.contains("not known"), "{why}");
    }
}

#[test]
fn an_account_has_its_user_its_name_and_its_reason() {
    let Details::Account(locked) = statement(&participant(&json!({}))).content.details else {
        unreachable!("a participant")
    };
    assert_eq!(locked.status_reason.as_deref(), Some("compliance_investigation"));
    assert_eq!(locked.account.as_deref(), Some("CUST01"));
    let body = external_account(&json!({ "reason_code": "sanctions" }));
    let Details::Account(external) = statement(&body).content.details else { unreachable!("an external account") };
    assert_eq!((external.nickname.as_deref(), external.account.as_deref()), (Some("Savings wallet"), Some("CUST01")));
    assert_eq!(external.status_reason.as_deref(), Some("sanctions"));
    assert!(external.provider_data.is_empty());
}

#[test]
fn a_balance_is_named_by_its_user_account_and_asset() {
    let resource = |changes: Value| statement(&balance(&changes)).resource.to_string();
    let own = ["CUST01", "PLAT01", "general", "available", "USDC.BASE"];
    for (changes, parts) in [
        (json!({}), own),
        (json!({ "balance": "1", "timestamp": null, "movements": [] }), own),
        (json!({ "account_label": " general " }), own),
        (json!({ "account_type": "collateral" }), ["CUST01", "PLAT01", "general", "collateral", "USDC.BASE"]),
        (json!({ "asset": "USDC.ETH" }), ["CUST01", "PLAT01", "general", "available", "USDC.ETH"]),
        (json!({ "account_group": "" }), ["CUST01", "", "general", "available", "USDC.BASE"]),
        (json!({ "account_label": 7 }), ["CUST01", "PLAT01", "7", "available", "USDC.BASE"]),
    ] {
        assert_eq!(resource(changes.clone()), format!("balance#zerohash#{}", named(&parts)), "{changes}");
    }
    for member in ["participant_code", "asset"] {
        let mut body = balance(&json!({}));
        body[member] = json!("");
        assert!(why_not(&body).contains("so the balance cannot be named"), "{member}");
    }
    for member in ["participant_code", "account_group", "account_label", "account_type", "asset"] {
        for odd in [json!(["a", "b"]), json!(true), json!({ "name": "a" }), json!("a\nb")] {
            let why = why_not(&balance(&json!({ member: odd })));
            assert!(why.contains(&format!("`{member}`")), "{member} {odd}: two balances must not be merged: {why}");
        }
    }
    let body = balance(&json!({ "account_group": 12, "balance": 25 }));
    let Details::Balance(details) = statement(&body).content.details else { unreachable!("a balance") };
    assert_eq!(details.quantity.expect("an amount").value.to_string(), "25");
    assert_eq!(details.provider_data["account_group"], json!("12"));
    assert_eq!(details.provider_data["account_type"], json!("available"));
    for nothing in [json!(""), Value::Null] {
        let mut body = balance(&json!({}));
        body["balance"] = nothing;
        assert!(why_not(&body).contains("`balance` is not a number"));
    }
}
