//! Rows of zerohash's lists: each states what the webhook about the same thing states, and both together are one event.

use std::collections::BTreeMap;

use fundhook_domain::{
    EvidenceClass, FeeBearer, Feed, Kind, ListKind, ListedAt, Provider, Resource, ResourceId, Scheme, Statement,
    events_after, fold,
};
use fundhook_providers::{Envelope, RawRow, ReadingSettings, listed, listed_at};
use serde_json::{Value, json};

use crate::support::funds::settings;
use crate::support::statements::{assert_can_be_stored, credit_of, outcome, statements_with, transfer_of};
use crate::support::{SIGNED_AT, at, changed, zerohash};
use crate::zerohash_histories::history;

const URL: &str = "https://api.zerohash.com";

pub(crate) fn row(list: ListKind, row: &Value) -> Envelope {
    let (feed, url) = (Feed::from(Provider::Zerohash), format!("{URL}{}", list.path()));
    listed(RawRow { list, feed: &feed, json: row.to_string(), url: &url, read_at: at(SIGNED_AT) })
}

fn webhook(payload_type: &str, body: &Value) -> Envelope {
    zerohash::envelope(Some(payload_type), body.to_string().as_bytes())
}

/// The customer bears fees: a row may state the gross of what its webhook states the net of.
pub(crate) fn statements(envelope: &Envelope) -> Vec<Statement> {
    statements_with(envelope, &settings(Some(FeeBearer::Customer)))
}

fn first(envelope: &Envelope) -> Statement {
    statements(envelope).remove(0)
}

/// The resources that these become, recorded in this order.
pub(crate) fn recorded(envelopes: &[&Envelope]) -> BTreeMap<ResourceId, Resource> {
    let mut resources = BTreeMap::new();
    for statement in envelopes.iter().flat_map(|envelope| statements(envelope)) {
        let id = statement.resource.clone();
        let known = resources.remove(&id).unwrap_or_else(|| Resource::unknown(id.clone()));
        resources.insert(id, fold(known, statement).into_resource());
    }
    resources
}

/// The types of the events about a resource of this kind, after these are recorded in this order.
pub(crate) fn events(kind: Kind, envelopes: &[&Envelope]) -> Vec<String> {
    let resources = recorded(envelopes);
    let of_kind = resources.values().filter(|resource| resource.id().kind() == kind);
    of_kind.flat_map(|it| events_after(it, 0)).map(|event| event.event_type.replace("fundhook.", "")).collect()
}

/// A fund transaction of 500 USDC [zerohash-fund-api].
fn fund(changes: &Value) -> Value {
    let body = json!({
        "participant_code": "CUST01", "fund_asset": "USDC.ETH", "rate": "1", "quoted_currency": "USD",
        "deposit_address": "0xbb02", "quantity": "500", "notional": "495.00",
        "fund_id": "5155f7c9-95cb-4556-ab89-c178943a7111", "fund_timestamp": 1_750_404_740_514_i64,
        "deposit_timestamp": 1_750_404_730_000_i64, "success": true, "account_label": "general",
        "transaction_id": "0xa07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff",
        "raw_fee_bps": "100", "raw_fee_notional": "5.00", "deposit_fee_bps": "100", "deposit_fee_notional": "5.00",
    });
    changed(body, changes)
}

/// A deposit's row [zerohash-openapi], in this state.
pub(crate) fn deposit_row(state: &str, changes: &Value) -> Value {
    let row = json!({
        "depositId": "cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd", "accountId": "f7d20ca9-d20e-45d6-bc5c-7ef355e1d846",
        "participantCode": "CUST01", "state": state, "asset": "USDC.BASE", "amount": "75",
        "transactionHash": "0xbd031f32f88c15a6ee28bddec8ead829b2222b83c830360643a57e612d26dde0",
        "sourceAddress": "0xC4877aADd0041b46A097E4c952f4eD320eb0B588",
        "receivedAddress": "0x50D874aAB0C6947b04604599dCF349fdB22e7177", "travelRuleStatus": "not_required",
        "history": [{ "fromState": "pending_settlement", "toState": state, "timestamp": "2025-06-24T09:04:07Z" }],
    });
    changed(row, changes)
}

