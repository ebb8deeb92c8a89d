//! Resources that stay in one status for too long: the provider is asked where that is possible, and the resource is
//! published as overdue once if there is no news.

use std::time::Duration;

use fundhook_domain::{Kind, ResourceId};
use fundhook_ports::fakes::{Fail, Reply};
use fundhook_ports::{Disposition, ListQuery};

use crate::support::deposit::{TestDeposit, deposit, webhook};
use crate::support::{NOON, World, at, days, feed, hours, minutes};

const WITHDRAWAL: &str = include_str!("../../../../events/connect/withdrawal.initiated.json");
const PAYMENT: &str = include_str!("../../../../events/zerohash/payment.submitted.json");
const UNEXPECTED: &str = include_str!("../../../../events/zerohash/deposit_failed.json");
const STRIGA: &str = include_str!("../../../../events/striga/deposit.pending.json");
const EXCHANGE: &str = include_str!("../../../../events/striga/exchange.pending.json");

/// The ids that were requested since the last call.
fn asked(world: &World) -> Vec<String> {
    let id = |query| match query {
        ListQuery::Id(id) => Some(id),
        ListQuery::Dated { .. } | ListQuery::Whole { .. } => None,
    };
    world.provider.take_calls().into_iter().filter_map(|call| id(call.query)).collect()
}

/// How often `resource` was published as overdue.
fn notices(world: &World, resource: &ResourceId) -> usize {
    let overdue = format!("{}.overdue", resource.kind());
    world.published(resource).into_iter().filter(|name| *name == overdue).count()
}

/// Deposits that have been submitted since now.
fn submitted(world: &World, count: usize) -> Vec<TestDeposit> {
    let now = world.clock.now();
    let all: Vec<TestDeposit> = (0..count).map(|nth| deposit(&format!("stuck-{nth:04}"), now)).collect();
    all.iter().for_each(|deposit| world.send_webhook(deposit, "submitted"));
    all
}

#[tokio::test]
async fn each_kind_has_its_own_limit() {
    for (name, body, kind, limit) in [
        ("connect", WITHDRAWAL, Kind::Withdrawal, days(1)),
        ("zerohash", PAYMENT, Kind::Withdrawal, days(1)),
        ("zerohash", UNEXPECTED, Kind::Recovery, days(7)),
        ("striga", STRIGA, Kind::Deposit, days(1)),
        ("striga", EXCHANGE, Kind::Exchange, days(1)),
    ] {
        let world = World::new();
        world.receive(webhook(&feed(name), body, world.clock.now()));
        let resource = {
            let table = world.table.resources.now();
            table.resources.keys().find(|id| id.kind() == kind).cloned().expect("recorded")
        };
        world.clock.set(at(NOON).plus(limit).minus(Duration::from_secs(1)));
        world.reconcile().await;
        assert_eq!(notices(&world, &resource), 0, "{resource}, a second before");
        world.clock.pass(Duration::from_secs(1));
        assert!(world.reconcile().await.overdue >= 1, "{resource}");
        assert_eq!(notices(&world, &resource), 1, "{resource}");
        assert_eq!(asked(&world), Vec::<String>::new(), "the provider does not list such resources");
        world.run_for(days(2)).await;
        assert_eq!(notices(&world, &resource), 1, "{resource}, days later");
    }
}

#[tokio::test]
async fn the_limits_are_settings_and_run_from_when_the_status_was_reached() {
    let mut world = World::new();
    world.settings.overdue.deposit = hours(2);
    let stuck = deposit("stuck", at(NOON));
    world.send_webhook(&stuck, "pending");
    world.clock.pass(minutes(90));
    world.send_webhook(&stuck, "submitted");
    world.clock.pass(minutes(119));
    world.reconcile().await;
    assert_eq!(notices(&world, &stuck.resource()), 0, "its status changed half an hour before its limit");
    world.clock.pass(minutes(1));
    world.reconcile().await;
    assert_eq!(notices(&world, &stuck.resource()), 1);
}

#[tokio::test]
async fn the_provider_is_asked_about_a_deposit_first_and_its_news_is_queued() {
    for feed in ["connect", "zerohash", "connect/acme"] {
        let world = World::of(&["connect", "connect/acme"]);
        world.reconcile().await;
        let late = deposit("late", at(NOON).minus(hours(3))).of(feed);
        world.send_webhook(&late, if feed == "zerohash" { "held" } else { "submitted" });
        world.clock.pass(hours(12));
        // It is listed behind the watermark, where reading does not find it.
        world.list(&late, true);
        world.clock.pass(hours(12));
        world.provider.take_calls();
        let summary = world.reconcile().await;
        assert_eq!((asked(&world), summary.queued, summary.overdue), (vec!["late".to_owned()], 1, 0), "{feed}");
        assert_eq!((world.status(&late), notices(&world, &late.resource())), ("confirmed", 0), "{feed}");
        world.run_for(hours(30)).await;
        assert_eq!(notices(&world, &late.resource()), 0, "{feed}");
    }
}

