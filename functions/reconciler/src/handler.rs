//! One scheduled run.

use std::time::Duration;

use fundhook_credentials::rotate_by_run;
use fundhook_domain::{Feed, Kind, Timestamp};
use fundhook_ports::{
    AccessTokens, AccountResources, Claims, ListTransactions, OpenResources, PortError, Receipts, Reports,
    RequestToken, Resources, SendMessages, SettledDeposits, Watermarks, chain,
};
use fundhook_reconciliation::RunSummary;
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::ReconcileSettings;
use tracing::{error, info};

use crate::budget::{Fraction, RunTime};
use crate::error::log_failure;
use crate::run::{ReadableFeeds, Run};
use crate::{ListReader, ReconcileError};

/// The table's items and indexes that only reconciliation uses.
pub trait ReconciliationStore:
    Watermarks + Reports + OpenResources + SettledDeposits + AccountResources + Claims + Receipts
{
}

impl<T: Watermarks + Reports + OpenResources + SettledDeposits + AccountResources + Claims + Receipts>
    ReconciliationStore for T
{
}

/// The types that a [`Reconciler`] works with.
pub trait Ports {
    /// Stores access tokens.
    type Tokens: AccessTokens;
    /// The provider's API.
    type Api: RequestToken + ListTransactions;
    /// Reads recorded resources.
    type Resources: Resources;
    /// Stores watermarks and reports, and reads indexes.
    type ReconciliationStore: ReconciliationStore;
    /// Sends messages.
    type Queue: SendMessages;
    /// Returns the current time.
    type Clock: Fn() -> Timestamp;
}

/// The time between two scheduled runs. Each run begins with another feed, so that none is always last.
const RUNS_APART: Duration = Duration::from_secs(900);

/// When the reading of lists ends: an endless list of one organization must not prevent another one's control totals.
const READING_ENDS: Fraction = Fraction { numerator: 2, denominator: 3 };

/// When the totalling of hours ends: it must not prevent requests about overdue deposits.
const TOTALS_END: Fraction = Fraction { numerator: 5, denominator: 6 };

/// Reads the lists and queues what was missed.
pub struct Reconciler<P: Ports> {
    /// Reads the provider's lists; `None` if the provider's API is not used.
    pub list_reader: Option<ListReader<P::Tokens, P::Api>>,
    /// The recorded resources.
    pub resources: P::Resources,
    /// Watermarks, reports and indexes.
    pub store: P::ReconciliationStore,
    /// The queue of envelopes: missed rows are sent here.
    pub ingress: P::Queue,
    /// The queue of statements about money: overdue notices are sent here.
    pub transfers: P::Queue,
    /// The settings.
    pub settings: ReconcileSettings,
    /// The current time.
    pub clock: P::Clock,
    /// The metrics of the stack.
    pub metrics: Metrics,
}

impl<P: Ports> Reconciler<P> {
    /// Reads each organization's list from its watermark, reports what is overdue, and totals the hours that have closed.
    /// A part that fails does not prevent the others; the first failure is returned.
    ///
    /// Stops before `deadline`, wherever it is by then. The next run continues from there.
    pub async fn handle(&self, deadline: Timestamp) -> Result<RunSummary, ReconcileError> {
        let (mut run, begun) = self.begin().await;
        let mut outcome = begun.inspect_err(|failed| {
            error!(error = chain(failed), "the provider's credentials could not be read; no list is read in this run");
        });
        let feeds = run.feeds.known().to_vec();
        let time = RunTime::new(self.now(), deadline);

        let mut reading = run.phase(time.until(READING_ENDS));
        let mut read_before = Vec::new();
        for feed in &feeds {
            // How far earlier runs had read: what they queued is recorded by now, and what this run queues is not.
            let watermark = self.watermark(feed).await.map_err(ReconcileError::from);
            let known = watermark.map(|watermark| read_before.push((feed, watermark.read_until)));
            outcome = outcome.and(known.inspect_err(|failed| log_failure(feed, failed)));
            let read = self.read_list(feed, &mut reading).await;
            outcome = outcome.and(read.inspect_err(|failed| log_failure(feed, failed)));
        }
        self.emit_lag(&feeds).await;

        // The provider lists deposits only, so this is quick and may use all the time.
        let mut overdue = run.phase(time.whole());
        let unlisted = [Kind::Withdrawal, Kind::Exchange, Kind::Recovery];
        outcome = outcome.and(self.report_overdue(&unlisted, &mut overdue).await);

        let mut totalling = run.phase(time.until(TOTALS_END));
        for (feed, read_until) in read_before {
            let totalled = self.total_hours(feed, read_until, &mut totalling).await;
            outcome = outcome.and(totalled.inspect_err(|failed| log_failure(feed, failed)));
        }

        // Last, because there may always be more overdue deposits than time.
        let mut overdue = run.phase(time.whole());
        outcome = outcome.and(self.report_overdue(&[Kind::Deposit], &mut overdue).await);
        for feed in &feeds {
            let asked = self.ask_again_about_overdue(feed, &mut overdue).await;
            outcome = outcome.and(asked.inspect_err(|failed| log_failure(feed, failed)));
        }

        let RunSummary { pages, rows, queued, differing, overdue, hours, complete } = run.summary;
        info!(pages, rows, queued, differing, overdue, hours, complete, "reconciliation finished. {}", run.summary);
        outcome.and(run.first_skipped.map_or(Ok(run.summary), Err))
    }

    /// Begins a run. If the readable feeds cannot be determined, the run comes with the error, because some of it is
    /// possible without them.
    pub(crate) async fn begin(&self) -> (Run, Result<(), ReconcileError>) {
        match self.readable_feeds().await {
            Ok(feeds) => (Run::new(ReadableFeeds::Known(feeds)), Ok(())),
            Err(failed) => (Run::new(ReadableFeeds::Unknown), Err(failed.into())),
        }
    }

    /// The feeds whose lists can be read. Each run starts with a different one.
    async fn readable_feeds(&self) -> Result<Vec<Feed>, PortError> {
        let Some(list_reader) = &self.list_reader else {
            return Ok(Vec::new());
        };
        let mut feeds = list_reader.feeds().await?;
        rotate_by_run(&mut feeds, self.now(), RUNS_APART);
        Ok(feeds)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
