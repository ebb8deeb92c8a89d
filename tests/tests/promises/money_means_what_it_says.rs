//! What an event says about money is what may be booked: credits net of fees, holds with their reasons, conflicts that no
//! subscriber can mistake for updates.

use fundhook_domain::{Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Listener, Platform, changed, event_ids, hash, resource, run, unique, uuid};
use serde_json::{Value, json};

/// What is expected of one event: its type, and members of its data by their JSON pointers. `null` stands for a member
/// that is missing.
struct Expected {
    event_type: &'static str,
    members: Vec<(&'static str, Value)>,
}

fn event<const N: usize>(event_type: &'static str, members: [(&'static str, Value); N]) -> Expected {
    Expected { event_type, members: members.into() }
}

/// Webhooks about one resource, in order, and the event of each.
struct Story {
    about: ResourceId,
    webhooks: Vec<Webhook>,
    expected: Vec<Expected>,
}

fn zerohash(body: &Value) -> Webhook {
    Webhook::new(Provider::Zerohash, body.to_string().into_bytes())
}

fn text(body: String) -> Webhook {
    Webhook::new(Provider::Zerohash, body.into_bytes())
}

fn striga(body: &Value) -> Webhook {
    Webhook::new(Provider::Striga, body.to_string().into_bytes())
}

/// A deposit of zerohash for one test only.
fn zerohash_deposit() -> ResourceId {
    resource(Kind::Deposit, Provider::Zerohash, &uuid())
}

/// A fund transaction about `id` with these members in place of the usual ones.
fn fund(id: &ResourceId, changes: &Value) -> Value {
    let mut body = json!({
        "participant_code": "CUST01",
        "fund_asset": "USDC.BASE",
        "rate": "1",
        "quoted_currency": "USD",
        "deposit_address": "0x3A45a60c635E6cD616B1C4510404Eba88116050C",
        "quantity": "500",
        "notional": "500",
        "fund_id": id.native(),
        "deposit_timestamp": 1_767_225_600_000_u64,
        "transaction_id": format!("0x{}", hash()),
        "account_label": "general",
        "success": true,
    });
    for (name, value) in changes.as_object().expect("changes are an object") {
        body[name] = value.clone();
    }
    body
}

/// A deposit's status in `state`, dated `timestamp`.
fn deposit_status(id: &ResourceId, transaction: &str, state: &str, timestamp: u64) -> Webhook {
    zerohash(&json!({
        "deposit_id": id.native(),
        "account_id": "CUST01.general",
        "participant_code": "CUST01",
        "transaction_hash": transaction,
        "state": state,
        "asset": "USDC.BASE",
        "amount": "40",
        "received_address": "0x50D874aAB0C6947b04604599dCF349fdB22e7177",
        "timestamp": timestamp,
    }))
}

const MATCH_PENDING: &str = "deposit received, however the Travel Rule-based account match has not completed";
const MATCH_FAILED: &str = "Travel Rule-based account match failed";

fn fee_is_deducted() -> Story {
    let about = zerohash_deposit();
    let body = fund(&about, &json!({ "notional": "495.00", "deposit_fee_notional": "5.00" }));
    let credit = [
        ("/status", json!("confirmed")),
        ("/credit/net", json!({ "value": "495", "asset": "USD" })),
        ("/credit/gross", json!({ "value": "500", "asset": "USD" })),
        ("/credit/fees/0/value", json!("5")),
        ("/credit/fees/0/borne_by", json!("customer")),
        ("/conversion/notional", json!("495")),
    ];
    Story { about, webhooks: vec![zerohash(&body)], expected: vec![event("deposit.confirmed", credit)] }
}

fn completed_and_then_quarantined() -> Story {
    let about = zerohash_deposit();
    let transaction = format!("0x{}", hash());
    let webhooks = vec![
        deposit_status(&about, &transaction, "completed", 1_767_225_600),
        deposit_status(&about, &transaction, "quarantined", 1_767_312_000),
    ];
    let conflict = [("/conflicting", json!(["held", "confirmed"])), ("/credit", Value::Null)];
    let expected = vec![event("deposit.confirmed", []), event("deposit.conflicting", conflict)];
    Story { about, webhooks, expected }
}