#[tokio::test]
async fn without_news_a_deposit_is_published_as_overdue_once_for_each_status() {
    let world = World::new();
    let stuck = deposit("stuck", at(NOON));
    world.send_webhook(&stuck, "submitted");
    world.run_for(days(3)).await;
    assert_eq!(world.published(&stuck.resource()), ["deposit.submitted", "deposit.overdue"]);
    {
        let table = world.table.resources.now();
        let event = table.published.last().expect("the notice");
        assert_eq!(event.time, at(NOON).plus(days(1)), "the time at which the limit was reached");
        assert!(!event.data.reconciled);
    }
    world.send_webhook(&stuck, "on_hold");
    world.run_for(days(3)).await;
    let all = ["deposit.submitted", "deposit.overdue", "deposit.held", "deposit.overdue"];
    assert_eq!(world.published(&stuck.resource()), all);
    world.send_webhook(&stuck, "confirmed");
    world.run_for(days(3)).await;
    assert_eq!(world.published(&stuck.resource()).len(), 5, "a final status awaits nothing");
}

#[tokio::test]
async fn a_listed_status_that_is_already_recorded_is_not_news() {
    let world = World::new();
    let held = deposit("held", at(NOON).minus(hours(2)));
    world.send_webhook(&held, "on_hold");
    world.list(&held, false);
    world.run_for(days(2)).await;
    assert_eq!(world.published(&held.resource()), ["deposit.held", "deposit.overdue"]);
}

#[tokio::test]
async fn while_the_provider_cannot_be_asked_its_deposits_are_not_published_as_overdue_and_others_are() {
    for is_down in [true, false] {
        let world = World::of(&["connect", "connect/acme"]);
        let (here, there) = (deposit("here", at(NOON)), deposit("there", at(NOON)).of("connect/acme"));
        world.send_webhook(&here, "submitted");
        world.send_webhook(&there, "submitted");
        world.receive(webhook(&feed("connect"), WITHDRAWAL, world.clock.now()));
        world.receive(webhook(&feed("striga"), STRIGA, world.clock.now()));
        // Either requests of one organization fail, or the credentials cannot be read.
        world.provider.now().unanswered.extend(is_down.then(|| feed("connect")));
        world.tokens.now().on_feeds = if is_down { Fail::Never } else { Fail::Always };
        world.clock.pass(hours(25));
        for _ in 0..4 {
            assert!(world.run().await.is_err());
            world.process_queues();
            world.clock.pass(minutes(15));
        }
        let count = |deposit: &TestDeposit| notices(&world, &deposit.resource());
        assert_eq!((count(&here), count(&there)), (0, usize::from(is_down)), "is down: {is_down}");
        let others = {
            let table = world.table.resources.now();
            let overdue = table.published.iter().filter(|event| event.event_type.ends_with(".overdue"));
            overdue.filter(|event| event.data.resource.native() != "there").count()
        };
        assert_eq!(others, 2, "the withdrawal and the Striga deposit");
        world.provider.now().unanswered.clear();
        world.tokens.now().on_feeds = Fail::Never;
        world.reconcile().await;
        assert_eq!((count(&here), count(&there)), (1, 1), "the provider has been asked now");
    }
}

