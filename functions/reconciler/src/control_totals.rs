//! Reading a closed window of the list, and totalling it.

use std::collections::BTreeSet;

use fundhook_domain::{Kind, ListId, Provider, Resource, ResourceId, Statement, Timestamp};
use fundhook_ports::{PortError, Receipts, SettledResources, chain};
use fundhook_reconciliation::{
    ClosedWindow, OrganizationFeeds, PageKey, Report, ReportBuilder, credited_twice, is_listed_by, moved_by_row, plan,
};
use tracing::warn;

use crate::ambiguity::{CheckEnd, Checked};
use crate::listed_row::{ListedRow, statements_of};
use crate::run::Phase;
use crate::{Ports, ReconcileError, Reconciler};

/// How many recorded deposits are compared with the list at a time.
const AT_A_TIME: usize = 100;

/// How many resources that are dated in a window and not listed in it are requested by their ids. If there are more, the
/// hour before is read: many are listed by when they began, and confirmed in the next hour.
const REQUESTED_BY_ID_MAX: usize = 20;

/// What to do with the discrepancies that a report finds.
#[derive(Clone, Copy)]
pub(crate) enum Findings<'a> {
    /// State them in the report, and nothing else.
    ReportOnly,
    /// Queue what was missed as well. Log and count what needs review, unless an earlier report has the same sentence.
    Queue { already_reported: &'a [String] },
}

/// What to do when the provider cannot answer about a single deposit or withdrawal, or there is no time to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Fail, so that a later run makes the report.
    Fail,
    /// Count it as not listed.
    CountAsNotListed,
}

impl<P: Ports> Reconciler<P> {
    /// Totals the part of the day beginning at `day` that has passed. Queues and stores nothing.
    pub(crate) async fn report_day(
        &self,
        list: &ListId,
        day: Timestamp,
        phase: &mut Phase<'_>,
    ) -> Result<Report, ReconcileError> {
        self.report(list, ClosedWindow::day(day), Findings::ReportOnly, Unanswered::Fail, phase).await
    }

    /// Totals `window`. Fails with [`ReconcileError::OutOfTime`] when the phase's time ends first.
    pub(crate) async fn report(
        &self,
        list: &ListId,
        window: ClosedWindow,
        findings: Findings<'_>,
        unanswered: Unanswered,
        phase: &mut Phase<'_>,
    ) -> Result<Report, ReconcileError> {
        let other_feed = self.other_feeds_deposits(list, window).await?;
        let mut report = ReportBuilder::new(window);
        let mut next = Some(PageKey::FIRST);
        while let Some(number) = next {
            let mut page = self.rows_page_in_time(list, window, &number, phase).await?;
            page.rows.retain(|row| report.admits(&row.statement, row.dated));
            self.add_rows(list, &page.rows, &other_feed, findings, phase, &mut report).await?;
            next = page.next;
        }
        let recorded =
            self.store.settled(&self.feed_of_rows(list), list.kind().contains(), window.from, window.before).await?;
        let mut unlisted = report.uncounted_ids(recorded);
        if unlisted.len() > REQUESTED_BY_ID_MAX {
            let before = self.listed_in(list, window.hour_before(), phase).await?;
            unlisted.retain(|id| !before.contains(id.native()));
        }
        for some in unlisted.chunks(AT_A_TIME) {
            self.add_unlisted(list, some, unanswered, phase, &mut report).await?;
        }
        Ok(report.finish(list, self.now()))
    }

    /// The deposits of the organization's other feed that were credited in `window` or within an hour of it.
    async fn other_feeds_deposits(&self, list: &ListId, window: ClosedWindow) -> Result<Vec<Resource>, PortError> {
        if self.organization_feeds(list) == OrganizationFeeds::One || list.kind().contains() != Kind::Deposit {
            return Ok(Vec::new());
        }
        let own = self.feed_of_rows(list);
        let other = match own.provider() {
            Provider::Connect => Provider::Zerohash,
            Provider::Zerohash | Provider::Striga => Provider::Connect,
        };
        let mut ids = BTreeSet::new();
        // The index has a partition for each day.
        for part in window.widened_by_an_hour() {
            ids.extend(self.store.settled(&own.of(other), Kind::Deposit, part.from, part.before).await?);
        }
        self.read(ids).await
    }

