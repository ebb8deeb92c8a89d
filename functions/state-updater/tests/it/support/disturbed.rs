//! A table that disturbs one step of an updater's work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fundhook_domain::{Claim, ClaimKey, NewFact, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp};
use fundhook_ports::fakes::{Fake, down};
use fundhook_ports::{Claims, PortError, Resources, Write, WriteOutcome};
use state_updater::StateUpdater;
use tokio::sync::Notify;

use super::{Table, at, batch_of, failed};

/// Does not wait between attempts.
pub(crate) async fn no_pause(_repetition: u32) {}

/// What happens at the disturbed step.
#[derive(Clone, Debug)]
pub(crate) enum Disturbance {
    /// The process ends: nothing after the step happens, and the queue gets no answer.
    Crash,
    /// The call is answered with an error; what it has stored stays stored.
    Error,
    /// Another updater handles these messages, from beginning to end.
    Overtaken(Vec<NewFact>),
}

/// Another updater handles `facts` at the disturbed step.
pub(crate) fn overtaken_by(facts: Vec<impl Into<NewFact>>) -> Disturbance {
    Disturbance::Overtaken(facts.into_iter().map(Into::into).collect())
}

/// A table that disturbs one step.
#[derive(Clone)]
pub(crate) struct Disturbed {
    table: Table,
    step: Arc<AtomicUsize>,
    at_step: usize,
    by: Disturbance,
    crashed: Arc<Notify>,
    /// The steps that were reached, in order.
    trace: Fake<Vec<&'static str>>,
}

impl Disturbed {
    fn new(table: &Table, at_step: usize, by: Disturbance) -> Self {
        let (step, crashed, trace) = Default::default();
        Self { table: table.clone(), step, at_step, by, crashed, trace }
    }

    /// Reaches the next step.
    async fn step(&self, name: &'static str) -> Result<(), PortError> {
        self.trace.now().push(name);
        if self.step.fetch_add(1, Ordering::SeqCst) != self.at_step {
            return Ok(());
        }
        match &self.by {
            Disturbance::Crash => {
                self.crashed.notify_one();
                std::future::pending().await
            }
            Disturbance::Error => Err(down("reach the table")),
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
        let resources = self.table.read(ids).await?;
        self.step("after a read").await?;
        Ok(resources)
    }

    async fn write(&self, writes: Vec<Write>, _now: Timestamp) -> Vec<WriteOutcome> {
        let count = writes.len();
        let all_failed = || (0..count).map(|_| WriteOutcome::Failed(down("reach the table"))).collect();
        if self.step("before a write").await.is_err() {
            return all_failed();
        }
        let mut outcomes = Vec::new();
        for write in writes {
            outcomes.push(self.table.now().write(write));
            if self.step("after an item").await.is_err() {
                return all_failed();
            }
        }
        outcomes
    }
}

impl Claims for Disturbed {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        self.step("before a read of claims").await?;
        let claims = self.table.claims(keys).await?;
        self.step("after a read of claims").await?;
        Ok(claims)
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        self.step("before a read of similar deposits").await?;
        let similar = self.table.similar(keys).await?;
        self.step("after a read of similar deposits").await?;
        Ok(similar)
    }
}

/// Handles `facts` with a disturbance at the step `at_step`, and then, as the queue would, the messages that were not
/// acknowledged. Returns the steps that the disturbed updater reached.
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
        // Nothing was acknowledged: all messages are delivered again.
        () = disturbed.crashed.notified() => {}
    }
    let calm = StateUpdater::new(table.clone(), no_pause);
    assert!(failed(&calm.handle(batch_of(&left), at(200)).await).is_empty());
    disturbed.trace.now().clone()
}
