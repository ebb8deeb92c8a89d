//! One scheduled run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_domain::port::{
    AccessTokens, AccountResources, Advance, Claims, ListTransactions, OpenResources, PortError, Receipts, Reports,
    RequestToken, Resources, SendMessages, SettledDeposits, Watermark, Watermarks, chain,
};
use fundhook_domain::{Feed, ResourceId, Timestamp};
use fundhook_runtime::metrics;
use fundhook_runtime::settings::ReconcileSettings;
use serde::Serialize;
use tracing::{error, info};

use crate::{Asker, NotListed};

/// What reconciliation keeps, and the indexes that it asks.
pub trait Books: Watermarks + Reports + OpenResources + SettledDeposits + AccountResources + Claims + Receipts {}

impl<T: Watermarks + Reports + OpenResources + SettledDeposits + AccountResources + Claims + Receipts> Books for T {}

/// What is left of a run's time when it begins nothing further: at worst a page, a new token and the page once more, each up
/// to 3 × 5 s and 10 s of pauses, and some seconds for what follows from it.
const RESERVE: Duration = Duration::from_secs(90);

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// How long the schedule leaves between two runs: each begins with another one, so that none is always last.
const RUNS_APART_SECONDS: i64 = 900;

/// The reading of lists leaves a third of a run's time to what comes after it: an endless list of one organization keeps
/// none from having its overdue resources reported and its hours added up.
const READING_SHARE: (u32, u32) = (2, 3);

/// What the reconciler needs: the provider, if its API is used; what is recorded and kept; where what was missed goes in; the
/// queue of signals about money; and the time.
#[derive(Debug)]
pub struct Reconciler<S, A, R, B, Q, C> {
    pub(crate) provider: Option<Asker<S, A>>,
    pub(crate) resources: R,
    pub(crate) books: B,
    pub(crate) ingress: Q,
    pub(crate) transfers: Q,
    pub(crate) settings: ReconcileSettings,
    pub(crate) clock: C,
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) deadline: Timestamp,
    pub(crate) summary: Summary,
    /// The organizations whose lists are read; `None` when it could not be learned which these are.
    pub(crate) feeds: Option<Vec<Feed>>,
    /// Those of them whose provider did not answer: it is not asked again in this run.
    pub(crate) silent: BTreeSet<Feed>,
    /// Whether the provider lists these deposits under their ids, as far as it was asked.
    pub(crate) listed: BTreeMap<ResourceId, bool>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many pages of lists were read.
    pub pages: u64,
    /// How many rows were on them.
    pub rows: u64,
    /// How many of them, or of those asked for by their ids, went on the ingress queue.
    pub queued: u64,
    /// How many differ from what is recorded in a way that nobody but a person can resolve.
    pub differing: u64,
    /// How many resources were reported overdue.
    pub overdue: u64,
    /// How many hours were added up.
    pub hours: u64,
    /// Whether everything was looked at, and the run did not end because its time did.
    pub complete: bool,
}

