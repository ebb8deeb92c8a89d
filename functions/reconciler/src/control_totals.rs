//! Adding up a window of time: what the provider lists, what is recorded, and what was published.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{
    DepositStatus, Details, FactId, Feed, Kind, Provider, Resource, ResourceId, Statement, Status, Timestamp,
    WebhookFamily,
};
use fundhook_ports::{ListQuery, PortError, Receipts, SettledDeposits, chain};
use fundhook_reconciliation::Report;
use fundhook_reconciliation::{ControlTotalsLine, Discrepancy, control_totals, credited_twice, plan};
use tracing::warn;

use crate::ambiguity::Decided;
use crate::handler::{HOUR, Run};
use crate::reading::{Row, is_last, is_past, statements_of};
use crate::{Ports, ReconcileError, Reconciler};

/// How many sentences about discrepancies a report has at most; an item of the table takes 400 KB.
const DISCREPANCIES_MAX: usize = 500;

/// How many recorded deposits are held against the provider at a time.
const AT_A_TIME: usize = 100;

/// How many deposits that are dated in a window, and not listed in it, the provider is asked for by their ids. Of more than
/// these the hour before is read: many are listed by when they arrived, and confirmed in the next hour.
const ASKED_ONE_BY_ONE: usize = 20;

/// A closed window of time, by the provider's dates; on one day in UTC where it is to be looked up.
#[derive(Clone, Copy)]
pub(crate) struct Closed {
    pub(crate) from: Timestamp,
    pub(crate) before: Timestamp,
}

/// What becomes of the discrepancies that are found in adding up.
#[derive(Clone, Copy)]
pub(crate) enum Found<'a> {
    /// They stand in the report, and that is all.
    Reported,
    /// What heals is queued as well. What is left to a person is told and counted, unless an earlier report has this sentence
    /// about it.
    Healed { told: &'a [String] },
}

/// A report in the making.
#[derive(Default)]
struct Sums {
    lines: BTreeMap<String, ControlTotalsLine>,
    discrepancies: Vec<String>,
    /// The rows that were counted, by the deposits they are about, so that one seen twice counts once.
    rows: BTreeSet<ResourceId>,
    /// The rows that nothing can be counted of.
    not_understood: BTreeSet<FactId>,
    /// The deposits of the organization's other feed that were credited at the time.
    others: Vec<Resource>,
    /// The deposits that were counted.
    ours: BTreeSet<ResourceId>,
}

impl<P: Ports> Reconciler<P> {
    /// Adds up the day that begins at `day`, as far as it has passed; `None` when the run's time ended first. Queues and
    /// stores nothing.
    pub(crate) async fn report_day(
        &self,
        feed: &Feed,
        day: Timestamp,
        run: &mut Run,
    ) -> Result<Option<Report>, ReconcileError> {
        self.report(feed, Closed { from: day, before: day.plus(24 * HOUR) }, Found::Reported, true, run).await
    }

