//! One scheduled run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_credentials::take_turns;
use fundhook_domain::{Feed, Kind, ResourceId, Timestamp};
use fundhook_ports::{
    AccessTokens, AccountResources, Advance, Claims, ListTransactions, OpenResources, PortError, Receipts, Reports,
    RequestToken, Resources, SendMessages, SettledDeposits, Watermarks, chain,
};
use fundhook_reconciliation::Watermark;
use fundhook_runtime::metrics;
use fundhook_runtime::settings::ReconcileSettings;
use serde::Serialize;
use tracing::{error, info, warn};

use crate::{Asker, NotListed};

/// What reconciliation keeps, and the indexes that it asks.
pub trait Books: Watermarks + Reports + OpenResources + SettledDeposits + AccountResources + Claims + Receipts {}

impl<T: Watermarks + Reports + OpenResources + SettledDeposits + AccountResources + Claims + Receipts> Books for T {}

/// What the reconciler works with.
pub trait Ports {
    /// Where access tokens are stored.
    type Tokens: AccessTokens;
    /// The provider's API.
    type Api: RequestToken + ListTransactions;
    /// What is recorded.
    type Resources: Resources;
    /// What is kept beside it.
    type Books: Books;
    /// Where messages are sent.
    type Queue: SendMessages;
    /// What tells the time.
    type Clock: Fn() -> Timestamp;
}

/// What is left of a run's time when it begins nothing further: at worst a page, refused with the token that is held and with
/// the one that is stored, a new token and the page once more, each up to 3 × 5 s and 10 s of pauses, and some seconds for what
/// follows from it.
const RESERVE: Duration = Duration::from_secs(120);

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// How long the schedule leaves between two runs: each begins with another one, so that none is always last.
const RUNS_APART: Duration = Duration::from_secs(900);

/// By when the reading of lists ends, and by when the adding up of hours does, of a run's time: an endless list of one
/// organization keeps none from having its hours added up, and these keep no overdue deposit from being asked for.
const READING_SHARE: (u32, u32) = (2, 3);
const ADDING_UP_SHARE: (u32, u32) = (5, 6);

/// How many questions about one deposit each the provider leaves unanswered, one after the other, before it is taken to be
/// down: what it cannot say of one deposit is no outage.
pub(crate) const UNANSWERED_MAX: u32 = 3;

/// How far a watermark may lie ahead: as far as clocks are apart.
const CLOCKS_APART: Duration = Duration::from_secs(300);

/// What the reconciler needs: the provider, if its API is used; what is recorded and kept; where what was missed goes in; the
/// queue of signals about money; and the time.
pub struct Reconciler<P: Ports> {
    pub(crate) provider: Option<Asker<P::Tokens, P::Api>>,
    pub(crate) resources: P::Resources,
    pub(crate) books: P::Books,
    pub(crate) ingress: P::Queue,
    pub(crate) transfers: P::Queue,
    pub(crate) settings: ReconcileSettings,
    pub(crate) clock: P::Clock,
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
    /// How many questions about one deposit each it left unanswered, the last ones in a row.
    pub(crate) unanswered: BTreeMap<Feed, u32>,
    /// The first of those questions that kept nothing else from being done.
    pub(crate) passed_over: Option<NotReconciled>,
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
    /// A row of the list was asked for that is not on it.
    #[error("the provider does not list {0}")]
    NotOnTheList(ResourceId),
    /// A row was asked for of a list that is not read.
    #[error("the list of {0} is not read: its organization has no credentials for Connect's API")]
    NotRead(Feed),
    /// The table, a secret or a queue.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl<P: Ports> Reconciler<P> {
    /// A reconciler of these.
    pub fn new(
        provider: Option<Asker<P::Tokens, P::Api>>,
        resources: P::Resources,
        books: P::Books,
        [ingress, transfers]: [P::Queue; 2],
        settings: ReconcileSettings,
        clock: P::Clock,
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
        let share = |(part, of): (u32, u32)| now.plus(deadline.since(now) * part / of);
        run.deadline = share(READING_SHARE);
        let mut read_before = Vec::new();
        for feed in &feeds {
            // As far as the runs before this one had read: what they queued has been recorded by now.
            let known = self.watermark(feed).await.map(|watermark| read_before.push((feed, watermark.read_until)));
            outcome = outcome.and(known.map_err(NotReconciled::from));
            let read = self.read_list(feed, &mut run).await;
            outcome = outcome.and(read.inspect_err(|failed| tell(feed, failed)));
            self.report_lag(feed).await;
        }
        // Of these, the provider is asked nothing.
        run.deadline = deadline;
        outcome = outcome.and(self.report_overdue(&[Kind::Withdrawal, Kind::Recovery], &mut run).await);
        run.deadline = share(ADDING_UP_SHARE);
        for (feed, read_until) in read_before {
            let conserved = self.add_up_hours(feed, read_until, &mut run).await;
            outcome = outcome.and(conserved.inspect_err(|failed| tell(feed, failed)));
        }
        // Last, as there may always be more of it than there is time.
        run.deadline = deadline;
        outcome = outcome.and(self.report_overdue(&[Kind::Deposit], &mut run).await);
        for feed in &feeds {
            let looked = self.look_again(feed, &mut run).await;
            outcome = outcome.and(looked.inspect_err(|failed| tell(feed, failed)));
        }
        info!(summary = ?run.summary, "reconciled");
        outcome.and(run.passed_over.map_or(Ok(run.summary), Err))
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
        let run = Run {
            deadline,
            summary,
            feeds,
            silent: BTreeSet::new(),
            unanswered: BTreeMap::new(),
            passed_over: None,
            listed: BTreeMap::new(),
        };
        (run, outcome)
    }

