//! Lists that have no filter by date are read whole, once a day: users, their accounts at banks, and balances.

use fundhook_domain::{Feed, ListId, ListKind, ResourceId};
use fundhook_ports::ListQuery;
use fundhook_ports::fakes::{ApiRow, Reply};
use serde_json::{Value, json};

use crate::support::deposit::webhook;
use crate::support::item::item;
use crate::support::{World, at, days, hours, minutes};

const WHOLE: [ListKind; 3] = [ListKind::Participants, ListKind::ExternalAccounts, ListKind::Accounts];

fn zerohash() -> Feed {
    "zerohash".parse().expect("a feed")
}

fn participant(code: &str) -> ResourceId {
    format!("participant#zerohash#{code}").parse().expect("an id")
}

/// Lists the participant with this row.
fn list_participant(world: &World, code: &str, row: &Value) {
    let row = ApiRow { at: at(crate::support::NOON), id: code.to_owned(), json: row.to_string() };
    world.provider.list_row(&ListId::new(&zerohash(), ListKind::Participants), row);
}

/// Receives the webhook which says that the participant reached `status` now.
fn tell_participant(world: &World, code: &str, status: &str) {
    let now = world.clock.now();
    let body = json!({
        "participant_code": code, "participant_status": status, "timestamp": now.unix_seconds() * 1000,
    });
    world.receive(webhook(&zerohash(), &body.to_string(), now));
}

#[tokio::test]
async fn each_is_read_once_a_day_at_most_a_hundred_pages_in_a_run() {
    for list in WHOLE {
        let world = World::of_all_lists();
        world.provider.now().page_size = 1;
        let many: Vec<_> =
            (0..250).map(|nth| item(list, &format!("m-{nth}"), at(crate::support::NOON).minus(hours(1)))).collect();
        many.iter().for_each(|item| world.list_item(item));
        let mut read = Vec::new();
        for _ in 0..100 {
            world.reconcile().await;
            let calls = world.provider.take_calls();
            let of_list = calls.iter().filter(|call| call.list.kind() == list);
            let is_whole = |query: &ListQuery| matches!(query, ListQuery::Whole { .. });
            assert!(of_list.clone().all(|call| is_whole(&call.query)), "{list}");
            read.push(of_list.count());
            world.clock.pass(minutes(15));
        }
        // The fourth day of 24 hours begins with run 97.
        let begun: Vec<usize> = read.iter().enumerate().filter(|(_, pages)| **pages > 0).map(|(run, _)| run).collect();
        assert_eq!((&read[..3], begun), (&[100, 100, 50][..], vec![0, 1, 2, 96, 97, 98]), "{list}");
        assert!(many.iter().all(|item| world.status_of(&item.resource()) == item.end()), "{list}");
    }
}

#[tokio::test]
async fn what_is_older_than_the_first_reading_and_was_never_recorded_is_left_to_a_backfill() {
    for list in WHOLE {
        let world = World::of_all_lists();
        let old = item(list, "old", at(crate::support::NOON).minus(days(30)));
        let new = item(list, "new", at(crate::support::NOON).minus(days(2)));
        [&old, &new].into_iter().for_each(|item| world.list_item(item));
        world.reconcile().await;
        assert_eq!((world.status_of(&old.resource()), world.status_of(&new.resource())), ("-", new.end()), "{list}");
        world.run_for(days(1)).await;
        assert_eq!(world.status_of(&old.resource()), "-", "{list}");
    }
}

#[tokio::test]
async fn a_lost_status_of_a_recorded_participant_is_found_however_old_the_participant_is() {
    let world = World::of_all_lists();
    tell_participant(&world, "CUST01", "approved");
    world.run_for(days(4)).await;
    let locked = world.clock.now();
    list_participant(
        &world,
        "CUST01",
        &json!({
            "participant_code": "CUST01", "status": "locked", "reason_code": "risk",
            "updated_at": locked.unix_seconds() * 1000,
        }),
    );
    world.run_for(hours(25)).await;
    assert_eq!(world.published(&participant("CUST01")), ["participant.approved", "participant.locked"]);
    let events = world.table.resources.now().published.clone();
    assert!(events[1].data.reconciled && !events[0].data.reconciled);
    world.run_for(days(3)).await;
    assert_eq!(world.published(&participant("CUST01")).len(), 2, "it is told once");
}

