//! One coin has one fate: however its spellings, amounts and reports differ.

use fundhook::show::timeline;
use fundhook_domain::{Kind, Provider, ResourceId, digest_hex};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Listener, Platform, hash, resource, run, uuid};
use serde_json::{Value, json};

/// What reports a coin. Each test has a customer of its own, so that no other test's deposits resemble its own.
struct Customer(String);

impl Customer {
    fn new() -> Self {
        Self(format!("CUST-{}", uuid()))
    }

    fn connect(&self, asset: &str, network: &str, amount: &str, transaction: &str, to: &str) -> (ResourceId, Webhook) {
        let id = resource(Kind::Deposit, Provider::Connect, &uuid());
        let body = json!({
            "event": "connect.deposits.confirmed",
            "deposit": {
                "id": id.native(), "amount": amount, "network": network, "asset": asset, "status": "CONFIRMED",
                "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:05:00Z",
                "transaction": { "hash": transaction, "to": to },
            },
            "account": { "reference_id": self.0 },
        });
        (id, Webhook::new(Provider::Connect, body.to_string().into_bytes()))
    }

    fn completed(&self, asset: &str, amount: &str, transaction: &str, to: &str) -> (ResourceId, Webhook) {
        let id = resource(Kind::Deposit, Provider::Zerohash, &uuid());
        let body = json!({
            "deposit_id": id.native(), "participant_code": self.0, "transaction_hash": transaction,
            "state": "completed", "asset": asset, "amount": amount, "received_address": to, "timestamp": 1_795_168_800,
        });
        (id, zerohash(&body))
    }

    fn fund(&self, amount: &str, transaction: &str, to: &str) -> (ResourceId, Webhook) {
        let id = resource(Kind::Deposit, Provider::Zerohash, &uuid());
        let body = json!({
            "participant_code": self.0, "fund_asset": "USDC.ETH", "rate": "1", "quoted_currency": "USD",
            "deposit_address": to, "quantity": amount, "notional": amount, "fund_id": id.native(),
            "deposit_timestamp": 1_795_168_800_000_u64, "transaction_id": transaction, "account_label": "general",
            "success": true, "status_reason": "",
        });
        (id, zerohash(&body))
    }

    fn deposit_failed(&self, amount: &str, transaction: &str) -> Webhook {
        zerohash(&json!({
            "participant_code": self.0, "asset": "USDC.ETH", "quantity": amount, "transaction_id": transaction,
            "success": false,
        }))
    }
}

fn zerohash(body: &Value) -> Webhook {
    Webhook::new(Provider::Zerohash, body.to_string().into_bytes())
}

/// An address for one test only.
fn address() -> String {
    format!("0x{}", &digest_hex(uuid().as_bytes())[..40])
}

/// Asserts the type of the event `number` about `id`, and returns its data.
async fn event(listener: &mut Listener<'_>, id: &ResourceId, number: u32, expected: &str) -> Value {
    let delivery = listener.event(&format!("{id}#{number}")).await;
    assert_eq!(delivery.text("/type"), format!("fundhook.deposit.{expected}"), "{}", delivery.event);
    delivery.event["data"].clone()
}

#[test]
fn a_coin_that_two_feeds_spell_differently_is_credited_once() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let (customer, transaction) = (Customer::new(), hash());
        let bitcoin_cash = "qp7eyvzmr3gsuxqay6lw5y7dmcpnwjrxwswacz9v6s";
        let with_scheme = format!("bitcoincash:{bitcoin_cash}");
        let (first, webhook) = customer.connect("BCH", "bitcoin cash", "2", &transaction, &with_scheme);
        let (second, other) = customer.completed("BCH", "2", &transaction.to_uppercase(), bitcoin_cash);
        platform.deliver(&[webhook]).await;
        event(&mut listener, &first, 1, "confirmed").await;
        platform.deliver(&[other]).await;
        let data = event(&mut listener, &second, 1, "duplicate").await;
        assert_eq!(data["duplicate_of"], first.to_string());
        // Whichever spelling a person types finds both.
        let found = platform.found_by("by-transaction", "tx", &transaction).await;
        assert!(found.contains(&first) && found.contains(&second), "{found:?}");
    });
}

#[test]
fn two_outputs_of_one_transaction_are_two_coins_in_three_statements() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let (customer, transaction) = (Customer::new(), hash());
        let bitcoin = "bc1q0kfrqkcu2y8ps8fxhm4p8nw7qvm5sen5k0p5d8";
        let output = |number: u32| format!("{transaction}-{number}");
        let (first, webhook) = customer.connect("BTC", "bitcoin", "0.5", &output(0), bitcoin);
        let (same, of_same) = customer.completed("BTC", "0.5", &output(0), bitcoin);
        let (second, of_second) = customer.completed("BTC", "0.7", &output(1), bitcoin);
        platform.deliver(&[webhook]).await;
        event(&mut listener, &first, 1, "confirmed").await;
        platform.deliver(&[of_second, of_same]).await;
        event(&mut listener, &second, 1, "confirmed").await;
        event(&mut listener, &same, 1, "duplicate").await;
    });
}

#[test]
fn two_hedera_transactions_of_one_second_are_two_coins() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let customer = Customer::new();
        let payer = format!("0.0.{}", 1_000_000 + fastrand::u32(..1_000_000));
        let at = |nanos: &str| format!("{payer}-1598924675-{nanos}");
        let (first, webhook) = customer.completed("HBAR", "5", &at("082525000"), "0.0.48213");
        let (second, other) = customer.connect("HBAR", "hedera", "5", &at("825250000"), "0.0.48213");
        platform.deliver(&[webhook, other]).await;
        event(&mut listener, &first, 1, "confirmed").await;
        event(&mut listener, &second, 1, "confirmed").await;
    });
}

