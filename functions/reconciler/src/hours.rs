//! Totalling the hours that are due.

use fundhook_domain::{ListId, Timestamp};
use fundhook_ports::{PortError, Reports};
use fundhook_reconciliation::{ClosedWindow, Report, TotalsPass};
use fundhook_runtime::metrics::Metric;
use tracing::{info, warn};

use crate::control_totals::{Findings, Unanswered};
use crate::run::Phase;
use crate::{Ports, ReconcileError, Reconciler};

impl<P: Ports> Reconciler<P> {
    /// Totals each hour that is due, in each pass over the list's hours, and stores its report. The
    /// list had been read to `read_until` before this run.
    ///
    /// A deposit that is missing in an hour was listed too late for the reading to find it: it is queued, and a later run
    /// totals the hour again.
    pub(crate) async fn total_hours(
        &self,
        list: &ListId,
        read_until: Timestamp,
        phase: &mut Phase<'_>,
    ) -> Result<(), ReconcileError> {
        for pass in TotalsPass::of(list.kind()) {
            match self.total_due_hours(list, *pass, read_until, phase).await {
                Ok(()) | Err(ReconcileError::OutOfTime) => {}
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }

    async fn total_due_hours(
        &self,
        list: &ListId,
        pass: TotalsPass,
        read_until: Timestamp,
        phase: &mut Phase<'_>,
    ) -> Result<(), ReconcileError> {
        let mut watermark = self.watermark(list).await?;
        while let Some(hour) = pass.next_due(&watermark, read_until) {
            if phase.run.outages.is_down(list) {
                return Ok(());
            }
            let may_repeat = self.now() < pass.repeated_until(hour, self.settings.grace);
            let unanswered = if may_repeat { Unanswered::Fail } else { Unanswered::CountAsNotListed };
            let earlier = match pass {
                TotalsPass::First => None,
                TotalsPass::Revision | TotalsPass::LastReturns => self.stored_report(list, hour).await?,
            };
            let already_reported = earlier.as_ref().map(|report| report.discrepancies.as_slice()).unwrap_or_default();
            let queued_before = phase.run.summary.queued;
            let findings = Findings::Queue { already_reported };
            let report = self.report(list, hour, findings, unanswered, phase).await?;
            if phase.run.summary.queued > queued_before && may_repeat {
                return Ok(());
            }
            self.store.put(&report).await?;
            if earlier.is_none_or(|earlier| !earlier.has_same_totals_as(&report)) {
                self.emit_differences(&report);
            }
            phase.run.summary.hours += 1;
            pass.complete(hour, &mut watermark);
            self.advance(list, &mut watermark).await?;
        }
        Ok(())
    }

    /// The report that an earlier pass stored about the hour.
    async fn stored_report(&self, list: &ListId, hour: ClosedWindow) -> Result<Option<Report>, PortError> {
        let of_day = self.store.of_day(list, hour.from.day_start()).await?;
        Ok(of_day.into_iter().find(|report| report.from == hour.from))
    }

    fn emit_differences(&self, report: &Report) {
        let (feed, list, hour, differences) =
            (&report.feed, report.list_id(), report.from.hour(), report.differences());
        self.metrics.count(self.now(), feed, Metric::ControlTotalsDifferences, differences, &[]);
        if differences > 0 {
            warn!(
                %feed, %list, hour, differences,
                "hourly totals differ for {list} {hour}; `cargo fundhook reconcile --report --stack <name>` shows where"
            );
        } else {
            info!(%feed, %list, hour, assets = report.lines.len(), "hourly totals are equal for {list} {hour}");
        }
    }
}