#[tokio::test]
async fn a_row_that_lags_behind_a_webhook_changes_nothing() {
    for states_its_time in [true, false] {
        let world = World::of_all_lists();
        tell_participant(&world, "CUST01", "approved");
        let approved = world.clock.now().unix_seconds() * 1000;
        world.run_for(days(1) - minutes(5)).await;
        tell_participant(&world, "CUST01", "locked");
        let mut row = json!({ "participant_code": "CUST01", "status": "approved" });
        if states_its_time {
            row["updated_at"] = json!(approved);
        }
        list_participant(&world, "CUST01", &row);
        world.run_for(minutes(15)).await;
        assert_eq!(world.status_of(&participant("CUST01")), "locked", "with its time: {states_its_time}");
        // A row without a time, which still says so a day later, is news.
        world.run_for(days(1)).await;
        let end = if states_its_time { "locked" } else { "approved" };
        assert_eq!(world.status_of(&participant("CUST01")), end, "with its time: {states_its_time}");
    }
}

#[tokio::test]
async fn a_row_without_a_time_about_what_is_not_recorded_waits_for_its_webhook() {
    let world = World::of_all_lists();
    list_participant(&world, "CUST01", &json!({ "participant_code": "CUST01", "status": "approved" }));
    world.run_for(days(2)).await;
    assert_eq!(world.status_of(&participant("CUST01")), "-");
    tell_participant(&world, "CUST01", "submitted");
    world.run_for(hours(25)).await;
    assert_eq!(world.status_of(&participant("CUST01")), "approved", "the list has what came after its webhook");
}

#[tokio::test]
async fn a_row_that_is_not_understood_is_recorded_once_with_or_without_a_date() {
    for dated in [true, false] {
        let world = World::of_all_lists();
        let mut row = json!({ "participant_code": "CUST01", "status": "teleported" });
        if dated {
            row["updated_at"] = json!(world.clock.now().minus(hours(1)).unix_seconds() * 1000);
        }
        list_participant(&world, "CUST01", &row);
        world.run_for(days(2)).await;
        let events = world.table.resources.now().published.clone();
        let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(types, ["fundhook.unrecognized.seen"], "dated: {dated}");
    }
}

#[tokio::test]
async fn what_is_overdue_is_asked_for_although_a_list_without_dates_would_take_all_the_time() {
    let world = World::of_all_lists();
    let begins = at(crate::support::NOON).minus(hours(1));
    (0..100).for_each(|nth| world.list_item(&item(ListKind::Participants, &format!("m-{nth}"), begins)));
    let pending = crate::support::deposit::deposit("stuck", begins);
    world.receive(pending.webhook("pending", begins));
    world.clock.pass(days(2));
    world.provider.now().page_size = 1;
    world.provider.now().takes.insert(zerohash(), std::time::Duration::from_secs(8));
    let summary = world.reconcile().await;
    assert!(!summary.complete, "the list is long: {summary:?}");
    let calls = world.provider.take_calls();
    let asked = calls.iter().any(|call| call.query == ListQuery::Id("stuck".to_owned()));
    assert!(asked && calls.iter().any(|call| call.list.kind() == ListKind::Participants), "{} calls", calls.len());
    assert_eq!(summary.overdue, 1);
}

#[tokio::test]
async fn what_changed_a_moment_ago_is_left_to_its_webhook_until_the_next_reading() {
    for (list, member, before) in [
        (ListKind::Participants, "participant_status", "approved"),
        (ListKind::ExternalAccounts, "external_account_status", "approved"),
        (ListKind::Accounts, "balance", "1"),
    ] {
        let world = World::of_all_lists();
        let earlier = item(list, "one", at(crate::support::NOON).minus(days(10)));
        world.receive(earlier.webhook_with(&[(member, json!(before))]));
        let unknown = item(list, "unknown", at(crate::support::NOON).minus(minutes(5)));
        let recent = item(list, "one", unknown.at);
        [&recent, &unknown].into_iter().for_each(|item| world.list_item(item));
        assert_eq!(world.reconcile().await.queued, 0, "{list}");
        world.run_for(days(1)).await;
        for item in [&recent, &unknown] {
            assert_eq!(world.status_of(&item.resource()), item.end(), "{list}");
        }
    }
}

