//! Adding up each hour: what the provider lists, what is recorded, and what was published.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_domain::port::{
    AccessTokens, ListQuery, ListTransactions, PortError, Report, RequestToken, Resources, SendMessages,
};
use fundhook_domain::{
    ConservationLine, DepositStatus, Details, Discrepancy, Feed, Resource, ResourceId, Signal, Status, Timestamp,
    conserve, plan,
};
use fundhook_runtime::metrics;
use tracing::{info, warn};

use crate::doubt::Decided;
use crate::handler::{HOUR, Run};
use crate::reading::{Row, is_last, is_past};
use crate::{Books, NotReconciled, Reconciler};

/// How long after its end an hour is added up, at the earliest: what the last reading queued has been recorded and published
/// by then.
const SETTLES_WITHIN: Duration = HOUR;

/// For how long after its end an hour in which something was missing is added up again, until what was queued for it is there.
const HEALS_WITHIN: Duration = Duration::from_secs(6 * 3600);

/// How many sentences about discrepancies a report has at most; an item of the table takes 400 KB.
const DISCREPANCIES_MAX: usize = 500;

/// How many recorded deposits are held against the provider at a time.
const AT_A_TIME: usize = 100;

/// A closed window of time, by the provider's dates; on one day in UTC where it is to be looked up.
#[derive(Clone, Copy)]
struct Closed {
    from: Timestamp,
    before: Timestamp,
}

/// A report in the making.
#[derive(Default)]
struct Sums {
    lines: BTreeMap<String, ConservationLine>,
    discrepancies: Vec<String>,
    /// The rows that were counted, by the deposits they are about, so that one seen twice counts once.
    rows: BTreeSet<ResourceId>,
    /// The deposits that were counted.
    ours: BTreeSet<ResourceId>,
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
    /// Adds up each hour that has closed, was read to its end (`read_until`) and has settled, and stores a report of each. What is
    /// missing by then was listed too late to be read in its turn: it is queued, and the hour added up again by a later run.
    pub(crate) async fn add_up_hours(
        &self,
        feed: &Feed,
        read_until: Timestamp,
        run: &mut Run,
    ) -> Result<(), NotReconciled> {
        let mut watermark = self.watermark(feed).await?;
        loop {
            let hour = Closed { from: watermark.conserved_until, before: watermark.conserved_until.plus(HOUR) };
            if read_until < hour.before.plus(SETTLES_WITHIN) || run.silent.contains(feed) {
                return Ok(());
            }
            let queued_before = run.summary.queued;
            let Some(report) = self.report(feed, hour, true, run).await? else {
                return Ok(());
            };
            // The rows of the hour are not read before they are older than the grace.
            let may_heal = (self.clock)() < hour.before.plus(self.settings.grace).plus(HEALS_WITHIN);
            if run.summary.queued > queued_before && may_heal {
                return Ok(());
            }
            self.books.put(&report).await?;
            let differences = report.lines.iter().filter(|line| !line.holds()).count() as u64;
            metrics::emit((self.clock)(), "ConservationDifferences", "Count", differences, &metrics::of_feed(feed));
            if differences > 0 {
                warn!(%feed, hour = report.from.hour(), differences, "what came in does not add up");
            } else {
                info!(%feed, hour = report.from.hour(), assets = report.lines.len(), "an hour adds up");
            }
            run.summary.hours += 1;
            watermark.conserved_until = hour.before;
            self.advance(feed, &mut watermark).await?;
        }
    }

    /// Adds up the day that begins at `day`, as far as it has passed; `None` when the run's time ended first. Queues and
    /// stores nothing.
    pub(crate) async fn report_day(
        &self,
        feed: &Feed,
        day: Timestamp,
        run: &mut Run,
    ) -> Result<Option<Report>, NotReconciled> {
        self.report(feed, Closed { from: day, before: day.plus(24 * HOUR) }, false, run).await
    }

