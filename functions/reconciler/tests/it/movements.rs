//! Each movement of a balance that names a deposit or a withdrawal is recorded and booked, or reported once.

use fundhook_domain::{Kind, ListKind, Provider, Resource, Timestamp};
use fundhook_ports::fakes::{ApiRow, Steps};
use fundhook_reconciliation::{Movement, last_movement_received, movements_of};
use serde_json::{Value, json};

use crate::support::deposit::{deposit, webhook};
use crate::support::item::item;
use crate::support::steps::{completed, stopped_at_each};
use crate::support::{NOON, World, at, days, feed, hours, minutes};

/// The transaction of a deposit.
const HASH: &str = "9b1c7de0a4f3528d61e79cbb0f2a4d8836c15e7fa09d2b64c3e18f7750ad92b1";

/// The webhook which says at `now` that a balance of CUST01 had these movements.
fn balance(of: &str, movements: &Value, now: Timestamp) -> String {
    let body = json!({
        "participant_code": "CUST01", "account_group": "00SCXM", "account_label": "general", "account_type": "available",
        "asset": "USDC.BASE", "balance": "100.5", "run_id": "1", "timestamp": now.unix_seconds(), "movements": movements,
    });
    webhook(&feed(of), &body.to_string(), now)
}

fn by_deposit(id: &str, reference: &str) -> Value {
    json!([{ "movement_id": id, "movement_type": "deposit", "change": "100.5", "deposit_reference_id": reference,
             "movement_timestamp": 1_759_838_400_000_i64 }])
}

fn by_withdrawal(id: &str, request: &str) -> Value {
    json!([{ "movement_id": id, "movement_type": "withdrawal_pending", "change": "-20", "withdrawal_request_id": request }])
}

/// A world whose first run is over: what was received before it is not checked.
async fn world() -> World {
    let world = World::of_all_lists();
    world.reconcile().await;
    world.clock.pass(minutes(1));
    world
}

/// How many movements were reported.
fn reported(world: &World) -> u64 {
    let lines = world.metrics.lines();
    let of_movements = lines.iter().filter(|line| line["discrepancy"] == "unrecorded_movement");
    of_movements.filter_map(|line| line["ReconciliationDiscrepancies"].as_u64()).sum()
}

fn balances(world: &World) -> Vec<Resource> {
    world.table.resources.resources().into_iter().filter(|it| it.id().kind() == Kind::Balance).collect()
}

#[tokio::test]
async fn a_movement_without_its_deposit_or_withdrawal_is_reported_once_after_its_time() {
    for movements in [by_deposit("m", HASH), by_deposit("m", "d-1"), by_withdrawal("m", "w-1")] {
        let world = world().await;
        world.receive(balance("zerohash", &movements, world.clock.now()));
        world.run_for(minutes(60)).await;
        assert_eq!(reported(&world), 0, "its webhook may still come: {movements}");
        world.run_for(minutes(30)).await;
        assert_eq!(reported(&world), 1, "{movements}");
        let lines = world.metrics.lines();
        let line = lines.iter().find(|line| line["discrepancy"] == "unrecorded_movement").expect("it is counted");
        assert_eq!((&line["feed"], &line["provider"]), (&json!("zerohash"), &json!("zerohash")));
        world.receive(balance("zerohash", &movements, world.clock.now()));
        world.run_for(days(1)).await;
        assert_eq!(reported(&world), 1, "once: {movements}");
    }
}

#[tokio::test]
async fn a_movement_of_what_is_recorded_and_booked_is_not_reported() {
    for list in [ListKind::FundTransactions, ListKind::Deposits, ListKind::ConnectTransactions, ListKind::Payments] {
        for named_by_id in [true, false] {
            let world = world().await;
            let now = world.clock.now();
            let one = item(list, "one", now);
            let hash = fundhook_domain::digest_hex(b"one");
            let movements = match (list, named_by_id) {
                (ListKind::Payments, true) => by_withdrawal("m", "one"),
                (ListKind::Payments, false) => by_withdrawal("m", "request-of-one"),
                (_, true) => by_deposit("m", "one"),
                (_, false) => by_deposit("m", &hash),
            };
            world.receive(one.webhook(now));
            world.receive(balance("zerohash", &movements, now));
            world.run_for(hours(3)).await;
            assert_eq!(reported(&world), 0, "{list}, by its id: {named_by_id}");
            assert!(world.table.contents.now().movements.as_ref().expect("a mark").checked_until > now);
        }
    }
}

