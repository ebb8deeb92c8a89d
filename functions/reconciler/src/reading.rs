//! Reading a list from its watermark, and queueing what was missed.

use fundhook_domain::{ListId, Resource};
use fundhook_ports::Disposition;
use fundhook_reconciliation::{ClosedWindow, Discrepancy, History, PageKey, ReadWindow, plan, untold};

use crate::ambiguity::{CheckEnd, Checked};
use crate::listed_row::{ListedRow, statements_of};
use crate::run::Phase;
use crate::{ListReadError, Ports, ReconcileError, Reconciler};

/// How many pages of a list that is read whole are read in a run: its rows may be many, and no money waits for them. It goes on
/// in the next run.
const WHOLE_LIST_PAGES_MAX: usize = 100;

/// Whether the next run may succeed with the same page. A long list is not read again from its beginning for that.
fn may_pass(failed: &ReconcileError) -> bool {
    matches!(failed, ReconcileError::List(_, ListReadError::Port(error)) if error.disposition() == Disposition::Retry)
}

impl<P: Ports> Reconciler<P> {
    /// Reads the list page by page from where the last run stopped, and queues what was missed.
    pub(crate) async fn read_list(&self, list: &ListId, phase: &mut Phase<'_>) -> Result<(), ReconcileError> {
        let mut watermark = self.watermark(list).await?;
        let begun = watermark.window.clone();
        let is_dated = list.kind().is_dated();
        let next = match is_dated {
            true => watermark.next_window(self.readable(), self.settings.overlap),
            false => watermark.next_whole_window(self.readable()),
        };
        let Some(mut window) = next else {
            return Ok(());
        };
        let pages_max = if is_dated { usize::MAX } else { WHOLE_LIST_PAGES_MAX };
        for _ in 0..pages_max {
            if phase.is_out_of_time(self.now()) {
                break;
            }
            let dates = ClosedWindow { from: window.from, before: window.until };
            let mut page = match self.rows_page(list, dates, &window.next_page, phase.run).await {
                Ok(page) => page,
                Err(failed) => {
                    let is_continued = begun.as_ref() == Some(&window) && window.next_page != PageKey::FIRST;
                    if is_continued && (is_dated || !may_pass(&failed)) {
                        // The list may have fewer pages now than when this page was the next one, or have forgotten a
                        // cursor.
                        watermark.window = Some(ReadWindow { next_page: PageKey::FIRST, ..window });
                        self.advance(list, &mut watermark).await?;
                    }
                    return Err(failed);
                }
            };
            phase.run.summary.rows += page.rows.len() as u64;
            // Later rows belong to a later window, and their webhooks may still arrive; earlier rows lie before the first.
            let recorded = self.keep_rows_of(list, dates, &mut page.rows).await?;
            let checked = self.discrepancies(list, &recorded, &page.rows, phase).await?;
            self.queue_missed(list, &page.rows, checked.discrepancies, phase.run).await?;
            if checked.end == CheckEnd::OutOfTime {
                // The next run reads the page again. What was queued is recorded by then, so that run gets further.
                return Ok(());
            }

            // Only after queueing: a run that stops before this reads the page again.
            if is_dated {
                self.count_without_webhook(list, &page.rows, &recorded, &mut watermark, &window, phase.run);
            }
            watermark.page_read(window, page.next);
            self.advance(list, &mut watermark).await?;
            match watermark.window.clone() {
                Some(next) => window = next,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// The differences between the rows and what is `recorded` for them.
    pub(crate) async fn discrepancies(
        &self,
        list: &ListId,
        recorded: &[Resource],
        rows: &[ListedRow],
        phase: &mut Phase<'_>,
    ) -> Result<Checked, ReconcileError> {
        let mut discrepancies = plan(recorded, &statements_of(rows));
        // `recorded` contains deposits that need not be on this page, such as the other feed's deposit of the same id.
        discrepancies.retain(|discrepancy| !matches!(discrepancy, Discrepancy::UnknownToTheProvider { .. }));
        let histories: Vec<History<'_>> = rows.iter().map(ListedRow::history).collect();
        let untold = untold(recorded, &histories, &discrepancies);
        discrepancies.extend(untold);
        self.check_ambiguity(list, discrepancies, recorded, phase).await
    }
}
