//! A table at which something happens at one step of an updater's work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fundhook_domain::{NewFact, Resource, ResourceId, Timestamp};
use fundhook_ports::{Disposition, PortError, Resources, Write, WriteOutcome};
use state_updater::StateUpdater;
use tokio::sync::Notify;

use super::{Table, at, batch_of, failed, failure, lock};

/// Time is not what these tests are about.
pub(crate) async fn no_pause(_repetition: u32) {}

/// What happens at the chosen step.
#[derive(Clone, Debug)]
pub(crate) enum Disturbance {
    /// The process is gone: nothing that would come after it happens, not even an answer.
    Crash,
    /// The call is answered with an error; what it stored until then stays stored.
    Error,
    /// Another updater handles these, from beginning to end.
    Overtaken(Vec<NewFact>),
}

/// Another updater handles `facts` at the chosen step.
pub(crate) fn overtaken_by(facts: Vec<impl Into<NewFact>>) -> Disturbance {
    Disturbance::Overtaken(facts.into_iter().map(Into::into).collect())
}

/// A table at which something happens at one step.
#[derive(Clone)]
pub(crate) struct Disturbed {
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
            Disturbance::Overtaken(facts) => {
                let updater = StateUpdater::new(self.table.clone(), no_pause);
                assert!(failed(&updater.handle(batch_of(facts), at(90)).await).is_empty());
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

/// Handles `signals` with a disturbance, and then, as the queue would, what was not acknowledged, until nothing is left.
/// Returns the steps of the first time.
pub(crate) async fn handled_until_acknowledged(
    table: &Table,
    facts: &[impl Clone + Into<NewFact>],
    at_step: usize,
    by: Disturbance,
) -> Vec<&'static str> {
    let disturbed = Disturbed::new(table, at_step, by);
    let updater = StateUpdater::new(disturbed.clone(), no_pause);
    let mut left: Vec<NewFact> = facts.iter().cloned().map(Into::into).collect();
    tokio::select! {
        response = updater.handle(batch_of(&left), at(100)) => {
            let failed = failed(&response);
            let is_failed = |index: usize| failed.contains(&format!("message-{index}"));
            left = left.into_iter().enumerate().filter(|(index, _)| is_failed(*index)).map(|(_, fact)| fact).collect();
        }
        // Nobody is left to acknowledge anything: all of it comes again.
        () = disturbed.crashed.notified() => {}
    }
    let calm = StateUpdater::new(table.clone(), no_pause);
    assert!(failed(&calm.handle(batch_of(&left), at(200)).await).is_empty());
    lock(&disturbed.trace).clone()
}
