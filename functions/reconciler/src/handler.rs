//! One scheduled run.

use std::time::Duration;

use fundhook_credentials::rotate_by_run;
use fundhook_domain::{Kind, ListId, Timestamp};
use fundhook_ports::{
    AccessTokens, AccountResources, Claims, ListSigned, ListWithToken, MovementsMarks, OpenResources, Receipts,
    Reports, RequestToken, Resources, SendMessages, SettledResources, Watermarks, chain,
};
use fundhook_reconciliation::RunSummary;
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::ReconcileSettings;
use tracing::{error, info};

use crate::budget::{Fraction, RunTime};
use crate::error::log_failure;
use crate::run::Run;
use crate::{ListReader, ReconcileError};

/// The table's items and indexes that only reconciliation uses.
pub trait ReconciliationStore:
    Watermarks + Reports + OpenResources + SettledResources + AccountResources + Claims + Receipts + MovementsMarks
{
}

impl<T: Watermarks + Reports + OpenResources + SettledResources + AccountResources + Claims + Receipts + MovementsMarks>
    ReconciliationStore for T
{
}

/// The types that a [`Reconciler`] works with.
pub trait Ports {
    /// Stores access tokens.
    type Tokens: AccessTokens;
    /// Connect's API.
    type Connect: RequestToken + ListWithToken;
    /// zerohash's API.
    type Zerohash: ListSigned;
    /// Reads recorded resources.
    type Resources: Resources;
    /// Stores watermarks and reports, and reads indexes.
    type ReconciliationStore: ReconciliationStore;
    /// Sends messages.
    type Queue: SendMessages;
    /// Returns the current time.
    type Clock: Fn() -> Timestamp;
}

/// The time between two scheduled runs. Each run begins with another list, so that none is always last.
const RUNS_APART: Duration = Duration::from_secs(900);

/// When the reading of lists ends: an endless list must not prevent the control totals of another one.
const READING_ENDS: Fraction = Fraction { numerator: 2, denominator: 3 };

/// When the totalling of hours ends: it must not prevent requests about overdue resources.
const TOTALS_END: Fraction = Fraction { numerator: 5, denominator: 6 };

/// When the reading of lists without dates ends: what is overdue must have time left.
const WHOLE_LISTS_END: Fraction = Fraction { numerator: 11, denominator: 12 };

/// Reads the lists and queues what was missed.
pub struct Reconciler<P: Ports> {
    /// Reads the providers' lists.
    pub list_reader: ListReader<P::Tokens, P::Connect, P::Zerohash>,
    /// The recorded resources.
    pub resources: P::Resources,
    /// Watermarks, reports and indexes.
    pub store: P::ReconciliationStore,
    /// The queue of envelopes: missed rows, decisions and overdue notices are sent here.
    pub ingress: P::Queue,
    /// The settings.
    pub settings: ReconcileSettings,
    /// The current time.
    pub clock: P::Clock,
    /// The metrics of the stack.
    pub metrics: Metrics,
}

impl<P: Ports> Reconciler<P> {
    /// Reads each list from its watermark, and once a day the lists that have no filter by date; reports what is overdue, and
    /// totals the hours that have closed.
    /// A part that fails does not prevent the others; the first failure is returned.
    ///
    /// Stops before `deadline`, wherever it is by then. The next run continues from there.
    pub async fn handle(&self, deadline: Timestamp) -> Result<RunSummary, ReconcileError> {
        let (mut run, begun) = self.begin().await;
        let mut outcome = begun.inspect_err(|failed| {
            error!(
                error = chain(failed),
                "the credentials for a provider's API could not be read; its lists are not read in this run"
            );
        });
        let (lists, whole): (Vec<ListId>, Vec<ListId>) =
            run.lists.known().iter().cloned().partition(|list| list.kind().is_dated());
        let time = RunTime::new(self.now(), deadline);

        let mut reading = run.phase(time.until(READING_ENDS));
        let mut read_before = Vec::new();
        for list in &lists {
            // How far earlier runs had read: what they queued is recorded by now, and what this run queues is not.
            let watermark = self.watermark(list).await.map_err(ReconcileError::from);
            let known = watermark.map(|watermark| read_before.push((list, watermark.read_until)));
            outcome = outcome.and(known.inspect_err(|failed| log_failure(list, failed)));
            let read = self.read_list(list, &mut reading).await;
            outcome = outcome.and(read.inspect_err(|failed| log_failure(list, failed)));
        }
        self.emit_lag(run.lists.known()).await;
        self.emit_silence(&lists, &run.counted).await;

        // No list contains these, so this is quick and may use all the time.
        let mut overdue = run.phase(time.whole());
        outcome = outcome.and(self.report_overdue(&[Kind::Exchange, Kind::Recovery], &mut overdue).await);

        let mut totalling = run.phase(time.until(TOTALS_END));
        for (list, read_until) in read_before {
            let totalled = self.total_hours(list, read_until, &mut totalling).await;
            outcome = outcome.and(totalled.inspect_err(|failed| log_failure(list, failed)));
        }

        let mut checking = run.phase(time.whole());
        outcome = outcome.and(self.check_movements(&mut checking).await);

        let mut reading = run.phase(time.until(WHOLE_LISTS_END));
        for list in &whole {
            let read = self.read_list(list, &mut reading).await;
            outcome = outcome.and(read.inspect_err(|failed| log_failure(list, failed)));
        }

        // Last, because there may always be more of them than time. Each run begins with the other kind.
        let mut overdue = run.phase(time.whole());
        let mut listed = [Kind::Deposit, Kind::Withdrawal];
        rotate_by_run(&mut listed, self.now(), RUNS_APART);
        outcome = outcome.and(self.report_overdue(&listed, &mut overdue).await);
        for list in &lists {
            let asked = self.ask_again_about_overdue(list, &mut overdue).await;
            outcome = outcome.and(asked.inspect_err(|failed| log_failure(list, failed)));
        }

        let RunSummary { pages, rows, queued, differing, overdue, hours, complete } = run.summary;
        info!(pages, rows, queued, differing, overdue, hours, complete, "reconciliation finished. {}", run.summary);
        outcome.and(run.first_skipped.map_or(Ok(run.summary), Err))
    }

    /// Begins a run. If a provider's credentials cannot be read, the run comes with the error, because the rest of it is
    /// possible without them.
    pub(crate) async fn begin(&self) -> (Run, Result<(), ReconcileError>) {
        let (mut lists, read) = self.list_reader.lists().await;
        rotate_by_run(lists.known_mut(), self.now(), RUNS_APART);
        (Run::new(lists), read.map_err(ReconcileError::from))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