    /// Adds up `window`. What the provider does not say of one deposit fails it, unless it need not wait for that (`may_wait`).
    pub(crate) async fn report(
        &self,
        feed: &Feed,
        window: Closed,
        found: Found<'_>,
        may_wait: bool,
        run: &mut Run,
    ) -> Result<Option<Report>, ReconcileError> {
        let mut sums = Sums { others: self.others(feed, window).await?, ..Sums::default() };
        let mut number = 1;
        loop {
            let Some((mut rows, is_done)) = self.page_of(feed, window, number, run).await? else {
                return Ok(None);
            };
            rows.retain(|row| row.dated.is_none_or(|dated| (window.from..window.before).contains(&dated)));
            sums.note_odd(&rows);
            rows.retain(|row| row.dated.is_some());
            rows.retain(|row| !sums.rows.contains(&row.statement.resource));
            match self.count_rows(feed, &rows, found, run, &mut sums).await {
                Err(ReconcileError::OutOfTime) => return Ok(None),
                counted => counted?,
            }
            if is_done {
                break;
            }
            number += 1;
        }
        let recorded = self.store.settled(&feed.of(self.settings.rows_are), window.from, window.before).await?;
        let mut unlisted: Vec<ResourceId> = recorded.into_iter().filter(|id| !sums.ours.contains(id)).collect();
        if unlisted.len() > ASKED_ONE_BY_ONE {
            let Some(before) = self.listed_before(feed, window, run).await? else {
                return Ok(None);
            };
            unlisted.retain(|id| !before.contains(id.native()));
        }
        for some in unlisted.chunks(AT_A_TIME) {
            if !self.count_unlisted(feed, some, may_wait, run, &mut sums).await? {
                return Ok(None);
            }
        }
        let Sums { lines, discrepancies, not_understood, .. } = sums;
        Ok(Some(Report {
            feed: feed.clone(),
            from: window.from,
            before: window.before,
            made_at: (self.clock)(),
            lines: lines.into_values().collect(),
            discrepancies,
            not_understood: u32::try_from(not_understood.len()).unwrap_or(u32::MAX),
        }))
    }

    /// The rows of the page `number` of those dated in `window`, and whether no page follows; `None` when the run's time ended.
    async fn page_of(
        &self,
        feed: &Feed,
        window: Closed,
        number: u32,
        run: &mut Run,
    ) -> Result<Option<(Vec<Row>, bool)>, ReconcileError> {
        if self.is_out_of_time(run) {
            return Ok(None);
        }
        let query = ListQuery::Dated { from: window.from, before: window.before, page: number };
        let page = self.list(feed, &query, run).await?;
        let is_last = is_last(&page, number);
        let rows = self.rows(feed, page);
        let is_past = is_past(&rows, window.from);
        Ok(Some((rows, is_last || is_past)))
    }

    /// What the organization's other feed told of that was credited in `window` or within an hour of it.
    async fn others(&self, feed: &Feed, window: Closed) -> Result<Vec<Resource>, PortError> {
        if !self.has_two_feeds(feed) {
            return Ok(Vec::new());
        }
        let other = match self.settings.rows_are {
            Provider::Connect => Provider::Zerohash,
            Provider::Zerohash | Provider::Striga => Provider::Connect,
        };
        let (mut from, before) = (window.from.minus(HOUR), window.before.plus(HOUR));
        let mut ids = BTreeSet::new();
        // The index has a partition for each day.
        while from < before {
            let until = from.day_start().plus(24 * HOUR).min(before);
            ids.extend(self.store.settled(&feed.of(other), from, until).await?);
            from = until;
        }
        self.read(ids).await
    }

    /// The ids that the provider lists as succeeded in the hour before `window`; `None` when the run's time ended.
    async fn listed_before(
        &self,
        feed: &Feed,
        window: Closed,
        run: &mut Run,
    ) -> Result<Option<BTreeSet<String>>, ReconcileError> {
        let hour = Closed { from: window.from.minus(HOUR), before: window.from };
        let mut ids = BTreeSet::new();
        let mut number = 1;
        loop {
            let Some((rows, is_done)) = self.page_of(feed, hour, number, run).await? else {
                return Ok(None);
            };
            let succeeded = rows.iter().filter(|row| has_succeeded(&row.statement));
            ids.extend(succeeded.map(|row| row.statement.resource.native().to_owned()));
            if is_done {
                return Ok(Some(ids));
            }
            number += 1;
        }
    }