#[tokio::test]
async fn pages_with_old_rows_only_do_not_end_the_reading() {
    let world = World::of_all_lists();
    world.provider.now().page_size = 2;
    let (told, locked) = (at(crate::support::NOON).minus(days(50)), at(crate::support::NOON).minus(days(40)));
    let code = |name: &str, at: fundhook_domain::Timestamp| item(ListKind::Participants, name, at);
    let approved = code("CUST01", told).webhook_with(&[("participant_status", json!("approved"))]);
    world.receive(approved);
    let newer = [2, 1].map(|later| code(&format!("newer-{later}"), locked.plus(days(later))));
    newer.iter().chain([&code("CUST01", locked)]).for_each(|item| world.list_item(item));
    world.reconcile().await;
    assert_eq!(world.published(&participant("CUST01")), ["participant.approved", "participant.locked"]);
}

#[tokio::test]
async fn a_changed_balance_is_recorded_and_an_equal_one_is_not() {
    let world = World::of_all_lists();
    let one = item(ListKind::Accounts, "one", at(crate::support::NOON).minus(hours(1)));
    world.receive(one.webhook(one.at));
    let mut row = one.row();
    world.reconcile().await;
    for (balance, events) in [("25.5", 1), ("25.500", 1), ("25.51", 2), ("25.51", 2)] {
        let mut members: Value = serde_json::from_str(&row.json).expect("a row");
        members["balance"] = json!(balance);
        members["last_update"] = json!(world.clock.now().unix_seconds() * 1000);
        row.json = members.to_string();
        world.provider.list_row(&one.list(), row.clone());
        world.run_for(days(1) + minutes(15)).await;
        assert_eq!(world.published(&one.resource()).len(), events, "{balance}");
    }
}

/// The greatest lag of zerohash's lists that was reported, in seconds.
fn greatest_lag(world: &World) -> u64 {
    let lines = world.metrics.lines();
    let of_zerohash = lines.iter().filter(|line| line["feed"] == "zerohash");
    of_zerohash.filter_map(|line| line["ReconciliationLagSeconds"].as_u64()).max().expect("it is reported")
}

#[tokio::test]
async fn a_long_list_that_is_read_in_many_runs_is_no_lag_and_goes_on_after_an_error() {
    let world = World::of_all_lists();
    world.provider.now().page_size = 1;
    let list = ListId::new(&zerohash(), ListKind::Participants);
    let begins = at(crate::support::NOON).minus(hours(1));
    (0..1200).for_each(|nth| world.list_item(&item(ListKind::Participants, &format!("m-{nth}"), begins)));
    for run in 0..12 {
        if run == 5 {
            world.provider.set_replies_of(&list, [Reply::Fails(fundhook_ports::Disposition::Retry)]);
            assert!(world.run().await.is_err());
            world.process_queues();
            world.clock.pass(minutes(15));
        }
        world.reconcile().await;
        world.clock.pass(minutes(15));
    }
    assert!(world.watermark_of(&list).window.is_none(), "it was not read from its beginning again");
    world.run_for(days(1)).await;
    assert!(greatest_lag(&world) <= 900, "{}", greatest_lag(&world));

    world.provider.set_replies_of(&list, std::iter::repeat_n(Reply::Fails(fundhook_ports::Disposition::Retry), 500));
    for _ in 0..(28 * 4) {
        world.clock.pass(minutes(15));
        // It fails once the list is due.
        let _ended = world.run().await;
    }
    assert!(greatest_lag(&world) > 7200, "a list that cannot be read for a day and hours is: {}", greatest_lag(&world));
}

#[tokio::test]
async fn a_list_that_fails_or_was_not_read_yet_delays_no_other() {
    let world = World::of_all_lists();
    let list = ListId::new(&zerohash(), ListKind::Participants);
    world.provider.set_replies_of(&list, [Reply::Fails(fundhook_ports::Disposition::DeadLetter)]);
    let locked = item(ListKind::Participants, "CUST01", at(crate::support::NOON).minus(hours(1)));
    let paid = item(ListKind::Payments, "paid", at(crate::support::NOON).minus(hours(1)));
    [&locked, &paid].into_iter().for_each(|item| world.list_item(item));
    assert!(world.run().await.is_err(), "it is logged, and the run fails");
    world.process_queues();
    assert_eq!((world.status_of(&paid.resource()), world.status_of(&locked.resource())), ("confirmed", "-"));
    world.clock.pass(minutes(15));
    world.reconcile().await;
    assert_eq!(world.status_of(&locked.resource()), "locked");
}