/// The webhook about the same deposit.
pub(crate) fn deposit_webhook(state: &str) -> Envelope {
    let body = json!({
        "deposit_id": "cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd", "account_id": "f7d20ca9-d20e-45d6-bc5c-7ef355e1d846",
        "participant_code": "CUST01", "state": state, "asset": "USDC.BASE", "amount": "75",
        "transaction_hash": "0xbd031f32f88c15a6ee28bddec8ead829b2222b83c830360643a57e612d26dde0",
        "source_address": "0xC4877aADd0041b46A097E4c952f4eD320eb0B588",
        "received_address": "0x50D874aAB0C6947b04604599dCF349fdB22e7177", "timestamp": 1_750_755_847,
    });
    webhook("deposit.status_changed", &body)
}

/// A payment, as a row and as a webhook [zerohash-openapi, zerohash-withdraw-sdk].
fn payment(status: &str, changes: &Value) -> Value {
    let body = json!({
        "payment_id": "p-1", "payment_type": "payout", "status": status, "participant_code": "CUST01",
        "obo_participant": { "participant_code": "CUST01", "account_group": "ABC123", "account_label": "general" },
        "payment_details": {
            "withdrawal_request_id": "w-1", "trade_id": "t-1", "on_chain_transaction_id": "0x5e7e1d",
            "network_fee_notional": "1.25", "network_fee_quantity": "1.25",
        },
        "total": "200", "quantity": "198.75", "asset": "USDC", "quoted_asset": "USD", "network": "BASE",
        "external_account_id": "2cc93b20-ee43-4877-8cdc-863e61829015", "reference_id": "order-7",
        "created_at": "2025-06-24T09:03:00Z", "updated_at": "2025-06-24T09:03:00Z",
    });
    changed(body, changes)
}

const CHANGED_MS: i64 = 1_750_750_200_000;

fn participant(status: &str, time: &str) -> Value {
    json!({ "participant_code": "CUST01", status: "locked", "reason_code": "risk", time: CHANGED_MS })
}

fn external_account(status: &str, time: &Value) -> Value {
    let at = if time == "timestamp" { json!(CHANGED_MS) } else { json!("2025-06-24T07:30:00Z") };
    json!({
        "external_account_id": "e-1", "participant_code": "CUST01", "account_nickname": "Savings", status: "closed",
        time.as_str().unwrap_or_default(): at,
    })
}

fn account_row(balance: &str, at: i64) -> Value {
    json!({
        "account_id": "a-1", "account_owner": "CUST01", "account_group": "ABC123", "account_label": "general",
        "account_type": "available", "asset": "USDC.BASE", "balance": balance, "last_update": at,
    })
}

fn balance(balance: &str) -> Value {
    json!({
        "participant_code": "CUST01", "account_group": "ABC123", "account_label": "general", "account_type": "available",
        "asset": "USDC.BASE", "balance": balance, "timestamp": CHANGED_MS / 1000,
        "movements": [{ "movement_id": "m-1", "movement_type": "deposit", "change": "75", "movement_timestamp": CHANGED_MS }],
    })
}

#[test]
fn a_row_and_a_webhook_that_differ_in_the_amount_the_status_or_the_time_are_two_events() {
    let told = webhook("account_balance.changed", &balance("100.5"));
    for (amount, at) in [("100.51", CHANGED_MS), ("100.5", CHANGED_MS + 1)] {
        let listed = row(ListKind::Accounts, &account_row(amount, at));
        for envelopes in [[&listed, &told], [&told, &listed]] {
            assert_eq!(events(Kind::Balance, &envelopes).len(), 2, "{amount} at {at}");
        }
    }
    let told = webhook("participant_status_changed", &participant("participant_status", "timestamp"));
    for (status, at) in [("approved", CHANGED_MS), ("locked", CHANGED_MS + 1)] {
        let listed = json!({ "participant_code": "CUST01", "status": status, "updated_at": at });
        let listed = row(ListKind::Participants, &listed);
        for envelopes in [[&listed, &told], [&told, &listed]] {
            assert_eq!(events(Kind::Participant, &envelopes).len(), 2, "{status} at {at}");
        }
    }
}