#[tokio::test]
async fn a_deposit_whose_money_is_not_recorded_as_arrived_is_reported_and_one_that_is_held_is_not() {
    for (status, expected) in [("submitted", 1), ("on_hold", 0), ("confirmed", 0), ("unexpected", 0)] {
        let world = world().await;
        let now = world.clock.now();
        let one = deposit("one", now);
        world.send_webhook(&one, status);
        let named = if status == "submitted" { "one" } else { one.hash.as_str() };
        world.receive(balance("zerohash", &by_deposit("m", named), now));
        world.run_for(hours(3)).await;
        assert_eq!(reported(&world), expected, "{status}");
    }
}

#[tokio::test]
async fn what_the_provider_lists_under_the_id_is_queued_and_not_reported() {
    for (list, movements) in
        [(ListKind::Deposits, by_deposit("m", "late")), (ListKind::Payments, by_withdrawal("m", "late"))]
    {
        let world = world().await;
        let now = world.clock.now();
        // Its date is before everything that the list is read for.
        let late = item(list, "late", now.minus(days(30)));
        world.receive(balance("zerohash", &movements, now));
        world.run_for(minutes(60)).await;
        world.list_item(&late);
        world.run_for(hours(1)).await;
        assert_eq!(world.status_of(&late.resource()), "confirmed", "{list}");
        assert_eq!(reported(&world), 0, "{list}");
    }
}

#[tokio::test]
async fn a_balance_that_moves_all_the_time_is_checked_all_the_same() {
    let world = world().await;
    for nth in 0..24 {
        world.clock.pass(minutes(15));
        let movements = by_deposit(&format!("m-{nth}"), &format!("d-{nth}"));
        world.receive(balance("zerohash", &movements, world.clock.now()));
        world.reconcile().await;
    }
    assert_eq!(reported(&world), 24 - 6, "those of the last 75 minutes are not due");
    world.run_for(hours(2)).await;
    assert_eq!(reported(&world), 24);
}

#[tokio::test]
async fn a_mark_that_a_wrong_clock_stored_is_moved_back() {
    let world = World::of_all_lists();
    world.clock.pass(days(300));
    world.reconcile().await;
    let ahead = world.table.contents.now().movements.clone().expect("a mark");
    let world = World::of_all_lists();
    world.table.contents.now().movements = Some(ahead);
    world.reconcile().await;
    world.receive(balance("zerohash", &by_deposit("m", "d-1"), world.clock.now()));
    world.run_for(hours(2)).await;
    assert_eq!(reported(&world), 1);
}

#[tokio::test]
async fn held_deposits_are_found_among_those_of_their_user_however_many_there_are() {
    let world = world().await;
    for nth in 0..60 {
        let one = deposit(&format!("held-{nth}"), world.clock.now());
        world.send_webhook(&one, "on_hold");
        world.receive(balance("zerohash", &by_deposit(&format!("m-{nth}"), &one.hash), world.clock.now()));
    }
    world.run_for(hours(2)).await;
    assert_eq!(reported(&world), 0);
}

#[tokio::test]
async fn movements_from_before_the_first_run_and_those_that_name_nothing_are_not_checked() {
    let world = World::of_all_lists();
    world.receive(balance("zerohash", &by_deposit("old", "d-0"), world.clock.now()));
    world.clock.pass(minutes(1));
    world.reconcile().await;
    let trade =
        json!([{ "movement_id": "t", "movement_type": "final_settlement_outflow", "change": "-1", "trade_id": "t-1" }]);
    world.receive(balance("zerohash", &trade, world.clock.now()));
    world.run_for(hours(3)).await;
    assert_eq!(reported(&world), 0);
}