/// Why something was not reconciled. The next run takes it up where this one left it.
#[derive(Debug, thiserror::Error)]
pub enum NotReconciled {
    /// The provider did not say.
    #[error("the list of {0} could not be read")]
    List(Feed, #[source] NotListed),
    /// The provider did not say so before, in this run.
    #[error("{0} is not asked again in this run, since it did not answer")]
    Silent(Feed),
    /// The run's time ended.
    #[error("the time of the run ended")]
    OutOfTime,
    /// Another reconciler is at work on the same list.
    #[error("another run moved the watermark of {0} meanwhile")]
    Overtaken(Feed),
    /// The table, a secret or a queue.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl<S, A, R, B, Q, C> Reconciler<S, A, R, B, Q, C>
where
    S: AccessTokens,
    A: RequestToken + ListTransactions,
    R: Resources,
    B: Books,
    Q: SendMessages,
    C: Fn() -> Timestamp,
{
    /// A reconciler of these.
    pub fn new(
        provider: Option<Asker<S, A>>,
        resources: R,
        books: B,
        [ingress, transfers]: [Q; 2],
        settings: ReconcileSettings,
        clock: C,
    ) -> Self {
        Self { provider, resources, books, ingress, transfers, settings, clock }
    }

    /// Reads each organization's list from its watermark, reports what is overdue, and adds up the hours that have closed. The
    /// failure of one part does not keep the others from being done; the first is returned.
    ///
    /// Ends before `deadline`, wherever it is by then.
    pub async fn handle(&self, deadline: Timestamp) -> Result<Summary, NotReconciled> {
        let (mut run, mut outcome) = self.begin(deadline).await;
        let feeds = run.feeds.clone().unwrap_or_default();
        let now = (self.clock)();
        run.deadline = now.plus(deadline.since(now) * READING_SHARE.0 / READING_SHARE.1);
        let mut read_before = Vec::new();
        for feed in &feeds {
            // As far as the runs before this one had read: what they queued has been recorded by now.
            let known = self.watermark(feed).await.map(|watermark| read_before.push((feed, watermark.read_until)));
            outcome = outcome.and(known.map_err(NotReconciled::from));
            let read = self.read_list(feed, &mut run).await;
            outcome = outcome.and(read.inspect_err(|failed| tell(feed, failed)));
            self.report_lag(feed).await;
        }
        run.deadline = deadline;
        outcome = outcome.and(self.report_overdue(&mut run).await);
        for (feed, read_until) in read_before {
            let conserved = self.add_up_hours(feed, read_until, &mut run).await;
            outcome = outcome.and(conserved.inspect_err(|failed| tell(feed, failed)));
        }
        // Last, as there may always be more of it than there is time.
        for feed in &feeds {
            let looked = self.look_again(feed, &mut run).await;
            outcome = outcome.and(looked.inspect_err(|failed| tell(feed, failed)));
        }
        info!(summary = ?run.summary, "reconciled");
        outcome.map(|()| run.summary)
    }

    /// Begins a run; what went wrong with that comes along, since some of it can be done nevertheless.
    pub(crate) async fn begin(&self, deadline: Timestamp) -> (Run, Result<(), NotReconciled>) {
        let summary = Summary { complete: true, ..Summary::default() };
        let (feeds, outcome) = match self.feeds().await {
            Ok(feeds) => (Some(feeds), Ok(())),
            Err(failed) => {
                error!(error = chain(&failed), "it is not known whose lists are to be read");
                (None, Err(failed.into()))
            }
        };
        (Run { deadline, summary, feeds, silent: BTreeSet::new(), listed: BTreeMap::new() }, outcome)
    }

    /// The organizations whose lists are read, each time another one first.
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        let Some(provider) = &self.provider else {
            return Ok(Vec::new());
        };
        let mut feeds = provider.feeds().await?;
        self.take_turns(&mut feeds);
        Ok(feeds)
    }

    /// Puts another one first in each run, so that none is always behind what takes all the time.
    pub(crate) fn take_turns<T>(&self, all: &mut [T]) {
        let turn = usize::try_from((self.clock)().unix_seconds() / RUNS_APART_SECONDS).unwrap_or_default();
        let first = turn.checked_rem(all.len()).unwrap_or_default();
        all.rotate_left(first);
    }

    /// Whether nothing further is to be begun.
    pub(crate) fn is_out_of_time(&self, run: &mut Run) -> bool {
        let is_out = (self.clock)().plus(RESERVE) >= run.deadline;
        run.summary.complete &= !is_out;
        is_out
    }

    /// The feed's watermark; before its list was ever read, one that lies as far back as the settings say.
    pub(crate) async fn watermark(&self, feed: &Feed) -> Result<Watermark, PortError> {
        let now = (self.clock)();
        let first = || Watermark {
            revision: 0,
            read_until: now.minus(self.settings.grace).minus(self.settings.lookback).whole_second(),
            window: None,
            // What was published before there were receipts would not add up.
            conserved_until: now.hour_start().plus(HOUR),
            overdue_after: None,
        };
        Ok(self.books.load(feed).await?.unwrap_or_else(first))
    }

    /// Stores `watermark` as moved once more.
    pub(crate) async fn advance(&self, feed: &Feed, watermark: &mut Watermark) -> Result<(), NotReconciled> {
        watermark.revision += 1;
        match self.books.advance(feed, watermark).await? {
            Advance::Stored => Ok(()),
            Advance::Lost => Err(NotReconciled::Overtaken(feed.clone())),
        }
    }

    /// Emits how far the reading lags behind what it may read: the alarm's metric. Nothing while nothing was ever read, and
    /// the alarm treats a missing value as a breach.
    async fn report_lag(&self, feed: &Feed) {
        let now = (self.clock)();
        match self.books.load(feed).await {
            Ok(Some(watermark)) => {
                let lag = now.minus(self.settings.grace).since(watermark.read_until);
                metrics::emit(now, "ReconciliationLagSeconds", "Seconds", lag.as_secs(), &metrics::of_feed(feed));
            }
            Ok(None) => {}
            Err(failed) => tell(feed, &failed.into()),
        }
    }
}

pub(crate) fn tell(feed: &Feed, failed: &NotReconciled) {
    error!(%feed, error = chain(failed), "not reconciled");
}