#[test]
fn a_row_and_its_webhook_are_one_event_whichever_comes_first() {
    let bank = |status: &str, name: &str| json!({ "transaction_id": "b-1", name: status, "amount": "25", "participant_code": "CUST01" });
    for (what, row, webhook, kind, expected) in [
        (
            "fund transaction",
            row(ListKind::FundTransactions, &fund(&json!({}))),
            webhook("deposit_fund_complete", &fund(&json!({}))),
            Kind::Deposit,
            "deposit.confirmed",
        ),
        (
            "fund transaction, gross in the row and net in the webhook [zerohash-fund-api]",
            row(
                ListKind::FundTransactions,
                &fund(&json!({ "notional": "500", "raw_fee_notional": "5", "deposit_fee_notional": "5" })),
            ),
            webhook("deposit_fund_complete", &fund(&json!({}))),
            Kind::Deposit,
            "deposit.confirmed",
        ),
        (
            "failed fund transaction",
            row(
                ListKind::FundTransactions,
                &fund(&json!({ "success": false, "reason": "Travel Rule-based account match failed" })),
            ),
            webhook(
                "deposit_fund_complete",
                &fund(&json!({ "success": false, "reason": "Travel Rule-based account match failed" })),
            ),
            Kind::Deposit,
            "deposit.held",
        ),
        (
            "completed deposit",
            row(ListKind::Deposits, &deposit_row("completed", &json!({}))),
            deposit_webhook("completed"),
            Kind::Deposit,
            "deposit.confirmed",
        ),
        (
            "completed deposit in upper case",
            row(ListKind::Deposits, &deposit_row("COMPLETED", &json!({}))),
            deposit_webhook("completed"),
            Kind::Deposit,
            "deposit.confirmed",
        ),
        (
            "quarantined deposit",
            row(ListKind::Deposits, &deposit_row("quarantined", &json!({}))),
            deposit_webhook("quarantined"),
            Kind::Deposit,
            "deposit.held",
        ),
        (
            "unexpected deposit",
            row(ListKind::Deposits, &deposit_row("recovery_quarantine", &json!({}))),
            deposit_webhook("recovery_quarantine"),
            Kind::Deposit,
            "deposit.unexpected",
        ),
        (
            "the recovery of an unexpected deposit",
            row(ListKind::Deposits, &deposit_row("recovery_quarantine", &json!({}))),
            deposit_webhook("recovery_quarantine"),
            Kind::Recovery,
            "recovery.required",
        ),
        (
            "payment",
            row(ListKind::Payments, &payment("settled", &json!({}))),
            webhook("payment_status_changed", &payment("settled", &json!({}))),
            Kind::Withdrawal,
            "withdrawal.confirmed",
        ),
        (
            "failed payment",
            row(ListKind::Payments, &payment("failed", &json!({}))),
            webhook(
                "payment_status_changed",
                &payment("failed", &json!({ "payment_details": { "withdrawal_request_id": "w-1" } })),
            ),
            Kind::Withdrawal,
            "withdrawal.failed",
        ),
        (
            "bank payment",
            row(ListKind::BankPayments, &bank("settled", "status")),
            webhook("payment_status_changed", &bank("settled", "payment_status")),
            Kind::Withdrawal,
            "withdrawal.confirmed",
        ),
        (
            "participant",
            row(ListKind::Participants, &participant("status", "updated_at")),
            webhook("participant_status_changed", &participant("participant_status", "timestamp")),
            Kind::Participant,
            "participant.locked",
        ),
        (
            "external account, dated in another form",
            row(ListKind::ExternalAccounts, &external_account("status", &json!("updated_at"))),
            webhook(
                "external_account_status_changed",
                &external_account("external_account_status", &json!("timestamp")),
            ),
            Kind::ExternalAccount,
            "external_account.closed",
        ),
        (
            "balance, written otherwise, with the movement that changed it in the webhook only",
            row(ListKind::Accounts, &account_row("100.50", CHANGED_MS)),
            webhook("account_balance.changed", &balance("100.5")),
            Kind::Balance,
            "balance.changed",
        ),
    ] {
        for envelopes in [[&row, &webhook], [&webhook, &row]] {
            assert_eq!(events(kind, &envelopes), [expected], "{what}");
        }
        let of_both = recorded(&[&row, &webhook]);
        let alone = recorded(&[&webhook]);
        assert_eq!(of_both.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>(), "{what}: the same resources");
        for (id, resource) in &of_both {
            let books = |resource: &Resource| resource.view().map(|view| view.books(resource.id()));
            assert_eq!(books(resource), books(&alone[id]), "{what}: {id} books the same");
        }
        statements(&row).iter().for_each(|statement| assert_can_be_stored(statement, what));
    }
}