/// The movements that the balance webhook with these movements tells.
fn read(movements: &Value) -> Vec<Movement> {
    let world = World::of_all_lists();
    world.receive(balance("zerohash", movements, world.clock.now()));
    let balances = balances(&world);
    let always = at("2000-01-01T00:00:00Z")..at("2100-01-01T00:00:00Z");
    let told = balances.iter().flat_map(|balance| movements_of(balance, &always).movements).collect::<Vec<_>>();
    assert_eq!(balances.iter().any(|balance| last_movement_received(balance).is_some()), !told.is_empty());
    told
}

#[test]
fn a_movement_is_read_in_every_form_and_an_odd_one_costs_no_other() {
    let named = |name: &str, value: Value| json!([{ "movement_id": "m", name: value }]);
    for (movements, expected) in [
        (named("deposit_reference_id", json!("d-1")), "deposit#zerohash#d-1"),
        (named("depositReferenceId", json!("d-1")), "deposit#zerohash#d-1"),
        (named("deposit_reference_id", json!(17)), "deposit#zerohash#17"),
        (named("deposit_reference_id", json!(" d-1 ")), "deposit#zerohash#d-1"),
        (named("withdrawal_request_id", json!("w-1")), "withdrawal#zerohash#w-1"),
        (named("withdrawalRequestId", json!("w-1")), "withdrawal#zerohash#w-1"),
        (json!([7, null, "x", [], { "withdrawal_request_id": "w-1" }]), "withdrawal#zerohash#w-1"),
        (json!([{ "deposit_reference_id": "", "withdrawal_request_id": "w-1" }]), "withdrawal#zerohash#w-1"),
    ] {
        let causes: Vec<String> = read(&movements).iter().map(|movement| movement.cause.to_string()).collect();
        assert_eq!(causes, [expected], "{movements}");
    }
    for nothing in [
        named("deposit_reference_id", json!("")),
        named("deposit_reference_id", json!(null)),
        named("deposit_reference_id", json!({})),
        named("withdrawal_request_id", json!([])),
        named("transfer_request_id", json!("t-1")),
        json!([]),
        json!("none"),
        json!({ "deposit_reference_id": "d-1" }),
    ] {
        assert_eq!(read(&nothing), [], "{nothing}");
    }
}

#[test]
fn amounts_and_times_of_a_movement_are_exact_in_every_unit() {
    let received = at(NOON);
    for (change, time, expected_change, expected_time) in [
        (json!("100.50"), json!(1_759_838_400), Some("100.5"), at("2025-10-07T12:00:00Z")),
        (json!(-0.1), json!(1_759_838_400_123_i64), Some("-0.1"), at("2025-10-07T12:00:00.123Z")),
        (json!("1e3"), json!("1759838400123456789"), Some("1000"), at("2025-10-07T12:00:00.123456789Z")),
        (json!("much"), json!("soon"), None, received),
        (json!(null), json!(0), None, received),
    ] {
        let movements =
            json!([{ "movement_id": 5, "deposit_reference_id": "d", "change": change, "movement_timestamp": time }]);
        let told = read(&movements);
        let change = told[0].change.as_ref().map(ToString::to_string);
        assert_eq!((change.as_deref(), told[0].moved_at), (expected_change, expected_time), "{movements}");
        assert_eq!((told[0].id.as_str(), told[0].asset.as_deref()), ("5", Some("USDC")));
    }
}

#[tokio::test]
async fn each_organization_has_its_own_deposits() {
    let world = world().await;
    let now = world.clock.now();
    world.receive(item(ListKind::Deposits, "one", now).webhook(now));
    world.receive(balance("zerohash/acme", &by_deposit("m", "one"), now));
    world.run_for(hours(2)).await;
    assert_eq!(reported(&world), 1, "another organization's deposit is none of this one's");
    assert_eq!(ListKind::Deposits.provider(), Provider::Zerohash);
}

