//! Reading a list from its watermark, and queueing what was missed.

use fundhook_domain::{Feed, Resource, Statement};
use fundhook_reconciliation::{ClosedWindow, Discrepancy, ReadWindow, plan};

use crate::ambiguity::{CheckEnd, Checked};
use crate::listed_row::statements_of;
use crate::run::Phase;
use crate::{Ports, ReconcileError, Reconciler};

impl<P: Ports> Reconciler<P> {
    /// Reads the feed's list page by page from where the last run stopped, and queues what was missed.
    pub(crate) async fn read_list(&self, feed: &Feed, phase: &mut Phase<'_>) -> Result<(), ReconcileError> {
        let mut watermark = self.watermark(feed).await?;
        let begun = watermark.window;
        let Some(mut window) = watermark.next_window(self.readable(), self.settings.overlap) else {
            return Ok(());
        };
        while !phase.is_out_of_time(self.now()) {
            let dates = ClosedWindow { from: window.from, before: window.until };
            let mut page = match self.rows_page(feed, dates, window.next_page, phase.run).await {
                Ok(page) => page,
                Err(failed) => {
                    if begun == Some(window) && window.next_page > 1 {
                        // The list may have fewer pages now than when this page was the next one.
                        watermark.window = Some(ReadWindow { next_page: 1, ..window });
                        self.advance(feed, &mut watermark).await?;
                    }
                    return Err(failed);
                }
            };
            phase.run.summary.rows += page.rows.len() as u64;
            // Later rows belong to a later window, and their webhooks may still arrive; earlier rows lie before the first.
            page.rows.retain(|row| row.dated.is_none_or(|dated| window.contains(dated)));
            let theirs = statements_of(&page.rows);
            let recorded = self.recorded_for(&theirs).await?;
            let checked = self.discrepancies(feed, &recorded, &theirs, phase).await?;
            self.queue_missed(feed, &page.rows, checked.discrepancies, phase.run).await?;
            if checked.end == CheckEnd::OutOfTime {
                // The next run reads the page again. What was queued is recorded by then, so that run gets further.
                return Ok(());
            }

            // Only after queueing: a run that stops before this reads the page again.
            watermark.page_read(window, page.is_last);
            self.advance(feed, &mut watermark).await?;
            match watermark.window {
                Some(next) => window = next,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// The differences between the rows and what is `recorded` for them.
    pub(crate) async fn discrepancies(
        &self,
        feed: &Feed,
        recorded: &[Resource],
        theirs: &[Statement],
        phase: &mut Phase<'_>,
    ) -> Result<Checked, ReconcileError> {
        let mut discrepancies = plan(recorded, theirs);
        // `recorded` contains deposits that need not be on this page, such as the other feed's deposit of the same id.
        discrepancies.retain(|discrepancy| !matches!(discrepancy, Discrepancy::UnknownToTheProvider { .. }));
        self.check_ambiguity(feed, discrepancies, recorded, phase).await
    }
}