#[test]
fn a_row_that_states_the_gross_holds_a_deposit_until_a_setting_or_its_webhook_says_who_bears_the_fee() {
    let gross = fund(&json!({ "notional": "500", "raw_fee_notional": "5", "deposit_fee_notional": "5" }));
    let (row, webhook) = (row(ListKind::FundTransactions, &gross), webhook("deposit_fund_complete", &fund(&json!({}))));
    let without_setting = |envelope| statements_with(envelope, &ReadingSettings::default()).remove(0);
    let (listed, sent) = (without_setting(&row), without_setting(&webhook));
    assert_eq!(
        (credit_of(&listed), credit_of(&sent)),
        ("held: fee_bearer_unknown".into(), "495 USD of 500, deposit_fee 5 customer".into())
    );
    for statements in [[&listed, &sent], [&sent, &listed]] {
        let unknown = Resource::unknown(listed.resource.clone());
        let resource =
            statements.into_iter().fold(unknown, |it, statement| fold(it, statement.clone()).into_resource());
        let view = resource.view().expect("a view");
        assert!(view.is_credited() && view.conflict.is_none(), "one credit, of the webhook");
    }
}

#[test]
fn a_row_is_evidence_of_the_weakest_class_and_names_its_list() {
    for (list, body, scheme, event_type) in [
        (
            ListKind::FundTransactions,
            fund(&json!({})),
            Scheme::ZerohashFundTransactionsApi,
            "zerohash.fund_transactions",
        ),
        (ListKind::Deposits, deposit_row("completed", &json!({})), Scheme::ZerohashDepositsApi, "zerohash.deposits"),
        (ListKind::Payments, payment("posted", &json!({})), Scheme::ZerohashPaymentsApi, "zerohash.payments"),
        (
            ListKind::BankPayments,
            json!({ "transaction_id": "b-1", "status": "posted" }),
            Scheme::ZerohashBankPaymentsApi,
            "zerohash.bank_payments",
        ),
        (
            ListKind::Participants,
            participant("status", "updated_at"),
            Scheme::ZerohashParticipantsApi,
            "zerohash.participants",
        ),
        (
            ListKind::ExternalAccounts,
            external_account("status", &json!("updated_at")),
            Scheme::ZerohashExternalAccountsApi,
            "zerohash.external_accounts",
        ),
        (ListKind::Accounts, account_row("1", CHANGED_MS), Scheme::ZerohashAccountsApi, "zerohash.accounts"),
    ] {
        let statement = first(&row(list, &body));
        let attestation = &statement.content.evidence.attestation;
        assert_eq!((attestation.scheme, attestation.class), (scheme, EvidenceClass::Api));
        assert_eq!((attestation.key.as_str(), attestation.signed_at), (URL, None));
        assert_eq!(statement.content.event_type, event_type);
        assert_eq!(Scheme::of_list(list).list(), Some(list));
    }
}