#[tokio::test]
async fn webhooks_too_large_to_be_carried_are_found_and_cost_no_other_movement() {
    let world = world().await;
    let now = world.clock.now();
    let many: Vec<Value> = (0..200).map(|nth| json!({ "movement_id": nth, "deposit_reference_id": HASH })).collect();
    world.receive(balance("zerohash", &json!(many), now));
    world.receive(balance("zerohash", &by_withdrawal("m", "w-1"), now.plus(minutes(1))));
    let always = at("2000-01-01T00:00:00Z")..at("2100-01-01T00:00:00Z");
    let told = movements_of(&balances(&world)[0], &always);
    assert_eq!((told.movements.len(), told.is_incomplete), (1, true));
    world.run_for(hours(2)).await;
    assert_eq!(reported(&world), 1);
}

#[tokio::test]
async fn a_check_of_many_balances_continues_page_by_page() {
    let world = world().await;
    world.table.contents.now().index_page = 2;
    let now = world.clock.now();
    for nth in 0..9 {
        let body = json!({
            "participant_code": format!("CUST{nth}"), "account_label": "general", "asset": "USDC.BASE", "balance": "1",
            "timestamp": now.unix_seconds(), "movements": by_deposit(&format!("m-{nth}"), &format!("d-{nth}")),
        });
        world.receive(webhook(&feed("zerohash"), &body.to_string(), now.plus(minutes(nth))));
    }
    world.run_for(hours(3)).await;
    assert_eq!(reported(&world), 9);
    assert!(world.table.contents.now().movements.as_ref().expect("a mark").begun.is_none());
}

/// A world in which the next run has a movement to report.
fn moved_world() -> World {
    completed(async {
        let world = world().await;
        world.receive(balance("zerohash", &by_deposit("m", "d-1"), world.clock.now()));
        world.clock.pass(minutes(80));
        world
    })
}

#[test]
fn wherever_a_run_stops_the_movement_is_reported_by_it_or_by_the_next() {
    let (world, steps) = (moved_world(), Steps::passing());
    completed(world.reconciler_with(&steps).handle(world.deadline())).expect("a run");
    assert_eq!(reported(&world), 1);
    stopped_at_each(&steps.reached(), moved_world, |world, what| {
        world.clock.pass(minutes(15));
        completed(world.reconcile());
        // A run that ends before it has stored that it reported is repeated.
        let before = reported(world);
        assert!((1..=2).contains(&before), "{what}: {before}");
        world.clock.pass(minutes(15));
        completed(world.reconcile());
        assert_eq!(reported(world), before, "{what}");
    });
}

#[tokio::test]
async fn a_listed_deposit_whose_money_has_not_arrived_is_queued_and_its_movement_reported() {
    let world = world().await;
    let now = world.clock.now();
    let state = |state: &str| {
        json!({
            "depositId": "one", "participantCode": "CUST01", "transactionHash": HASH, "state": state, "asset": "USDC.BASE",
            "amount": "100.5", "receivedAddress": "0xbb02", "history": [{ "toState": state, "timestamp": now }],
        })
    };
    // It is under another date than any window of this test.
    let row = ApiRow { at: at("2024-01-01T00:00:00Z"), id: "one".to_owned(), json: state("confirmed").to_string() };
    world.provider.list_row(&item(ListKind::Deposits, "one", now).list(), row);
    world.receive(balance("zerohash", &by_deposit("m", "one"), now));
    world.run_for(hours(3)).await;
    assert_eq!(world.status_of(&item(ListKind::Deposits, "one", now).resource()), "submitted", "the row was queued");
    assert_eq!(reported(&world), 1, "a balance moved, and nothing is booked");
}

#[tokio::test]
async fn a_movement_whose_deposit_the_queue_rejects_is_reported() {
    let world = world().await;
    let now = world.clock.now();
    let late = item(ListKind::Deposits, "late", now);
    world.provider.list_row(&late.list(), ApiRow { at: at("2024-01-01T00:00:00Z"), ..late.row() });
    world.receive(balance("zerohash", &by_deposit("m", "late"), now));
    world.ingress.now().rejects = Some("late".to_owned());
    world.run_for(hours(3)).await;
    assert_eq!((world.status_of(&late.resource()), reported(&world)), ("-", 1));
}