#[tokio::test]
async fn without_the_providers_api_deposits_are_published_as_overdue_without_asking() {
    let mut world = World::new();
    world.asks_the_provider = false;
    let stuck = deposit("stuck", at(NOON));
    world.send_webhook(&stuck, "submitted");
    world.clock.pass(hours(25));
    world.reconcile().await;
    assert_eq!((notices(&world, &stuck.resource()), asked(&world).len()), (1, 0));
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_only_a_few_times() {
    let world = World::new();
    world.reconcile().await;
    submitted(&world, 1000);
    world.clock.pass(hours(25));
    world.provider.now().unanswered.insert(feed("connect"));
    world.provider.take_calls();
    assert!(world.run().await.is_err());
    assert!(world.provider.take_calls().len() <= 2);

    // The same if it fails only after the list was read.
    world.provider.now().unanswered.clear();
    let fails = || std::iter::repeat_n(Reply::Fails(Disposition::Retry), 100);
    world.provider.set_replies(std::iter::once(Reply::Honest).chain(fails()));
    assert!(world.run().await.is_err());
    assert_eq!(
        world.provider.take_calls().len(),
        1 + 3,
        "one failed request about a deposit is not an outage, three are"
    );
    assert_eq!(world.ingress.now().sent.len(), 0);
}

#[tokio::test]
async fn overdue_deposits_are_asked_about_again_in_turn_and_their_news_is_queued_days_later() {
    let world = World::new();
    world.reconcile().await;
    let stuck = submitted(&world, 25);
    world.table.contents.now().index_page = 10;
    world.clock.pass(hours(25));
    while stuck.iter().any(|deposit| notices(&world, &deposit.resource()) == 0) {
        world.clock.pass(minutes(15));
        world.reconcile().await;
    }
    // Two runs together ask about all of them, each about others.
    for _ in 0..2 {
        asked(&world);
        let mut seen = Vec::new();
        for _ in 0..2 {
            world.clock.pass(minutes(15));
            world.reconcile().await;
            let some = asked(&world);
            assert!(some.len() <= 20, "at most 20 in a run: {some:?}");
            seen.extend(some);
        }
        seen.sort();
        let all: Vec<String> = stuck.iter().map(|deposit| deposit.id.clone()).collect();
        assert_eq!(seen, all);
    }
    world.clock.pass(days(4));
    for deposit in stuck.iter().step_by(5) {
        world.list(&deposit.clone().arriving(at(NOON).minus(hours(1))), true);
    }
    world.run_for(hours(1)).await;
    for (nth, deposit) in stuck.iter().enumerate() {
        let is_listed = nth % 5 == 0;
        assert_eq!(world.status(deposit), if is_listed { "confirmed" } else { "submitted" }, "{}", deposit.id);
        assert_eq!(notices(&world, &deposit.resource()), 1);
    }
}

#[tokio::test]
async fn the_order_of_one_organization_is_not_moved_by_another() {
    let world = World::of(&["connect", "connect/acme"]);
    world.reconcile().await;
    let mine = submitted(&world, 4);
    let theirs: Vec<TestDeposit> = mine.iter().map(|deposit| deposit.clone().of("connect/acme")).collect();
    theirs.iter().for_each(|deposit| world.send_webhook(deposit, "submitted"));
    world.table.contents.now().index_page = 3;
    world.clock.pass(hours(25));
    world.run_for(hours(2)).await;
    for deposit in mine.iter().chain(&theirs) {
        world.list(&deposit.clone().arriving(at(NOON).minus(hours(1))), true);
    }
    world.run_for(hours(1)).await;
    let open = |all: &[TestDeposit]| all.iter().filter(|deposit| world.status(deposit) != "confirmed").count();
    assert_eq!((open(&mine), open(&theirs)), (0, 0));
}

#[tokio::test]
async fn a_deposit_whose_status_has_changed_is_not_reported_although_the_index_lags_behind() {
    let world = World::new();
    let moved = deposit("moved", at(NOON));
    world.send_webhook(&moved, "submitted");
    let stale = world.table.contents.now().indexes.clone();
    world.clock.pass(hours(25));
    world.send_webhook(&moved, "confirmed");
    world.table.contents.now().lagging = Some(stale);
    assert_eq!(world.reconcile().await.overdue, 0);
    assert_eq!(world.published(&moved.resource()), ["deposit.submitted", "deposit.confirmed"]);
}

#[tokio::test]
async fn an_overdue_notice_that_arrives_after_the_next_status_publishes_nothing() {
    let world = World::new();
    let stuck = deposit("stuck", at(NOON));
    world.send_webhook(&stuck, "submitted");
    world.clock.pass(hours(25));
    // The notice is still on the queue when the next run checks, and when the webhook arrives at last.
    for _ in 0..2 {
        assert_eq!(world.run().await.expect("a run").overdue, 1);
    }
    let notices_queued = std::mem::take(&mut world.ingress.now().sent);
    assert_eq!(notices_queued[0], notices_queued[1], "both runs send the same notice");
    world.send_webhook(&stuck, "confirmed");
    world.ingress.now().sent.extend(notices_queued);
    world.process_queues();
    assert_eq!(world.published(&stuck.resource()), ["deposit.submitted", "deposit.confirmed"]);
}

#[tokio::test]
async fn a_deposit_about_which_requests_fail_delays_no_other_and_is_reported_a_day_later() {
    let world = World::new();
    world.reconcile().await;
    let all = submitted(&world, 3);
    world.provider.now().unanswered_ids.insert(all[1].id.clone());
    let notices_of = |world: &World| all.iter().map(|deposit| notices(world, &deposit.resource())).collect::<Vec<_>>();
    world.clock.pass(hours(25));
    assert!(world.run().await.is_err(), "the failed request is an error");
    world.process_queues();
    assert_eq!(notices_of(&world), [1, 0, 1]);
    let hours_before = world.table.contents.now().reports.len();
    for _ in 0..8 {
        world.clock.pass(minutes(15));
        let _failed = world.run().await.expect_err("each run fails");
        world.process_queues();
    }
    assert_eq!(notices_of(&world), [1, 0, 1]);
    assert!(world.table.contents.now().reports.len() > hours_before, "hours are totalled meanwhile");

    world.clock.set(at(NOON).plus(hours(49)));
    let _failed = world.run().await;
    world.process_queues();
    assert_eq!(notices_of(&world), [1, 1, 1]);
}

#[tokio::test]
async fn the_provider_is_not_asked_again_about_deposits_that_are_overdue_for_longer_than_a_month() {
    let world = World::new();
    world.reconcile().await;
    let old = submitted(&world, 50);
    world.clock.pass(hours(25));
    world.run_for(minutes(30)).await;
    world.clock.pass(days(30));
    let now = world.clock.now();
    let recent = [deposit("recent-0", now), deposit("recent-1", now)];
    recent.iter().for_each(|deposit| world.send_webhook(deposit, "submitted"));
    world.clock.pass(hours(25));
    world.run_for(minutes(15)).await;
    asked(&world);
    world.clock.pass(minutes(15));
    world.reconcile().await;
    let ids: Vec<String> = recent.iter().map(|deposit| deposit.id.clone()).collect();
    assert_eq!(asked(&world), ids, "none of the {} older ones", old.len());
}

#[tokio::test]
async fn an_abandoned_session_is_never_asked_about_and_delays_no_other_deposit() {
    let world = World::new();
    world.reconcile().await;
    // Many users left at once, and as many only after their deposits were reported overdue: more than all pages of the
    // index that a run reads.
    let left: Vec<TestDeposit> = (0..60).map(|nth| deposit(&format!("left-{nth:02}"), world.clock.now())).collect();
    left.iter().for_each(|deposit| world.send_webhook(deposit, "abandoned"));
    world.table.contents.now().index_page = 5;
    let waited = submitted(&world, 60);
    world.run_for(hours(26)).await;
    waited.iter().for_each(|deposit| assert_eq!(notices(&world, &deposit.resource()), 1));
    waited.iter().for_each(|deposit| world.send_webhook(deposit, "abandoned"));

    let stuck = deposit("waiting", world.clock.now());
    world.send_webhook(&stuck, "submitted");
    asked(&world);
    world.run_for(hours(26)).await;
    let probes = asked(&world);
    assert_eq!(notices(&world, &stuck.resource()), 1);
    assert!(probes.len() >= 4 && probes.iter().all(|id| *id == stuck.id), "the other one is asked about: {probes:?}");
    let all = || left.iter().chain(&waited);
    assert!(all().all(|deposit| world.status(deposit) == "abandoned"));
    assert_eq!(left.iter().map(|deposit| notices(&world, &deposit.resource())).sum::<usize>(), 0);
    assert_eq!(waited.iter().map(|deposit| notices(&world, &deposit.resource())).sum::<usize>(), waited.len());

    // A manual transfer may still arrive, and is recorded.
    let late = &left[7];
    world.list(&late.clone().arriving(world.clock.now()), true);
    world.run_for(hours(1)).await;
    assert_eq!(world.status(late), "confirmed");
}

#[tokio::test]
async fn a_deposit_that_the_provider_is_done_with_is_never_asked_about() {
    let world = World::new();
    world.reconcile().await;
    let reason_code = Some("AMOUNT_BELOW_MINIMUM");
    let done = TestDeposit { reason_code, ..deposit("not-converted", world.clock.now()) }.of("zerohash");
    world.send_webhook(&done, "held");
    world.run_for(days(3)).await;
    assert_eq!((asked(&world), world.published(&done.resource())), (vec![], vec!["deposit.held".to_owned()]));
}

#[tokio::test]
async fn an_ambiguity_that_appears_days_later_is_reported_once() {
    let mut world = World::new();
    world.settings.feeds.insert(feed("zerohash"));
    world.reconcile().await;
    let announced = TestDeposit { hash: String::new(), ..submitted(&world, 1).remove(0) };
    world.run_for(hours(25)).await;
    assert_eq!(notices(&world, &announced.resource()), 1);
    world.clock.pass(days(5));
    world.reconcile().await;

    // It is confirmed without a transaction hash, and its hour has been revised already.
    world.list(&announced, true);
    let mut reported = Vec::new();
    for _ in 0..8 {
        world.clock.pass(minutes(15));
        reported.push(world.reconcile().await.differing);
    }
    assert_eq!((reported[0], reported.iter().sum::<u64>()), (1, 1));
    assert_eq!(world.status(&announced), "submitted");
    assert_eq!(world.watermark("connect").reported.len(), 1);
}