    /// The provider's ids of what it lists as arrived or left in `window`.
    async fn listed_in(
        &self,
        list: &ListId,
        window: ClosedWindow,
        phase: &mut Phase<'_>,
    ) -> Result<BTreeSet<String>, ReconcileError> {
        let mut ids = BTreeSet::new();
        let mut next = Some(PageKey::FIRST);
        while let Some(number) = next {
            let page = self.rows_page_in_time(list, window, &number, phase).await?;
            let moved = page.rows.iter().filter(|row| !moved_by_row(&row.statement).is_empty());
            ids.extend(moved.map(|row| row.statement.resource.native().to_owned()));
            next = page.next;
        }
        Ok(ids)
    }

    /// Adds rows of the window, and what is recorded for them.
    async fn add_rows(
        &self,
        list: &ListId,
        rows: &[ListedRow],
        other_feed: &[Resource],
        findings: Findings<'_>,
        phase: &mut Phase<'_>,
        report: &mut ReportBuilder,
    ) -> Result<(), ReconcileError> {
        let theirs = statements_of(rows);
        let recorded = self.recorded_for(&theirs).await?;
        let Checked { mut discrepancies, end } = self.discrepancies(list, &recorded, rows, phase).await?;
        discrepancies.extend(credited_twice(&recorded, &theirs, other_feed));
        report.add_discrepancies(&discrepancies);
        match findings {
            Findings::ReportOnly => {}
            Findings::Queue { already_reported } => {
                discrepancies.retain(|it| it.to_queue().is_some() || !already_reported.contains(&it.to_string()));
                self.queue_missed(list, rows, discrepancies, phase.run).await?;
            }
        }
        if end == CheckEnd::OutOfTime {
            return Err(ReconcileError::OutOfTime);
        }
        Ok(self.count(recorded, &theirs, report).await?)
    }

    /// Adds deposits or withdrawals that are dated in the window and that no row of it is about, unless the provider lists them with
    /// another date.
    async fn add_unlisted(
        &self,
        list: &ListId,
        ids: &[ResourceId],
        unanswered: Unanswered,
        phase: &mut Phase<'_>,
        report: &mut ReportBuilder,
    ) -> Result<(), ReconcileError> {
        let mut unlisted = Vec::new();
        let recorded = self.read(ids.iter().cloned().collect()).await?;
        for deposit in recorded.into_iter().filter(|deposit| is_listed_by(list.kind(), deposit)) {
            let id = deposit.id();
            if phase.is_out_of_time(self.now()) {
                if unanswered == Unanswered::Fail {
                    return Err(ReconcileError::OutOfTime);
                }
                // Otherwise an hour with more of them than can be asked for in a run would never be totalled, nor any later one.
                warn!(resource.id = %id, "no time was left to ask whether {id} is listed; the control totals count it as not listed");
                unlisted.push(deposit);
                continue;
            }
            let rows = match self.rows_about(list, id, Some(&deposit), phase.run).await {
                Ok(rows) => rows,
                Err(failed) if unanswered == Unanswered::Fail || phase.run.outages.is_down(list) => return Err(failed),
                Err(failed) => {
                    warn!(
                        resource.id = %id, error = chain(&failed),
                        "the provider did not answer whether it lists {id}; the control totals count it as not listed"
                    );
                    Vec::new()
                }
            };
            if rows.iter().all(|row| moved_by_row(&row.statement).is_empty()) {
                unlisted.push(deposit);
            }
        }
        report.add_discrepancies(&plan(&unlisted, &[]));
        Ok(self.count(unlisted, &[], report).await?)
    }

    /// Counts rows, what is recorded for them, and what was published.
    async fn count(
        &self,
        recorded: Vec<Resource>,
        rows: &[Statement],
        report: &mut ReportBuilder,
    ) -> Result<(), PortError> {
        let recorded = report.uncounted(recorded);
        let ids: Vec<ResourceId> = recorded.iter().map(|resource| resource.id().clone()).collect();
        let receipts = if ids.is_empty() { Vec::new() } else { self.store.receipts(&ids).await? };
        report.count(&recorded, rows, &receipts, self.now());
        Ok(())
    }
}