fn success_and_then_a_terminal_failure() -> Story {
    let about = zerohash_deposit();
    let success = fund(&about, &json!({}));
    let of = |reason: &str| {
        let mut body = success.clone();
        (body["success"], body["status_reason"]) = (json!(false), json!(reason));
        zerohash(&body)
    };
    let webhooks = vec![zerohash(&success), of(MATCH_PENDING), of(MATCH_FAILED)];
    let late = [("/late", json!(true)), ("/status", json!("confirmed")), ("/conflicting", Value::Null)];
    let conflict = [("/conflicting", json!(["held", "confirmed"])), ("/conflict_about", json!(["status"]))];
    let expected =
        vec![event("deposit.confirmed", []), event("deposit.updated", late), event("deposit.conflicting", conflict)];
    Story { about, webhooks, expected }
}

fn the_graver_of_two_holds() -> Story {
    let about = zerohash_deposit();
    let of = |reason: &str| zerohash(&fund(&about, &json!({ "success": false, "status_reason": reason })));
    let webhooks = vec![of(MATCH_PENDING), of(MATCH_FAILED)];
    let pending = [("/hold/reason", json!("account_match_pending")), ("/hold/needs", json!("provider"))];
    let failed = [("/hold/reason", json!("account_match_failed")), ("/hold/location", json!("customer_account"))];
    let expected = vec![event("deposit.held", pending), event("deposit.held", failed)];
    Story { about, webhooks, expected }
}

fn settled_and_then_returned() -> Story {
    let about = resource(Kind::Withdrawal, Provider::Zerohash, &uuid());
    let of = |status: &str| {
        zerohash(&json!({
            "payment_id": about.native(), "payment_type": "payout", "status": status, "participant_code": "CUST01",
            "asset": "USDC", "network": "BASE", "quantity": "10", "total": "10", "payment_details": {},
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }))
    };
    let webhooks = vec![of("settled"), of("returned")];
    let returned = [("/previous_status", json!("confirmed")), ("/conflicting", Value::Null)];
    let expected = vec![event("withdrawal.confirmed", []), event("withdrawal.returned", returned)];
    Story { about, webhooks, expected }
}

fn odd_members() -> Story {
    let about = zerohash_deposit();
    let odd = json!({ "rate": "RATE", "quantity": "100000000", "notional": "99", "fund_asset": "PEPE.ETH",
        "fund_timestamp": 1_767_225_600_123_456_u64, "note": "half a pair: HALF" });
    let body = fund(&about, &odd).to_string().replace("\"RATE\"", "9.9e-7").replace("HALF", "\\ud800");
    let kept = [
        ("/credit/net", json!({ "value": "99", "asset": "USD" })),
        ("/credit/conversion/rate", json!("0.00000099")),
        ("/provider_data/note", json!("half a pair: \u{fffd}")),
    ];
    Story { about, webhooks: vec![text(body)], expected: vec![event("deposit.confirmed", kept)] }
}

fn an_amount_that_is_not_positive(amount: &'static str) -> Story {
    let about = zerohash_deposit();
    let body = fund(&about, &json!({ "quantity": amount, "notional": amount }));
    let held = [("/hold/reason", json!("amount_not_positive")), ("/credit", Value::Null)];
    Story { about, webhooks: vec![zerohash(&body)], expected: vec![event("deposit.held", held)] }
}

fn money_that_arrives_after_the_user_left() -> Story {
    let about = unique(Kind::Deposit);
    let webhook = |file| Webhook::new(Provider::Connect, changed(file, about.native(), &[]));
    let webhooks = ["deposits.pending.json", "deposits.abandoned.json", "deposits.on_hold.json"].map(webhook).into();
    let held = [("/previous_status", json!("abandoned")), ("/hold/reason", json!("travel_rule"))];
    let expected = vec![event("deposit.pending", []), event("deposit.abandoned", []), event("deposit.held", held)];
    Story { about, webhooks, expected }
}

fn a_fee_in_another_asset_before_its_withdrawal() -> Story {
    let about = resource(Kind::Withdrawal, Provider::Striga, &uuid());
    let of = |name: &str, sub_type: &str, currency: &str, debit: &str, unit: &str| {
        striga(&json!({
            "type": name, "txType": name, "txSubType": sub_type, "id": about.native(), "accountId": "account-1",
            "syncedOwnerId": "owner-1", "currency": currency, "debit": debit,
            "balanceBefore": { "amount": "9000000000000000000", "currency": unit },
            "balanceAfter": { "amount": "8000000000000000000", "currency": unit },
            "timestamp": "2026-01-01T00:00:00.000Z",
        }))
    };
    let webhooks = vec![
        of("NETWORK_FEE", "TOTAL_WITHDRAWAL_FEE", "POL", "1000000000000000", "wei"),
        of("ON_CHAIN_WITHDRAWAL_INITIATED", "", "USDC", "1000", "cents"),
    ];
    let before = [("/status", Value::Null), ("/amount", Value::Null), ("/fee/asset", json!("POL"))];
    let after = [
        ("/status", json!("initiated")),
        ("/amount/major", json!("10")),
        ("/amount/asset", json!("USDC")),
        ("/fee/major", json!("0.001")),
        ("/fee/asset", json!("POL")),
        ("/total", Value::Null),
    ];
    let expected = vec![event("withdrawal.updated", before), event("withdrawal.initiated", after)];
    Story { about, webhooks, expected }
}

