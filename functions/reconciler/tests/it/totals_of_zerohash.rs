//! Control totals of zerohash's lists, where one thing has several reports, names or dates.

use fundhook_domain::{ListId, ListKind, Provider, Timestamp};
use fundhook_ports::fakes::ApiRow;
use fundhook_reconciliation::{Flow, Report};
use serde_json::{Value, json};

use crate::support::deposit::webhook;
use crate::support::{World, at, feed, hours, minutes};

const HASH: &str = "a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff";

/// In an hour that a world which began at noon totals.
fn two_o_clock() -> Timestamp {
    at("2025-10-07T14:00:00Z")
}

async fn world_at_two() -> World {
    let world = World::of_all_lists();
    world.reconcile().await;
    world.clock.set(two_o_clock());
    world
}

fn send(world: &World, provider: Provider, body: &Value, at: Timestamp) {
    world.receive(webhook(&provider.into(), &body.to_string(), at));
}

fn list(world: &World, kind: ListKind, id: &str, at: Timestamp, row: &Value) {
    let row = ApiRow { at, id: id.to_owned(), json: row.to_string() };
    world.provider.list_row(&ListId::new(&feed("zerohash"), kind), row);
}

/// The reports of a list about all hours that were totalled.
fn reports(world: &World, kind: ListKind) -> Vec<Report> {
    let list = ListId::new(&feed("zerohash"), kind);
    let contents = world.table.contents.now();
    contents.reports.iter().filter(|((of, _), _)| *of == list).map(|(_, report)| report.clone()).collect()
}

/// The lines with anything in them, each as provider, recorded, published and posted; and the sentences.
fn told(world: &World, kind: ListKind) -> (Vec<(Flow, [String; 4])>, Vec<String>) {
    let reports = reports(world, kind);
    let line = |line: &fundhook_reconciliation::ControlTotalsLine| {
        let totals = [&line.provider, &line.ours, &line.published, &line.posted];
        (line.flow, totals.map(|total| total.total.to_string()))
    };
    let lines = reports.iter().flat_map(|report| &report.lines).map(line).collect();
    (lines, reports.into_iter().flat_map(|report| report.discrepancies).collect())
}

#[tokio::test]
async fn an_unexpected_coin_that_several_families_report_is_totalled_once_in_any_order() {
    let then = two_o_clock().plus(minutes(10));
    let state = json!({
        "deposit_id": "state", "participant_code": "CUST01", "transaction_hash": HASH, "state": "recovery_quarantine",
        "asset": "USDC.BASE", "amount": "100", "received_address": "0xbb02", "timestamp": then.unix_seconds(),
    });
    let failed = json!({
        "participant_code": "CUST01", "asset": "USDC.BASE", "quantity": "100", "transaction_id": HASH, "success": false,
    });
    let announced = json!({
        "event": "connect.deposits.unexpected",
        "deposit": {
            "id": "announced", "amount": "100", "network": "base", "asset": "USDC", "created_at": then, "updated_at": then,
            "status": "UNEXPECTED", "transaction": { "hash": HASH, "to": "0xbb02" },
        },
        "account": { "reference_id": "CUST01" },
    });
    let told_by = [(Provider::Zerohash, &state), (Provider::Zerohash, &failed), (Provider::Connect, &announced)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = world_at_two().await;
        list(
            &world,
            ListKind::Deposits,
            "state",
            then,
            &json!({
                "depositId": "state", "participantCode": "CUST01", "transactionHash": HASH,
                "state": "recovery_quarantine", "asset": "USDC.BASE", "amount": "100", "receivedAddress": "0xbb02",
                "history": [{ "toState": "recovery_quarantine", "timestamp": then }],
            }),
        );
        for (nth, told) in order.into_iter().enumerate() {
            let (provider, body) = told_by[told];
            send(&world, provider, body, then.plus(minutes(nth as u64)));
        }
        world.run_for(hours(4)).await;
        let all = ["100"; 4].map(str::to_owned);
        let none = Vec::<String>::new();
        assert_eq!(told(&world, ListKind::Deposits), (vec![(Flow::Unexpected, all)], none), "{order:?}");
    }
}

/// A payment's webhook or row [zerohash-withdraw-sdk], created ten minutes before the end of an hour.
fn payment(status: &str, at: Timestamp) -> Value {
    json!({
        "payment_id": "p-1", "payment_type": "payout", "status": status, "participant_code": "CUST01",
        "payment_details": { "withdrawal_request_id": "request-1" },
        "total": "20", "quantity": "20", "asset": "USDC", "network": "BASE",
        "created_at": created(), "updated_at": at,
    })
}

fn created() -> Timestamp {
    two_o_clock().plus(minutes(50))
}

/// The same, as samples of [zerohash-recovery §7] have it: with the request's id only.
fn by_request(status: &str, at: Timestamp) -> Value {
    let mut body = payment(status, at);
    body.as_object_mut().expect("an object").remove("payment_id");
    body
}

#[tokio::test]
async fn a_payment_that_settles_in_another_hour_is_found_under_each_of_its_names() {
    let settled = two_o_clock().plus(minutes(70));
    for (early, late) in [
        (by_request("submitted", created()), by_request("settled", settled)),
        (by_request("submitted", created()), payment("settled", settled)),
        (payment("submitted", created()), by_request("settled", settled)),
        (payment("submitted", created()), payment("settled", settled)),
    ] {
        let world = world_at_two().await;
        send(&world, Provider::Zerohash, &early, created());
        world.run_for(hours(1)).await;
        list(&world, ListKind::Payments, "p-1", created(), &payment("settled", settled));
        send(&world, Provider::Zerohash, &late, settled);
        world.run_for(hours(5)).await;
        let all = ["20"; 4].map(str::to_owned);
        let none = Vec::<String>::new();
        assert_eq!(told(&world, ListKind::Payments), (vec![(Flow::Out, all)], none), "{early} {late}");
    }
}

#[tokio::test]
async fn an_overdue_payment_that_is_known_by_its_request_only_is_found_by_its_date() {
    let mut world = world_at_two().await;
    world.settings.overdue.withdrawal = hours(24);
    send(&world, Provider::Zerohash, &by_request("submitted", created()), created());
    world.run_for(hours(12)).await;
    // Settled when the hour of its date has been totalled.
    let settled = world.clock.now();
    list(&world, ListKind::Payments, "p-1", created(), &payment("settled", settled));
    world.run_for(hours(14)).await;
    let request = fundhook_domain::ResourceId::new(fundhook_domain::Kind::Withdrawal, feed("zerohash"), "request-1");
    assert_eq!(world.status_of(&request.expect("an id")), "confirmed");
}
