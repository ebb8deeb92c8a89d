//! Wherever a run stops, the next one reaches the right state. Two runs at once do no harm.
//!
//! A run is executed once to list its steps: one before each call to a port, and one after each call that changes
//! something. Then, for every step, a run crashes there, gets an error there, or pauses there while another one runs.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, Timestamp};

use crate::support::deposit::{USDC, deposit, webhook};
use crate::support::steps::Disturbance;
use crate::support::{Ledger, World, at, feed, hours, minutes};

const WITHDRAWAL: &str = include_str!("../../../../events/connect/withdrawal.initiated.json");

/// A world in which the next run has one of everything to do: pages with rows that are missing, behind, known under
/// another feed and not understood, a rejected token, an overdue deposit and an overdue withdrawal, a deposit that was
/// reported overdue and has news, and hours to total.
async fn busy_world() -> World {
    let mut world = World::of(&["connect", "connect/acme"]);
    world.settings.zerohash_feeds = BTreeSet::from([feed("zerohash")]);
    (world.settings.overdue.deposit, world.settings.overdue.withdrawal) = (hours(2), hours(2));
    let report = |id: &str, status: &str| {
        let some = deposit(id, world.clock.now());
        world.send_webhook(&some, status);
        some
    };
    let asleep = report("asleep", "pending");
    world.reconcile().await;
    world.clock.pass(minutes(90));
    world.list(&report("early", "confirmed"), true);
    world.clock.pass(minutes(30));
    let (_stuck, late) = (report("stuck", "submitted"), report("late", "submitted"));
    world.receive(webhook(&feed("connect"), WITHDRAWAL, world.clock.now()));
    world.clock.pass(minutes(105));
    world.reconcile().await;
    assert!(world.resource(&asleep.resource()).is_overdue());

    world.clock.pass(minutes(15));
    let now = world.clock.now();
    world.list(&asleep, true);
    world.list(&late, true);
    for nth in 1..=2 {
        let missing = deposit(&format!("missing-{nth}"), now.minus(minutes(20 + nth)));
        world.list(&missing.worth(&format!("{nth}.5"), USDC), true);
    }
    let behind = deposit("behind", now.minus(minutes(40)));
    world.send_webhook(&behind, "submitted");
    world.list(&behind, true);
    let known = deposit("known", now.minus(minutes(45)));
    world.send_webhook(&known.clone().with_id("other").of("zerohash"), "confirmed");
    world.list(&known, true);
    world.list(&deposit("of-acme", now.minus(minutes(50))).of("connect/acme"), true);
    let mut odd = deposit("odd", now.minus(minutes(55))).row(true);
    odd.text = "[1]".to_owned();
    world.provider.list(&feed("connect"), odd);
    {
        let mut state = world.provider.state.lock();
        state.page_size = 2;
        state.accepts.remove("first-of-connect");
    }
    world
}

/// Everything that has to be the same at the end.
#[derive(Debug, PartialEq)]
struct FinalState {
    ledger: Ledger,
    event_ids: BTreeSet<String>,
    /// How often each event was published.
    published: BTreeMap<String, usize>,
    read_until: BTreeMap<Feed, (Timestamp, Timestamp, bool)>,
    reports: Vec<(Feed, Timestamp, usize, bool)>,
    left_on_queues: usize,
}

/// The state after some further runs, each with its queues processed: the next one on schedule, the others after a pause.
async fn end(world: &World) -> FinalState {
    world.steps.disturb(None);
    world.process_queues();
    for pause in [15, 75, 60] {
        world.clock.pass(minutes(pause));
        world.reconcile().await;
    }
    let contents = world.table.contents.lock();
    let watermarks = contents.watermarks.iter();
    let mut published = BTreeMap::new();
    for event in &contents.published {
        *published.entry(event.id.clone()).or_default() += 1;
    }
    let reports = contents.reports.values().map(|report| {
        let holds = report.lines.iter().all(fundhook_reconciliation::ControlTotalsLine::holds);
        (report.feed.clone(), report.from, report.lines.len(), holds)
    });
    let (read_until, reports) = (
        watermarks.map(|(feed, it)| (feed.clone(), (it.read_until, it.totals_until, it.window.is_none()))).collect(),
        reports.collect(),
    );
    drop(contents);
    let left_on_queues = world.ingress.messages.lock().len() + world.transfers.messages.lock().len();
    FinalState { ledger: world.ledger(), event_ids: world.event_ids(), published, read_until, reports, left_on_queues }
}

