//! Overdue withdrawals and deposits are asked for by their ids, in the lists that contain them, each list in its turn.

use std::collections::BTreeSet;

use fundhook_domain::{Kind, ListKind, ResourceId};
use fundhook_ports::ListQuery;
use fundhook_ports::fakes::ApiRow;
use serde_json::{Value, json};

use crate::support::deposit::{deposit, webhook};
use crate::support::item::item;
use crate::support::{NOON, World, at, days, feed, hours, minutes};

/// A payment's webhook or row [zerohash-withdraw-sdk].
fn payment(id: &str, status: &str, changes: &[(&str, Value)]) -> Value {
    let mut body = json!({
        "payment_id": id, "payment_type": "payout", "status": status, "participant_code": "CUST01",
        "payment_details": { "withdrawal_request_id": format!("request-of-{id}") },
        "total": "20", "quantity": "", "asset": "USDC", "network": "BASE",
        "created_at": "2025-10-07T12:00:00Z", "updated_at": "2025-10-07T12:00:00Z",
    });
    for (member, value) in changes {
        body[*member] = value.clone();
    }
    body
}

fn send(world: &World, body: &Value) {
    world.receive(webhook(&feed("zerohash"), &body.to_string(), world.clock.now()));
}

/// Lists the payment under a date that no window of the test reads.
fn list(world: &World, id: &str, body: &Value) {
    let row = ApiRow { at: at("2024-01-01T00:00:00Z"), id: id.to_owned(), json: body.to_string() };
    world.provider.list_row(&item(ListKind::Payments, id, at(NOON)).list(), row);
}

fn withdrawal(id: &str) -> ResourceId {
    ResourceId::new(Kind::Withdrawal, feed("zerohash"), id).expect("a valid id")
}

/// The ids that were asked for since the last call, with their lists.
fn asked(world: &World) -> Vec<(ListKind, String)> {
    let by_id = |query| match query {
        ListQuery::Id(id) => Some(id),
        ListQuery::Dated { .. } | ListQuery::Whole { .. } => None,
    };
    let calls = world.provider.take_calls().into_iter();
    calls.filter_map(|call| Some((call.list.kind(), by_id(call.query)?))).collect()
}

#[tokio::test]
async fn an_overdue_payment_is_asked_for_by_its_id_and_its_end_is_recorded() {
    for (listed, status) in [
        ("settled", "confirmed"),
        ("failed", "failed"),
        ("abandoned", "abandoned"),
        // It is under way, so its money stays locked.
        ("posted", "broadcast"),
    ] {
        let mut world = World::of_all_lists();
        world.settings.overdue.withdrawal = hours(2);
        send(&world, &payment("p-1", "submitted", &[]));
        list(&world, "p-1", &payment("p-1", listed, &[]));
        world.clock.pass(hours(1));
        world.reconcile().await;
        assert_eq!(asked(&world), [], "{listed}: it is not overdue yet");
        world.clock.pass(minutes(61));
        world.reconcile().await;
        assert_eq!(asked(&world), [(ListKind::Payments, "p-1".to_owned())], "{listed}");
        assert_eq!(world.status_of(&withdrawal("p-1")), status, "{listed}");
        let events = world.published(&withdrawal("p-1"));
        assert_eq!(events, ["withdrawal.submitted".to_owned(), format!("withdrawal.{status}")], "{listed}");
    }
}

#[tokio::test]
async fn a_payment_that_is_known_by_its_request_alone_is_asked_for_by_that_name() {
    let mut world = World::of_all_lists();
    world.settings.overdue.withdrawal = hours(2);
    let mut early = payment("p-1", "submitted", &[]);
    early.as_object_mut().expect("an object").remove("payment_id");
    send(&world, &early);
    list(&world, "request-of-p-1", &payment("p-1", "settled", &[]));
    world.clock.pass(hours(3));
    world.reconcile().await;
    assert_eq!(world.status_of(&withdrawal("request-of-p-1")), "confirmed");
    assert_eq!(world.status_of(&withdrawal("p-1")), "confirmed", "under its own name too");
}

