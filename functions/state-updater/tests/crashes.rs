//! Contract 3: effects happen once, wherever an updater stops and however often its messages come again.
//!
//! The steps of handling a batch are listed by running it: a step is before and after each call to the table, and
//! after each item that a call stores. Then the updater crashes at each, or is told of a failure at each, or is
//! overtaken by another at each. Whatever of the queue's rules applies then is applied: what was not acknowledged comes
//! again. Each time the table must hold the same facts, each once, and say the same events.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fundhook_domain::port::{Disposition, PortError, Resources, Write, WriteOutcome};
use fundhook_domain::{FactId, Resource, ResourceId, Signal, Timestamp, View, events_after};
use state_updater::StateUpdater;
use support::{Table, at, batch_of, failed, failure, folded, lock, signal};
use tokio::sync::Notify;

/// Time is not what these tests are about.
async fn no_pause(_repetition: u32) {}

/// What happens at the chosen step.
#[derive(Clone, Debug)]
enum Disturbance {
    /// The process is gone: nothing that would come after it happens, not even an answer.
    Crash,
    /// The call is answered with an error; what it stored until then stays stored.
    Error,
    /// Another updater handles these, from beginning to end.
    Overtaken(Vec<Signal>),
}

/// A table at which something happens at one step.
#[derive(Clone)]
struct Disturbed {
    table: Table,
    step: Arc<AtomicUsize>,
    at_step: usize,
    by: Disturbance,
    crashed: Arc<Notify>,
    /// The steps, as they were come to.
    trace: Arc<Mutex<Vec<&'static str>>>,
}

impl Disturbed {
    fn new(table: &Table, at_step: usize, by: Disturbance) -> Self {
        let (step, crashed, trace) = Default::default();
        Self { table: table.clone(), step, at_step, by, crashed, trace }
    }

    /// Comes to the next step.
    async fn step(&self, name: &'static str) -> Result<(), PortError> {
        lock(&self.trace).push(name);
        if self.step.fetch_add(1, Ordering::SeqCst) != self.at_step {
            return Ok(());
        }
        match &self.by {
            Disturbance::Crash => {
                self.crashed.notify_one();
                std::future::pending().await
            }
            Disturbance::Error => Err(failure(Disposition::Retry)),
            Disturbance::Overtaken(signals) => {
                let updater = StateUpdater::new(self.table.clone(), no_pause);
                assert!(failed(&updater.handle(batch_of(signals), at(90)).await).is_empty());
                Ok(())
            }
        }
    }
}

impl Resources for Disturbed {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        self.step("before a read").await?;
        let resources = self.table.contents().read(ids);
        self.step("after a read").await?;
        Ok(resources)
    }

    async fn write(&self, writes: Vec<Write>, _now: Timestamp) -> Vec<WriteOutcome> {
        let count = writes.len();
        let all_failed = || (0..count).map(|_| WriteOutcome::Failed(failure(Disposition::Retry))).collect();
        if self.step("before a write").await.is_err() {
            return all_failed();
        }
        let mut outcomes = Vec::new();
        for write in writes {
            outcomes.push(self.table.contents().write(write));
            if self.step("after an item").await.is_err() {
                return all_failed();
            }
        }
        outcomes
    }
}

/// Two deposits' signals as they come in one batch, with one message that came twice.
fn signals() -> Vec<Signal> {
    let confirmed = signal("a", "confirmed", 40);
    vec![confirmed.clone(), signal("b", "pending", 0), signal("a", "pending", 0), confirmed, signal("b", "held", 20)]
}

/// A fact that the table holds before, and one that only a rival brings.
fn known_and_rival() -> (Signal, Signal) {
    (signal("b", "submitted", 10), signal("a", "submitted", 10))
}

/// All that is to be the same in the end.
#[derive(Debug, PartialEq)]
struct End {
    facts: BTreeMap<ResourceId, BTreeSet<FactId>>,
    views: BTreeMap<ResourceId, Option<View>>,
    event_ids: BTreeSet<String>,
}

impl End {
    fn of(resources: impl IntoIterator<Item = Resource>) -> Self {
        let (facts, views, event_ids) = Default::default();
        let mut end = Self { facts, views, event_ids };
        for resource in resources {
            let facts: BTreeSet<FactId> = resource.facts().iter().map(|fact| fact.id.clone()).collect();
            assert_eq!(facts.len() as u64, resource.version(), "a fact of {} is recorded twice", resource.id());
            end.event_ids.extend(events_after(&resource, 0).into_iter().map(|event| event.id));
            end.views.insert(resource.id().clone(), resource.view());
            end.facts.insert(resource.id().clone(), facts);
        }
        end
    }

    fn in_table(table: &Table) -> Self {
        Self::of(table.resources())
    }

    /// What all facts that are said anywhere add up to.
    fn of_all(others: &[Signal]) -> Self {
        let said = [signals(), others.to_vec()].concat();
        let of = |native| said.iter().filter(|signal| signal.resource.native() == native).cloned().collect::<Vec<_>>();
        Self::of(["a", "b"].map(|native| folded(&of(native))))
    }
}

/// Handles `signals` with a disturbance, and then, as the queue would, what was not acknowledged, until nothing is left.
/// Returns the steps of the first time.
async fn handled_until_acknowledged(table: &Table, at_step: usize, by: Disturbance) -> Vec<&'static str> {
    let disturbed = Disturbed::new(table, at_step, by);
    let updater = StateUpdater::new(disturbed.clone(), no_pause);
    let mut left = signals();
    tokio::select! {
        response = updater.handle(batch_of(&left), at(100)) => {
            let failed = failed(&response);
            let is_failed = |index: usize| failed.contains(&format!("message-{index}"));
            left = left.into_iter().enumerate().filter(|(index, _)| is_failed(*index)).map(|(_, signal)| signal).collect();
        }
        // Nobody is left to acknowledge anything: all of it comes again.
        () = disturbed.crashed.notified() => {}
    }
    let calm = StateUpdater::new(table.clone(), no_pause);
    assert!(failed(&calm.handle(batch_of(&left), at(200)).await).is_empty());
    lock(&disturbed.trace).clone()
}

#[tokio::test]
async fn wherever_it_stops_and_whoever_comes_between_the_same_is_recorded_once() {
    let (known, rival) = known_and_rival();
    let table = || Table::holding([folded(std::slice::from_ref(&known))]);
    let steps = handled_until_acknowledged(&table(), usize::MAX, Disturbance::Crash).await;
    assert_eq!(steps, ["before a read", "after a read", "before a write", "after an item", "after an item"]);

    for (by, others) in [
        (Disturbance::Crash, vec![]),
        (Disturbance::Error, vec![]),
        // Another updater with the same messages, whose visibility timeout ran out too early.
        (Disturbance::Overtaken(signals()), vec![]),
        (Disturbance::Overtaken(vec![rival.clone()]), vec![rival.clone()]),
        (Disturbance::Overtaken([signals(), vec![rival.clone()]].concat()), vec![rival.clone()]),
    ] {
        let expected = End::of_all(&[others, vec![known.clone()]].concat());
        for (at_step, step) in steps.iter().enumerate() {
            let table = table();
            handled_until_acknowledged(&table, at_step, by.clone()).await;
            assert_eq!(End::in_table(&table), expected, "{by:?} {step}");

            // Once everything was acknowledged, its repetition changes nothing at all.
            let before = table.resources();
            handled_until_acknowledged(&table, usize::MAX, Disturbance::Crash).await;
            assert_eq!(table.resources(), before, "{by:?} {step}, and all of it again");
        }
    }
}