/// A run without disturbance: its steps, and the final state.
async fn undisturbed() -> (Vec<&'static str>, FinalState) {
    let world = busy_world().await;
    world.steps.disturb(None);
    let summary = world.run().await.expect("a run");
    assert!(summary.complete && summary.queued == 7 && summary.overdue == 2, "{summary:?}");
    let steps = world.steps.trace();
    let end = end(&world).await;
    let until = world.clock.now().minus(minutes(15));
    assert!(end.read_until.values().all(|(read_until, _, is_done)| *is_done && *read_until == until));
    assert!(end.published.values().all(|times| *times == 1));
    assert!(end.reports.iter().all(|(_, _, _, holds)| *holds), "{:?}", end.reports);
    assert!(end.reports.len() == 6 && end.left_on_queues == 0);
    (steps, end)
}

#[tokio::test]
async fn a_busy_run_reaches_every_step() {
    let (steps, end) = undisturbed().await;
    let reach: BTreeSet<&str> = steps.iter().copied().collect();
    for step in [
        "before the credentials are read",
        "before the tokens are read",
        "before the lease",
        "after the lease",
        "before the lease is released",
        "before a token is granted",
        "after a token is granted",
        "before a token is stored",
        "after a token is stored",
        "before a page",
        "after a page",
        "before resources are read",
        "before claims are read",
        "before a user's deposits are read",
        "before a row is queued",
        "after a row is queued",
        "before a notice is queued",
        "after a notice is queued",
        "before the watermark is read",
        "before the watermark is moved",
        "after the watermark is moved",
        "before open resources are read",
        "before confirmed deposits are read",
        "before receipts are read",
        "before a report is stored",
        "after a report is stored",
    ] {
        assert!(reach.contains(step), "{step}");
    }
    assert_eq!(reach.len(), 26, "{reach:?}");
    let status = |id: &str| {
        let named = end.ledger.entries.iter().find(|(resource, _)| resource.to_string() == id);
        named.map(|(_, entry)| entry.status)
    };
    for (id, expected) in [
        ("deposit#connect#asleep", Some("confirmed")),
        ("deposit#connect#late", Some("confirmed")),
        ("deposit#connect#missing-2", Some("confirmed")),
        ("deposit#connect#behind", Some("confirmed")),
        ("deposit#connect/acme#of-acme", Some("confirmed")),
        ("deposit#connect#stuck", Some("submitted")),
        ("deposit#connect#known", None),
    ] {
        assert_eq!(status(id), expected, "{id}");
    }
}

#[tokio::test]
async fn wherever_a_run_stops_the_next_one_reaches_the_right_state() {
    let (steps, expected) = undisturbed().await;
    for by in [Disturbance::Crash, Disturbance::Error] {
        for (step, name) in steps.iter().enumerate() {
            let world = busy_world().await;
            world.steps.disturb(Some((step, by)));
            tokio::select! {
                // A run can succeed despite some errors.
                _ended = world.run() => {}
                () = world.steps.stopped() => {}
            }
            assert_eq!(end(&world).await, expected, "{by:?} {name} (step {step})");
        }
    }
}

#[tokio::test]
async fn another_run_may_begin_and_end_while_one_pauses_at_any_step() {
    let (steps, expected) = undisturbed().await;
    for (step, name) in steps.iter().enumerate() {
        let world = busy_world().await;
        world.steps.disturb(Some((step, Disturbance::Pause)));
        let other = async {
            world.steps.stopped().await;
            let ended = world.run().await;
            world.steps.resume();
            ended
        };
        let (one, other) = tokio::join!(world.run(), other);
        assert!(one.is_ok() || other.is_ok(), "one of them succeeds: {name} (step {step})");
        assert_eq!(end(&world).await, expected, "{name} (step {step})");
    }
}

#[tokio::test]
async fn two_concurrent_runs_leave_the_same_state_as_one() {
    let (_, expected) = undisturbed().await;
    let world = busy_world().await;
    let (one, other) = tokio::join!(world.run(), world.run());
    assert!(one.is_err() || other.is_err(), "only one of them moves a watermark");
    assert_eq!(end(&world).await, expected);
    let behind = deposit("behind", at(crate::support::NOON)).resource();
    assert_eq!(world.resource(&behind).facts().len(), 2, "its row was queued twice and recorded once");
}