    async fn report(
        &self,
        feed: &Feed,
        window: Closed,
        heals: bool,
        run: &mut Run,
    ) -> Result<Option<Report>, NotReconciled> {
        let mut sums = Sums::default();
        let mut number = 1;
        loop {
            if self.is_out_of_time(run) {
                return Ok(None);
            }
            let query = ListQuery::Dated { from: window.from, before: window.before, page: number };
            let page = self.list(feed, &query, run).await?;
            let is_last = is_last(&page, number);
            let mut rows = self.rows(feed, page);
            let is_past = is_past(&rows, window.from);
            rows.retain(|row| row.dated.is_some_and(|dated| (window.from..window.before).contains(&dated)));
            rows.retain(|row| !sums.rows.contains(&row.signal.resource));
            match self.count_rows(feed, &rows, heals, run, &mut sums).await {
                Err(NotReconciled::OutOfTime) => return Ok(None),
                counted => counted?,
            }
            if is_last || is_past {
                break;
            }
            number += 1;
        }
        let recorded = self.books.settled(&feed.of(self.settings.rows_are), window.from, window.before).await?;
        let unlisted: Vec<ResourceId> = recorded.into_iter().filter(|id| !sums.ours.contains(id)).collect();
        for some in unlisted.chunks(AT_A_TIME) {
            if !self.count_unlisted(feed, some, run, &mut sums).await? {
                return Ok(None);
            }
        }
        let Sums { lines, discrepancies, .. } = sums;
        Ok(Some(Report {
            feed: feed.clone(),
            from: window.from,
            before: window.before,
            made_at: (self.clock)(),
            lines: lines.into_values().collect(),
            discrepancies,
        }))
    }

    /// Counts rows of the window, and what is recorded for them.
    async fn count_rows(
        &self,
        feed: &Feed,
        rows: &[Row],
        heals: bool,
        run: &mut Run,
        sums: &mut Sums,
    ) -> Result<(), NotReconciled> {
        let Decided { discrepancies, all } = self.discrepancies(feed, rows, run).await?;
        sums.tell(discrepancies.iter());
        if heals {
            self.heal(feed, rows, discrepancies, run).await?;
        }
        if !all {
            return Err(NotReconciled::OutOfTime);
        }
        let theirs: Vec<Signal> = rows.iter().map(|row| row.signal.clone()).collect();
        let recorded = self.recorded_for(&theirs).await?;
        // One that has not succeeded counts for nothing, and may be followed by one that has.
        let succeeded = theirs.iter().filter(|row| row.status == Status::Deposit(DepositStatus::Confirmed));
        sums.rows.extend(succeeded.map(|row| row.resource.clone()));
        Ok(self.count(recorded, &theirs, sums).await?)
    }

    /// Counts deposits that are dated in the window and that no row of it is about, unless the provider lists them at another
    /// time. Returns whether there was time to.
    async fn count_unlisted(
        &self,
        feed: &Feed,
        ids: &[ResourceId],
        run: &mut Run,
        sums: &mut Sums,
    ) -> Result<bool, NotReconciled> {
        let mut unlisted = Vec::new();
        for resource in self.read(ids.iter().cloned().collect()).await?.into_iter().filter(is_of_the_list) {
            if self.is_out_of_time(run) {
                return Ok(false);
            }
            let page = self.list(feed, &ListQuery::Id(resource.id().native().to_owned()), run).await?;
            let is_listed = |row: &Row| {
                row.signal.resource.native() == resource.id().native()
                    && row.signal.status == Status::Deposit(DepositStatus::Confirmed)
            };
            if !self.rows(feed, page).iter().any(is_listed) {
                unlisted.push(resource);
            }
        }
        let discrepancies = plan(&unlisted, &[]);
        sums.tell(discrepancies.iter());
        self.count(unlisted, &[], sums).await?;
        Ok(true)
    }

    /// Adds what is recorded and what was published for it to what the provider lists.
    async fn count(&self, mut recorded: Vec<Resource>, rows: &[Signal], sums: &mut Sums) -> Result<(), PortError> {
        recorded.retain(|resource| !sums.ours.contains(resource.id()));
        let ids: Vec<ResourceId> = recorded.iter().map(|resource| resource.id().clone()).collect();
        let receipts = if ids.is_empty() { Vec::new() } else { self.books.receipts(&ids).await? };
        for line in conserve(&recorded, rows, &receipts) {
            sums.add(line);
        }
        sums.ours.extend(ids);
        Ok(())
    }
}

/// Whether the list tells of such deposits: not of those that zerohash tells of by their own ids (`deposit.status_changed`),
/// which are counted where a row is about their coin.
fn is_of_the_list(deposit: &Resource) -> bool {
    let stream = deposit.view().and_then(|view| match view.details {
        Details::Transfer(transfer) => transfer.stream,
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    });
    stream.as_deref() != Some("zerohash.deposit")
}

impl Sums {
    fn add(&mut self, line: ConservationLine) {
        match self.lines.get_mut(&line.asset) {
            Some(known) => known.add(&line),
            None => drop(self.lines.insert(line.asset.clone(), line)),
        }
    }

    fn tell<'a>(&mut self, discrepancies: impl Iterator<Item = &'a Discrepancy>) {
        let room = DISCREPANCIES_MAX.saturating_sub(self.discrepancies.len());
        self.discrepancies.extend(discrepancies.take(room).map(ToString::to_string));
    }
}