#[test]
fn a_coin_that_is_credited_and_to_be_returned_is_neither_until_a_person_decides() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let (customer, transaction) = (Customer::new(), hash());
        platform.deliver(&[customer.deposit_failed("100", &transaction)]).await;
        let of_customer = |delivery: &fundhook::subscription::Delivery, event_type: &str| {
            delivery.text("/type") == event_type && delivery.text("/data/account") == customer.0
        };
        let is_required = |delivery: &_| of_customer(delivery, "fundhook.recovery.required");
        listener.receive_one("the recovery", is_required).await;

        let (credited, webhook) = customer.completed("USDC.ETH", "100", &transaction, &address());
        platform.deliver(&[webhook]).await;
        let data = event(&mut listener, &credited, 1, "conflicting").await;
        let unexpected = data["conflict_with"][0].as_str().expect("the other deposit").to_owned();
        let is_suspended = |delivery: &_| of_customer(delivery, "fundhook.recovery.suspended");
        let suspended = listener.receive_one("the suspended recovery", is_suspended).await;
        assert_eq!(suspended.event["data"].get("auth_request"), None, "it does not ask the user to return it");
        assert_eq!(suspended.event["data"]["suspended"][0], unexpected);

        let decision = json!({ "decide": {
            "resource": credited, "choice": "accept", "by": "alice", "reason": "credited by agreement",
        }});
        let decided = platform.reconcile(&decision).await;
        assert_eq!(decided["decided"][credited.to_string()], "accepted", "{decided}");
        let data = event(&mut listener, &credited, 3, "confirmed").await;
        assert_eq!((&data["decision"]["by"], &data["credit"]["net"]["value"]), (&json!("alice"), &json!("100")));
        let is_resolved = |delivery: &_| of_customer(delivery, "fundhook.recovery.resolved");
        listener.receive_one("the end of the recovery", is_resolved).await;

        // The timeline explains every event, and says who decided what and why.
        let timeline = timeline(&platform.resource(&credited).await);
        for shown in [
            format!("1. fundhook.relation ({unexpected} reports the transaction too: to be returned)"),
            format!("fundhook.deposit.conflicting (event {credited}#1)"),
            format!("fundhook.deposit.updated (event {credited}#2)"),
            "fundhook.decision (accepted it: credited by agreement)".to_owned(),
            format!("fundhook.deposit.confirmed (event {credited}#3)"),
            "decided by alice".to_owned(),
        ] {
            assert!(timeline.contains(&shown), "{shown:?} is not in\n{timeline}");
        }
    });
}

#[test]
fn two_credits_of_one_coin_conflict_on_both() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let (customer, transaction, to) = (Customer::new(), hash(), address());
        let (in_kind, webhook) = customer.connect("USDC", "ethereum", "100", &transaction, &to);
        let (converted, other) = customer.fund("100", &format!("0x{transaction}-0"), &to);
        platform.deliver(&[webhook]).await;
        event(&mut listener, &in_kind, 1, "confirmed").await;
        platform.deliver(&[other]).await;
        event(&mut listener, &converted, 1, "conflicting").await;
        let data = event(&mut listener, &in_kind, 2, "conflicting").await;
        assert_eq!((&data["conflict_about"], data.get("credit")), (&json!(["credit"]), None));
        assert_eq!(data["conflict_with"], json!([converted]));
    });
}

#[test]
fn a_deposit_that_may_be_credited_already_is_held_until_a_person_decides() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let (customer, to) = (Customer::new(), address());
        let (named, webhook) = customer.completed("USDC.ETH", "100", &hash(), &to);
        let (unnamed, other) = customer.fund("100", &uuid(), &to);
        platform.deliver(&[webhook]).await;
        event(&mut listener, &named, 1, "confirmed").await;
        platform.deliver(&[other]).await;
        let data = event(&mut listener, &unnamed, 1, "held").await;
        assert_eq!((&data["hold"]["reason"], &data["resembles"]), (&json!("may_be_credited"), &json!(named)));

        let decision = json!({ "decide": {
            "resource": unnamed, "choice": "reject", "by": "alice", "reason": "the same payment",
        }});
        platform.reconcile(&decision).await;
        let data = event(&mut listener, &unnamed, 2, "duplicate").await;
        assert_eq!(data["duplicate_of"], named.to_string());
    });
}

#[test]
fn a_corrected_transaction_is_the_coin_that_another_feed_reports() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let (customer, to) = (Customer::new(), address());
        let (first, corrected) = (hash(), hash());
        let (deposit, webhook) = customer.connect("USDC", "ethereum", "100", &first, &to);
        let again = String::from_utf8(webhook.body.clone()).expect("text").replace(&first, &corrected);
        let again = again.replace("10:05:00Z", "10:09:00Z");
        let again = Webhook { body: again.into_bytes(), ..webhook.clone() };
        platform.deliver(&[webhook]).await;
        event(&mut listener, &deposit, 1, "confirmed").await;
        platform.deliver(&[again]).await;
        event(&mut listener, &deposit, 2, "updated").await;
        let (other, of_other) = customer.completed("USDC.ETH", "100", &corrected, &to);
        platform.deliver(&[of_other]).await;
        let data = event(&mut listener, &other, 1, "duplicate").await;
        assert_eq!(data["duplicate_of"], deposit.to_string());
    });
}