    /// Counts rows of the window, and what is recorded for them.
    async fn count_rows(
        &self,
        feed: &Feed,
        rows: &[Row],
        found: Found<'_>,
        run: &mut Run,
        sums: &mut Sums,
    ) -> Result<(), ReconcileError> {
        let theirs = statements_of(rows);
        let recorded = self.recorded_for(&theirs).await?;
        let Decided { mut discrepancies, all } = self.discrepancies(feed, &recorded, &theirs, run).await?;
        discrepancies.extend(credited_twice(&recorded, &theirs, &sums.others));
        sums.tell(discrepancies.iter());
        match found {
            Found::Reported => {}
            Found::Healed { told } => {
                discrepancies.retain(|it| it.to_queue().is_some() || !told.contains(&it.to_string()));
                self.queue_missed(feed, rows, discrepancies, run).await?;
            }
        }
        if !all {
            return Err(ReconcileError::OutOfTime);
        }
        // One that has not succeeded counts for nothing, and may be followed by one that has.
        let succeeded = theirs.iter().filter(|row| has_succeeded(row));
        sums.rows.extend(succeeded.map(|row| row.resource.clone()));
        Ok(self.count(recorded, &theirs, sums).await?)
    }

    /// Counts deposits that are dated in the window and that no row of it is about, unless the provider lists them at another
    /// time. Returns whether there was time to.
    async fn count_unlisted(
        &self,
        feed: &Feed,
        ids: &[ResourceId],
        may_wait: bool,
        run: &mut Run,
        sums: &mut Sums,
    ) -> Result<bool, ReconcileError> {
        let mut unlisted = Vec::new();
        for resource in self.read(ids.iter().cloned().collect()).await?.into_iter().filter(is_of_the_list) {
            if self.is_out_of_time(run) {
                return Ok(false);
            }
            let rows = match self.rows_about(feed, resource.id(), run).await {
                Ok(rows) => rows,
                Err(failed) if may_wait || run.silent.contains(feed) => return Err(failed),
                Err(failed) => {
                    warn!(resource.id = %resource.id(), error = chain(&failed), "taken for one that is not listed");
                    Vec::new()
                }
            };
            if !rows.iter().any(|row| has_succeeded(&row.statement)) {
                unlisted.push(resource);
            }
        }
        let discrepancies = plan(&unlisted, &[]);
        sums.tell(discrepancies.iter());
        self.count(unlisted, &[], sums).await?;
        Ok(true)
    }

    /// Adds what is recorded and what was published for it to what the provider lists.
    async fn count(&self, mut recorded: Vec<Resource>, rows: &[Statement], sums: &mut Sums) -> Result<(), PortError> {
        recorded.retain(|resource| !sums.ours.contains(resource.id()));
        let ids: Vec<ResourceId> = recorded.iter().map(|resource| resource.id().clone()).collect();
        let receipts = if ids.is_empty() { Vec::new() } else { self.store.receipts(&ids).await? };
        for line in control_totals(&recorded, rows, &receipts) {
            sums.add(line);
        }
        sums.ours.extend(ids);
        Ok(())
    }
}

/// Whether the list tells of such deposits: not of those that zerohash tells of by their own ids (`deposit.status_changed`),
/// which are counted where a row is about their coin.
fn is_of_the_list(deposit: &Resource) -> bool {
    let family = deposit.view().and_then(|view| match view.details {
        Details::Transfer(transfer) => transfer.family,
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    });
    family != Some(WebhookFamily::ZerohashDepositStatus)
}

fn has_succeeded(row: &Statement) -> bool {
    row.content.status == Status::Deposit(DepositStatus::Confirmed)
}

impl Sums {
    /// Notes the rows that are not understood, or name no time to be counted in.
    fn note_odd(&mut self, rows: &[Row]) {
        let is_odd = |row: &&Row| row.dated.is_none() || row.statement.resource.kind() == Kind::Unrecognized;
        for row in rows.iter().filter(is_odd) {
            if self.not_understood.insert(row.statement.content.id.clone()) {
                let room = self.discrepancies.len() < DISCREPANCIES_MAX;
                let sentence = format!("{} is listed and not understood, and in no total", row.statement.resource);
                self.discrepancies.extend(room.then_some(sentence));
            }
        }
    }

    fn add(&mut self, line: ControlTotalsLine) {
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