#[test]
fn a_deposits_row_happened_when_it_reached_its_state() {
    let since = |changes: Value| {
        let stated = statements(&row(ListKind::Deposits, &deposit_row("completed", &changes)));
        stated.last().expect("a statement").content.occurred_at
    };
    let read = at(SIGNED_AT);
    for (changes, expected) in [
        (json!({}), "2025-06-24T09:04:07Z".parse().expect("RFC 3339")),
        // It was completed twice: a person acted in between.
        (
            json!({ "history": [
                { "toState": "completed", "timestamp": "2025-06-24T09:00:00Z" },
                { "toState": "COMPLETED", "timestamp": "2025-06-25T09:00:00Z" },
                { "toState": "quarantined", "timestamp": "2025-06-26T09:00:00Z" },
            ] }),
            "2025-06-25T09:00:00Z".parse().expect("RFC 3339"),
        ),
        (
            json!({ "history": [], "updatedAt": "2025-06-24T10:00:00Z" }),
            "2025-06-24T10:00:00Z".parse().expect("RFC 3339"),
        ),
        (
            json!({ "history": null, "createdAt": "2025-06-24T08:00:00Z" }),
            "2025-06-24T08:00:00Z".parse().expect("RFC 3339"),
        ),
        (json!({ "history": "none" }), read),
        (
            json!({ "createdAt": "2025-06-24T08:00:00Z", "history": history("toState", &[("initial", "08:30:00")]) }),
            "2025-06-24T08:30:00Z".parse().expect("RFC 3339"),
        ),
        (json!({ "history": [7, {}, { "toState": "completed", "timestamp": "soon" }] }), read),
    ] {
        assert_eq!(since(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn a_payment_under_two_names_is_the_payment_of_its_webhooks() {
    let listed = first(&row(ListKind::Payments, &payment("settled", &json!({}))));
    let names = transfer_of(listed.clone()).names;
    assert_eq!(listed.resource.to_string(), "withdrawal#zerohash#p-1");
    assert_eq!(names.iter().map(ResourceId::native).collect::<Vec<_>>(), ["p-1", "w-1"]);
}

#[test]
fn a_row_that_is_not_understood_is_unrecognized_and_never_lost() {
    for (list, body) in [
        (ListKind::FundTransactions, json!({ "success": true })),
        (ListKind::Deposits, json!({ "state": "completed" })),
        (ListKind::Payments, json!({ "payment_id": "p-1", "status": "teleported" })),
        (ListKind::Payments, json!({ "status": "settled" })),
        (ListKind::BankPayments, json!({ "transaction_id": "b-1" })),
        (ListKind::BankPayments, json!([])),
        (ListKind::Participants, json!({ "participant_code": "CUST01" })),
        (ListKind::Participants, json!({ "participant_code": "CUST01", "status": "teleported" })),
        (ListKind::ExternalAccounts, json!({ "participant_code": "CUST01", "status": "closed" })),
        (ListKind::Accounts, json!({ "account_owner": "CUST01", "balance": "1" })),
    ] {
        let statement = first(&row(list, &body));
        assert_eq!(statement.resource.kind(), Kind::Unrecognized, "{body}");
        assert_eq!(outcome(&statement), "seen", "{body}");
    }
}

#[test]
fn an_unknown_state_holds_a_listed_deposit_as_it_holds_a_webhook() {
    let state = |state: &str| credit_of(&first(&row(ListKind::Deposits, &deposit_row(state, &json!({})))));
    assert_eq!(state("teleported"), "held: status_unknown");
    assert_eq!(state("completed"), "75 USDC");
}

#[test]
fn a_list_is_read_by_the_date_that_the_provider_documents() {
    let dated = ListedAt::At("2025-06-24T09:03:00Z".parse().expect("RFC 3339"));
    for (list, body, expected) in [
        (ListKind::FundTransactions, json!({ "deposit_timestamp": 1_750_755_780_000_i64 }), dated),
        (ListKind::FundTransactions, json!({ "fund_timestamp": 1 }), ListedAt::Missing),
        (ListKind::Payments, json!({ "created_at": "2025-06-24T09:03:00Z" }), dated),
        (ListKind::Payments, json!({ "created_at": "yesterday" }), ListedAt::Missing),
        (ListKind::Deposits, json!({ "createdAt": "2025-06-24T09:03:00Z" }), ListedAt::AsRequested),
        (ListKind::BankPayments, json!({}), ListedAt::AsRequested),
        (ListKind::Participants, json!({ "updated_at": 1_750_755_780_000_i64 }), dated),
        (
            ListKind::ExternalAccounts,
            json!({ "updated_at": "2025-06-24T09:03:00Z", "created_at": "2025-06-01T00:00:00Z" }),
            dated,
        ),
        (ListKind::ExternalAccounts, json!({ "created_at": "2025-06-24T09:03:00Z" }), dated),
        (ListKind::ExternalAccounts, json!({}), ListedAt::Missing),
        (ListKind::Accounts, json!({ "last_update": 1_750_755_780_000_i64 }), dated),
    ] {
        assert_eq!(listed_at(list, &body.to_string()), expected, "{list} {body}");
    }
}
