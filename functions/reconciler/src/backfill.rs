//! Backfills: a past period of the lists is read on request, and what is missing or behind is queued with a mark.
//!
//! Guarantees:
//! - No watermark is moved, no report is stored, and no metric of the regular runs is emitted.
//! - A page is counted and left behind only after its rows were queued.

use fundhook_domain::{Backfill, ListId, Timestamp};
use fundhook_ports::chain;
use fundhook_reconciliation::{
    BackfillPart, BackfillPlan, BackfillPosition, BackfillRequest, ClosedWindow, Discrepancy, PageKey,
};
use tracing::{error, info};

use crate::ambiguity::{CheckEnd, Checked};
use crate::budget::RunTime;
use crate::listed_row::{ListedRow, statements_of};
use crate::run::{Phase, Run};
use crate::{Ports, ReconcileError, Reconciler};

/// How the reading of a page ended.
enum PageEnd {
    /// It was read completely. The page after it, if the window has one.
    Read(Option<PageKey>),
    /// The time ended before all rows were checked.
    OutOfTime,
}

impl<P: Ports> Reconciler<P> {
    /// Reads as many pages as fit before `deadline`. A failure after the beginning does not hide what was done by then: the
    /// answer has it, with the position to continue from.
    pub(crate) async fn backfill(
        &self,
        request: &BackfillRequest,
        deadline: Timestamp,
    ) -> Result<BackfillPart, ReconcileError> {
        let (mut run, begun) = self.begin().await;
        begun?;
        let plan = BackfillPlan::new(request, run.lists.known(), self.readable().until);
        if plan.has_no_list() {
            return Err(ReconcileError::NoListToBackfill);
        }
        if request.after.as_ref().is_some_and(|after| !plan.has(after)) {
            return Err(ReconcileError::UnknownPosition);
        }
        let mut part = BackfillPart::new(request, &plan);
        part.next = request.after.clone().or_else(|| plan.first());
        let mut phase = run.phase(RunTime::new(self.now(), deadline).whole());
        while let Some(position) = part.next.clone() {
            if phase.is_out_of_time(self.now()) {
                break;
            }
            match self.backfill_page(&plan, &position, &mut part, &mut phase).await {
                Ok(PageEnd::Read(next)) => part.next = plan.after(&position, next),
                Ok(PageEnd::OutOfTime) => break,
                Err(failed) => {
                    let list = position.list_id();
                    error!(feed = %list.feed(), %list, error = chain(&failed), "the backfill stopped in {list}");
                    part.failed = Some(chain(&failed));
                    if request.after.as_ref() == Some(&position) {
                        // The list may have fewer pages now than when this page was the next one, or have forgotten a
                        // cursor.
                        part.next = Some(position.at_first_page());
                    }
                    break;
                }
            }
        }
        log(&part);
        Ok(part)
    }

    async fn backfill_page(
        &self,
        plan: &BackfillPlan,
        position: &BackfillPosition,
        part: &mut BackfillPart,
        phase: &mut Phase<'_>,
    ) -> Result<PageEnd, ReconcileError> {
        let (list, window) = (position.list_id(), plan.window(position));
        let mut page = self.rows_page(&list, window, &position.page, phase.run).await?;
        let recorded = self.keep_rows_of(&list, window, &mut page.rows).await?;
        let theirs = statements_of(&page.rows);
        let Checked { mut discrepancies, end } = self.discrepancies(&list, &recorded, &page.rows, phase).await?;
        // A backfill fills gaps, and there is none where the newest status is recorded.
        discrepancies.retain(|discrepancy| !matches!(discrepancy, Discrepancy::StatusMissed { .. }));
        if let Some(mark) = part.mode.mark() {
            let rejected = self.queue_backfilled(&list, &page.rows, &discrepancies, mark, phase.run).await?;
            if rejected > 0 {
                let ClosedWindow { from, before } = window;
                let sentence =
                    format!("the ingress queue rejected {rejected} rows of {list} between {from} and {before}");
                part.add_findings([format!("{sentence}: they are not recorded; the reconciler's log has the errors")]);
            }
        }
        let counts = part.list(&list);
        match end {
            CheckEnd::AllChecked => {
                counts.count_queued(&discrepancies);
                counts.count_page(&theirs, &discrepancies);
                // A contradiction is queued, and becomes a case.
                let needs_review =
                    |it: &&Discrepancy| matches!(it, Discrepancy::Differs { .. }) || it.to_queue().is_none();
                part.add_findings(discrepancies.iter().filter(needs_review).map(ToString::to_string));
                Ok(PageEnd::Read(page.next))
            }
            CheckEnd::OutOfTime => {
                // The next part reads the page again, and finds these recorded. A dry run counts them then.
                if part.mode.mark().is_some() {
                    part.list(&list).count_queued(&discrepancies);
                }
                Ok(PageEnd::OutOfTime)
            }
        }
    }

    async fn queue_backfilled(
        &self,
        list: &ListId,
        rows: &[ListedRow],
        discrepancies: &[Discrepancy],
        mark: Backfill,
        run: &mut Run,
    ) -> Result<u64, ReconcileError> {
        let now = self.now();
        let mut envelopes = Vec::new();
        for (resource, fact) in discrepancies.iter().filter_map(Discrepancy::to_queue) {
            let row = rows.iter().find(|row| row.states(fact));
            envelopes.extend(row.map(|row| row.backfilled(resource.feed(), now, mark)).transpose()?);
        }
        self.queue(list, envelopes, run).await
    }
}

fn log(part: &BackfillPart) {
    let sum = |count: fn(&fundhook_reconciliation::BackfilledList) -> u64| part.lists.iter().map(count).sum::<u64>();
    let (pages, rows, queued) = (sum(|list| list.pages), sum(|list| list.rows), sum(|list| list.queued_in_all()));
    let (from, to, complete) = (part.from, part.to, part.next.is_none());
    info!(
        %from, %to, mode = ?part.mode, pages, rows, queued, complete,
        "backfill: {rows} rows on {pages} pages read, {queued} of them missing or behind"
    );
}