#[tokio::test]
async fn a_payment_that_the_provider_has_no_news_about_is_reported_once_and_asked_for_again() {
    let mut world = World::of_all_lists();
    world.settings.overdue.withdrawal = hours(2);
    send(&world, &payment("p-1", "submitted", &[]));
    world.run_for(hours(6)).await;
    let overdue = |world: &World| {
        world.published(&withdrawal("p-1")).iter().filter(|event| event.as_str() == "withdrawal.overdue").count()
    };
    assert_eq!(overdue(&world), 1);
    assert!(asked(&world).len() > 10, "it is asked for in every run");
    list(&world, "p-1", &payment("p-1", "settled", &[]));
    world.run_for(minutes(15)).await;
    assert_eq!((world.status_of(&withdrawal("p-1")), overdue(&world)), ("confirmed", 1));
    asked(&world);
    world.run_for(hours(1)).await;
    assert_eq!(asked(&world), [], "what has ended is not asked for");
}

#[tokio::test]
async fn many_overdue_payments_do_not_keep_a_deposit_from_being_asked_for() {
    let mut world = World::of_all_lists();
    (world.settings.overdue.withdrawal, world.settings.overdue.deposit) = (hours(1), hours(1));
    for nth in 0..100 {
        send(&world, &payment(&format!("p-{nth:03}"), "submitted", &[]));
    }
    let waiting = deposit("waiting", world.clock.now());
    world.send_webhook(&waiting, "submitted");
    world.run_for(hours(3)).await;
    asked(&world);
    world.run_for(hours(2)).await;
    let asked = asked(&world);
    let of = |list: ListKind| asked.iter().filter(|(of, _)| *of == list).count();
    assert_eq!(of(ListKind::ConnectTransactions), 8, "the deposit, in each of eight runs");
    let payments: BTreeSet<&String> =
        asked.iter().filter(|(of, _)| *of == ListKind::Payments).map(|(_, id)| id).collect();
    assert_eq!(payments.len(), 100, "each payment has its turn");
    assert!(of(ListKind::Payments) <= 8 * 20);
}

#[tokio::test]
async fn each_overdue_deposit_is_asked_for_in_the_list_of_its_family() {
    let mut world = World::of_all_lists();
    world.settings.overdue.deposit = hours(1);
    let fund = deposit("fund", world.clock.now()).of("zerohash");
    world.send_webhook(&fund, "held");
    let state = json!({
        "deposit_id": "state", "participant_code": "CUST01", "state": "confirmed", "asset": "USDC.BASE", "amount": "1",
        "transaction_hash": "0xabc", "timestamp": world.clock.now().unix_seconds(),
    });
    send(&world, &state);
    let of_connect = deposit("of-connect", world.clock.now());
    world.send_webhook(&of_connect, "submitted");
    world.clock.pass(hours(2));
    world.reconcile().await;
    let asked: BTreeSet<(ListKind, String)> = asked(&world).into_iter().collect();
    let expected = [
        (ListKind::ConnectTransactions, "of-connect"),
        (ListKind::FundTransactions, "fund"),
        (ListKind::Deposits, "state"),
    ];
    assert_eq!(asked, expected.map(|(list, id)| (list, id.to_owned())).into());
}

#[tokio::test]
async fn a_fee_that_only_the_list_states_is_booked() {
    let world = World::of_all_lists();
    world.reconcile().await;
    world.clock.pass(hours(2));
    let sent = payment("p-1", "settled", &[("created_at", json!(world.clock.now()))]);
    send(&world, &sent);
    let mut listed = sent.clone();
    listed["payment_details"]["network_fee_quantity"] = json!("0.5");
    let row = ApiRow { at: world.clock.now(), id: "p-1".to_owned(), json: listed.to_string() };
    world.provider.list_row(&item(ListKind::Payments, "p-1", at(NOON)).list(), row);
    world.run_for(hours(1)).await;
    let books = |world: &World| world.resource(&withdrawal("p-1")).view().expect("a view").books(&withdrawal("p-1"));
    let fees: Vec<String> = books(&world)
        .balances()
        .filter(|(_, account, _)| account.to_string() == "fees:zerohash")
        .map(|(asset, _, value)| format!("{value} {asset}"))
        .collect();
    assert_eq!(fees, ["-0.5 USDC"], "a credit of the fee");
    assert_eq!(world.published(&withdrawal("p-1")), ["withdrawal.confirmed", "withdrawal.updated"]);
    // It is queued once.
    world.run_for(days(4)).await;
    assert_eq!(world.published(&withdrawal("p-1")).len(), 2);
}