/// Checks the events of a story.
async fn assert_told(listener: &mut Listener<'_>, story: &Story) {
    listener.receive(event_ids(&story.about, story.expected.len())).await;
    for (expected, number) in story.expected.iter().zip(1..) {
        let delivery = listener.event(&format!("{}#{number}", story.about)).await;
        let data = &delivery.event["data"];
        assert_eq!(delivery.text("/type"), format!("fundhook.{}", expected.event_type), "{data}");
        for (pointer, value) in &expected.members {
            assert_eq!(data.pointer(pointer).unwrap_or(&Value::Null), value, "{pointer} of {data}");
        }
    }
}

#[test]
fn every_kind_of_statement_about_money_becomes_what_may_be_booked() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let stories = [
            fee_is_deducted(),
            completed_and_then_quarantined(),
            success_and_then_a_terminal_failure(),
            the_graver_of_two_holds(),
            settled_and_then_returned(),
            odd_members(),
            an_amount_that_is_not_positive("-5"),
            an_amount_that_is_not_positive("0"),
            money_that_arrives_after_the_user_left(),
            a_fee_in_another_asset_before_its_withdrawal(),
        ];
        // The webhooks of a story arrive one after the other.
        let rounds = stories.iter().map(|story| story.webhooks.len()).max().unwrap_or(0);
        for round in 0..rounds {
            for story in &stories {
                if let Some(webhook) = story.webhooks.get(round) {
                    platform.deliver(std::slice::from_ref(webhook)).await;
                }
            }
            for story in stories.iter().filter(|story| story.webhooks.len() > round) {
                platform.recorded(&story.about, round as u64 + 1).await;
            }
        }
        for story in &stories {
            assert_told(&mut listener, story).await;
        }
    });
}

#[test]
fn of_two_balances_in_one_second_the_last_received_is_current_and_not_late() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let participant = uuid();
        let of = |balance: &str| {
            zerohash(&json!({
                "participant_code": participant, "account_group": "PLAT01", "account_label": "general",
                "account_type": "available", "asset": "USD", "balance": balance, "timestamp": 1_767_225_600,
            }))
        };
        let webhooks = [of("90"), of("100")];
        let balance = platform.statements(&webhooks[0]).await.remove(0).resource;
        for (webhook, recorded) in webhooks.iter().zip(1..) {
            platform.deliver(std::slice::from_ref(webhook)).await;
            platform.recorded(&balance, recorded).await;
        }
        listener.receive(event_ids(&balance, 2)).await;
        let last = listener.event(&format!("{balance}#2")).await;
        assert_eq!((last.text("/type"), last.text("/data/amount/major")), ("fundhook.balance.changed", "100"));
        assert_eq!(last.event["data"]["late"], json!(false));
        assert!(!balance.to_string().contains(&participant), "{balance} does not name its user");
    });
}

#[test]
fn a_setting_says_who_bears_a_fee() {
    run(async {
        let unset = Platform::shared().await;
        let about = zerohash_deposit();
        let webhook = zerohash(&fund(&about, &json!({ "deposit_fee_notional": "5" })));
        let mut listener = unset.listen().await;
        unset.deliver(std::slice::from_ref(&webhook)).await;
        let held = listener.event(&format!("{about}#1")).await;
        assert_eq!(held.text("/data/hold/reason"), "fee_bearer_unknown");
        assert!(held.text("/data/hold/explanation").contains("FUNDHOOK_DEPOSIT_FEES_BORNE_BY"), "{}", held.event);

        let platform = Platform::deploy(&[("DepositFeesBorneBy", "platform")]).await;
        let mut listener = platform.listen().await;
        platform.deliver(&[webhook]).await;
        let confirmed = listener.event(&format!("{about}#1")).await;
        assert_eq!(confirmed.text("/type"), "fundhook.deposit.confirmed");
        assert_eq!(confirmed.text("/data/credit/net/value"), "500");
        assert_eq!(confirmed.text("/data/credit/decided_by"), "setting");
    });
}