    /// The organizations whose lists are read, each time another one first.
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        let Some(provider) = &self.provider else {
            return Ok(Vec::new());
        };
        let mut feeds = provider.feeds().await?;
        take_turns(&mut feeds, (self.clock)(), RUNS_APART);
        Ok(feeds)
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
        let readable = now.minus(self.settings.grace);
        let read_until = readable.minus(self.settings.lookback).whole_second();
        let Some(mut stored) = self.books.load(feed).await? else {
            // What was published before there were receipts would not add up.
            let conserved_until = now.hour_start().plus(HOUR);
            let revised_until = Some(conserved_until);
            let (window, overdue_after, told) = (None, None, Vec::new());
            return Ok(Watermark {
                revision: 0,
                read_until,
                window,
                conserved_until,
                revised_until,
                overdue_after,
                told,
            });
        };
        if stored.read_until > readable.plus(CLOCKS_APART) {
            // A clock ahead stored it: from when on it was ahead, nobody knows.
            warn!(%feed, read_until = %stored.read_until, "the watermark lies ahead: what lies behind is read again");
            let known = read_until.hour_start();
            stored.read_until = read_until;
            stored.window = None;
            stored.conserved_until = stored.conserved_until.min(known);
            stored.revised_until = stored.revised_until.map(|until| until.min(known));
        }
        Ok(stored)
    }

    /// Stores `watermark` as moved once more.
    pub(crate) async fn advance(&self, feed: &Feed, watermark: &mut Watermark) -> Result<(), NotReconciled> {
        watermark.revision += 1;
        match self.books.advance(feed, watermark).await? {
            Advance::Stored => Ok(()),
            Advance::Lost => Err(NotReconciled::Overtaken(feed.clone())),
        }
    }

    /// Emits how far the reading lags behind what it may read, and the adding up of hours behind that too: the alarms'
    /// metrics. Nothing while nothing was ever read, and the alarms treat a missing value as a breach.
    async fn report_lag(&self, feed: &Feed) {
        let now = (self.clock)();
        match self.books.load(feed).await {
            Ok(Some(watermark)) => {
                let readable = now.minus(self.settings.grace);
                let lag = readable.since(watermark.read_until);
                metrics::emit(now, "ReconciliationLagSeconds", "Seconds", lag.as_secs(), &metrics::of_feed(feed));
                let lag = readable.since(watermark.conserved_until);
                metrics::emit(now, "ConservationLagSeconds", "Seconds", lag.as_secs(), &metrics::of_feed(feed));
            }
            Ok(None) => {}
            Err(failed) => tell(feed, &failed.into()),
        }
    }
}

pub(crate) fn tell(feed: &Feed, failed: &NotReconciled) {
    error!(%feed, error = chain(failed), "not reconciled");
}
