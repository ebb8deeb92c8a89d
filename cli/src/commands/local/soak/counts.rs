//! What happened so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that several tasks add to.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Webhooks that providers had to send, without repetitions.
    pub(super) webhooks: Count,
    /// Requests to the receiver.
    pub(super) requests: Count,
    /// Requests that were answered with 200.
    pub(super) accepted: Count,
    /// Requests that were not.
    pub(super) unanswered: Count,
    /// Webhooks that were sent again after they were accepted.
    pub(super) repeated: Count,
    /// Webhooks that were never sent.
    pub(super) dropped: Count,
    /// Webhooks that were never accepted.
    pub(super) given_up: Count,
    /// Processes that were killed.
    pub(super) killed: Count,
    /// Rows of lists that the reconciler queued.
    pub(super) rows_queued: Count,
    /// Runs of the reconciler that failed.
    pub(super) runs_failed: Count,
    /// Messages that were redriven from dead-letter queues.
    pub(super) redriven: Count,
}

impl Counts {
    /// The most important numbers, in a line.
    pub(super) fn line(&self) -> String {
        let Self { webhooks, accepted, unanswered, repeated, dropped, killed, .. } = self;
        format!(
            "{} webhooks: {} requests accepted, {} not; {} repeated, {} dropped; {} processes killed",
            webhooks.get(),
            accepted.get(),
            unanswered.get(),
            repeated.get(),
            dropped.get(),
            killed.get()
        )
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "what happened")?;
        for (count, what) in [
            (&self.webhooks, "webhooks of the providers"),
            (&self.dropped, "of them never sent"),
            (&self.repeated, "of them sent again after they were accepted"),
            (&self.given_up, "of them given up, because they were not accepted"),
            (&self.requests, "requests sent"),
            (&self.accepted, "of them answered with 200"),
            (&self.unanswered, "of them answered otherwise or not at all"),
            (&self.killed, "processes of functions killed"),
            (&self.rows_queued, "rows of lists queued by the reconciler"),
            (&self.runs_failed, "runs of the reconciler failed"),
            (&self.redriven, "dead letters redriven"),
        ] {
            writeln!(f, "  {:>12}  {what}", count.get())?;
        }
        Ok(())
    }
}
