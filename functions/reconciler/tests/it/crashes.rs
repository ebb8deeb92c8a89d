//! Wherever a run stops, the next one reaches the right state. Two runs at once do no harm.
//!
//! A run is executed once to list its steps: one before and one after each call to a port. Then, for every step, a run
//! crashes there, gets an error there, or pauses there while another one runs.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, ListId, Timestamp};
use fundhook_ports::fakes::{Run, Steps};

use crate::support::deposit::{USDC, deposit, webhook};
use crate::support::steps::{completed, paused_at_each, stopped_at_each};
use crate::support::{Ledger, World, at, feed, hours, minutes, transactions};

const WITHDRAWAL: &str = include_str!("../../../../events/connect/withdrawal.initiated.json");

/// A world in which the next run has one of everything to do: pages with rows that are missing, behind, known under
/// another feed and not understood, a rejected token, an overdue deposit and an overdue withdrawal, a deposit that was
/// reported overdue and has news, and hours to total.
async fn busy_world() -> World {
    let mut world = World::of(&["connect", "connect/acme"]);
    world.settings.feeds.insert(feed("zerohash"));
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
    odd.json = "[1]".to_owned();
    world.provider.list_row(&transactions("connect"), odd);
    world.provider.now().page_size = 2;
    world.tokens.revoke_stored(&feed("connect"));
    world
}

/// Everything that has to be the same at the end.
#[derive(Debug, PartialEq)]
struct FinalState {
    ledger: Ledger,
    event_ids: BTreeSet<String>,
    /// How often each event was published.
    published: BTreeMap<String, usize>,
    read_until: BTreeMap<ListId, (Timestamp, Timestamp, bool)>,
    reports: Vec<(Feed, Timestamp, usize, bool)>,
    left_on_queues: usize,
}

/// The state after some further runs, each with its queues processed: the next one on schedule, the others after a
/// pause.
fn end(world: &World) -> FinalState {
    world.process_queues();
    for pause in [15, 75, 60] {
        world.clock.pass(minutes(pause));
        completed(world.reconcile());
    }
    let contents = world.table.contents.now();
    let read_until = contents.watermarks.iter();
    let read_until = read_until.map(|(list, it)| (list.clone(), (it.read_until, it.totals_until, it.window.is_none())));
    let mut published = BTreeMap::new();
    for event in &world.table.resources.now().published {
        *published.entry(event.id.clone()).or_default() += 1;
    }
    let reports = contents.reports.values().map(|report| {
        let holds = report.lines.iter().all(fundhook_reconciliation::ControlTotalsLine::holds);
        (report.feed.clone(), report.from, report.lines.len(), holds)
    });
    FinalState {
        ledger: world.ledger(),
        event_ids: world.event_ids(),
        published,
        read_until: read_until.collect(),
        reports: reports.collect(),
        left_on_queues: world.ingress.sent().len(),
    }
}

/// A run without disturbance: its steps, and the final state.
fn undisturbed() -> (Vec<String>, FinalState) {
    let (world, steps) = (completed(busy_world()), Steps::passing());
    let summary = completed(world.reconciler_with(&steps).handle(world.deadline())).expect("a run");
    assert!(summary.complete && summary.queued == 7 && summary.overdue == 2, "{summary:?}");
    assert_eq!(world.ingress.sent().len(), 7 + 2, "rows and notices");
    let end = end(&world);
    let until = world.clock.now().minus(minutes(15));
    assert!(end.read_until.values().all(|(read_until, _, is_done)| *is_done && *read_until == until));
    assert!(end.published.values().all(|times| *times == 1));
    assert!(end.reports.iter().all(|(_, _, _, holds)| *holds), "{:?}", end.reports);
    assert!(end.reports.len() == 6 && end.left_on_queues == 0);
    (steps.reached(), end)
}

#[test]
fn a_busy_run_reaches_every_step() {
    let (steps, end) = undisturbed();
    let [before, after] = ["before ", "after "].map(|prefix| {
        let of_calls = steps.iter().filter_map(|step| step.strip_prefix(prefix));
        of_calls.collect::<Vec<&str>>()
    });
    assert_eq!(before, after, "each call has both steps");
    let calls = BTreeSet::from([
        "reading the credentials",
        "reading the API keys",
        "reading the tokens",
        "leasing the token of connect",
        "granting the token of connect",
        "storing the tokens",
        "releasing the token of connect",
        "reading connect:transactions",
        "reading connect/acme:transactions",
        "reading resources",
        "reading claims",
        "reading resources of an account",
        "sending a message",
        "reading the watermark of connect:transactions",
        "reading the watermark of connect/acme:transactions",
        "advancing the watermark of connect:transactions",
        "advancing the watermark of connect/acme:transactions",
        "reading open resources",
        "reading the mark of movements",
        "advancing the mark of movements",
        "reading confirmed deposits of connect",
        "reading confirmed deposits of connect/acme",
        "reading confirmed deposits of zerohash",
        "reading receipts",
        "storing a report of connect:transactions",
        "storing a report of connect/acme:transactions",
    ]);
    assert_eq!(before.iter().copied().collect::<BTreeSet<_>>(), calls);
    assert_eq!(before.iter().filter(|call| **call == "sending a message").count(), 9, "seven rows and two notices");
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

#[test]
fn wherever_a_run_stops_the_next_one_reaches_the_right_state() {
    let (steps, expected) = undisturbed();
    let begin = || completed(busy_world());
    stopped_at_each(&steps, begin, |world, what| assert_eq!(end(world), expected, "{what}"));
}

#[test]
fn another_run_may_begin_and_end_while_one_pauses_at_any_step() {
    let (steps, expected) = undisturbed();
    let begin = || completed(busy_world());
    paused_at_each(&steps, begin, |world, what| assert_eq!(end(world), expected, "{what}"));
}

#[test]
fn two_concurrent_runs_leave_the_same_state_as_one() {
    let (_, expected) = undisturbed();
    let world = completed(busy_world());
    let (of_one, of_other) = (Steps::default(), Steps::default());
    let (one, other) = (world.reconciler_with(&of_one), world.reconciler_with(&of_other));
    let mut one = Run::of(&of_one, one.handle(world.deadline()));
    let mut other = Run::of(&of_other, other.handle(world.deadline()));
    let (mut outcomes, mut passed) = ((None, None), 0);
    while outcomes.0.is_none() || outcomes.1.is_none() {
        // Each passes one more step in its turn.
        passed += 1;
        outcomes = (outcomes.0.or_else(|| one.pass(passed)), outcomes.1.or_else(|| other.pass(passed)));
    }
    let is_beaten = |outcome: Option<Result<_, _>>| outcome.is_some_and(|outcome| outcome.is_err());
    assert!(is_beaten(outcomes.0) || is_beaten(outcomes.1), "only one of them moves a watermark");
    assert_eq!(end(&world), expected);
    let behind = deposit("behind", at(crate::support::NOON)).resource();
    assert_eq!(world.resource(&behind).facts().len(), 2, "its row was queued twice and recorded once");
}
