//! Which hours are added up, and when: each one twice.

use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{PortError, Reports};
use fundhook_reconciliation::ConservationLine;
use fundhook_reconciliation::{Report, Watermark};
use fundhook_runtime::metrics;
use tracing::{info, warn};

use crate::conservation::{Closed, Found};
use crate::handler::{HOUR, Run};
use crate::{NotReconciled, Ports, Reconciler};

/// How long after its end an hour is added up, at the earliest: what the last reading queued has been recorded and published
/// by then.
const SETTLES_WITHIN: Duration = HOUR;

/// How long after its end an hour is added up once more: a provider may list late, and date back, what a webhook never told.
const REVISED_AFTER: Duration = Duration::from_secs(3 * 86_400);

/// For how long after that an hour in which something was missing is added up again, until what was queued for it is there.
const HEALS_WITHIN: Duration = Duration::from_secs(5 * 3600);

/// Which of the two times that an hour is added up.
#[derive(Clone, Copy)]
enum Look {
    First,
    Last,
}

impl Look {
    /// How long after its end an hour is looked at so.
    fn settles_within(self) -> Duration {
        match self {
            Self::First => SETTLES_WITHIN,
            Self::Last => REVISED_AFTER,
        }
    }

    /// Until when the hours have been looked at so.
    fn until(self, watermark: &Watermark) -> Timestamp {
        match self {
            Self::First => watermark.conserved_until,
            Self::Last => watermark.revised_until.unwrap_or(watermark.conserved_until),
        }
    }

    fn passes(self, hour: Closed, watermark: &mut Watermark) {
        match self {
            Self::First => {
                // Where an older version stored none, the second look begins with the first hour that this one looks at.
                watermark.revised_until.get_or_insert(hour.from);
                watermark.conserved_until = hour.before;
            }
            Self::Last => watermark.revised_until = Some(hour.before),
        }
    }
}

impl<P: Ports> Reconciler<P> {
    /// Adds up each hour that has closed, was read to its end (`read_until`) and has settled, and stores a report of each; and
    /// each once more when days have passed, which tells only what is new. What is missing by then was listed too late to be read in its turn: it is
    /// queued, and the hour added up again by a later run.
    pub(crate) async fn add_up_hours(
        &self,
        feed: &Feed,
        read_until: Timestamp,
        run: &mut Run,
    ) -> Result<(), NotReconciled> {
        self.look_at_hours(feed, Look::First, read_until, run).await?;
        self.look_at_hours(feed, Look::Last, read_until, run).await
    }

    async fn look_at_hours(
        &self,
        feed: &Feed,
        look: Look,
        read_until: Timestamp,
        run: &mut Run,
    ) -> Result<(), NotReconciled> {
        let mut watermark = self.watermark(feed).await?;
        loop {
            let from = look.until(&watermark);
            let hour = Closed { from, before: from.plus(HOUR) };
            if read_until < hour.before.plus(look.settles_within()) || run.silent.contains(feed) {
                return Ok(());
            }
            let queued_before = run.summary.queued;
            // The rows of the hour are not read before they are older than the grace.
            let healed_by = hour.before.plus(self.settings.grace).plus(look.settles_within()).plus(HEALS_WITHIN);
            let may_heal = (self.clock)() < healed_by;
            let earlier = match look {
                Look::First => None,
                Look::Last => self.stored(feed, hour).await?,
            };
            let told = earlier.as_ref().map(|report| report.discrepancies.as_slice()).unwrap_or_default();
            let Some(report) = self.report(feed, hour, Found::Healed { told }, may_heal, run).await? else {
                return Ok(());
            };
            if run.summary.queued > queued_before && may_heal {
                return Ok(());
            }
            self.books.put(&report).await?;
            if earlier.is_none_or(|earlier| sums(&earlier) != sums(&report)) {
                self.tell_sums(&report);
            }
            run.summary.hours += 1;
            look.passes(hour, &mut watermark);
            self.advance(feed, &mut watermark).await?;
        }
    }

    /// The report of the hour that was stored before.
    async fn stored(&self, feed: &Feed, hour: Closed) -> Result<Option<Report>, PortError> {
        let of_day = self.books.of_day(feed, hour.from.day_start()).await?;
        Ok(of_day.into_iter().find(|report| report.from == hour.from))
    }

    fn tell_sums(&self, report: &Report) {
        let (feed, hour) = (&report.feed, report.from.hour());
        let lines = report.lines.iter().filter(|line| !line.holds()).count() as u64;
        let differences = lines + u64::from(report.not_understood);
        metrics::emit((self.clock)(), "ConservationDifferences", "Count", differences, &metrics::of_feed(feed));
        if differences > 0 {
            warn!(%feed, hour, differences, "what came in does not add up");
        } else {
            info!(%feed, hour, assets = report.lines.len(), "an hour adds up");
        }
    }
}

/// What a report comes to.
fn sums(report: &Report) -> (&[ConservationLine], u32) {
    (&report.lines, report.not_understood)
}
