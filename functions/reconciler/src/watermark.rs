//! Loading and moving a feed's watermark.

use fundhook_domain::Feed;
use fundhook_ports::{Advance, PortError, Watermarks, chain};
use fundhook_reconciliation::{ReadableRange, Watermark};
use fundhook_runtime::metrics;
use tracing::{error, warn};

use crate::{Ports, ReconcileError, Reconciler};

impl<P: Ports> Reconciler<P> {
    /// Which part of a list may be read now.
    pub(crate) fn readable(&self) -> ReadableRange {
        ReadableRange::at(self.now(), self.settings.grace, self.settings.lookback)
    }

    /// The feed's watermark; for a list that was never read, one as far back as the settings say.
    pub(crate) async fn watermark(&self, feed: &Feed) -> Result<Watermark, PortError> {
        let readable = self.readable();
        let Some(stored) = self.store.load(feed).await? else {
            return Ok(Watermark::initial(readable, self.now()));
        };
        if !stored.is_ahead_of(readable) {
            return Ok(stored);
        }
        let (read_until, from) = (stored.read_until, readable.from);
        warn!(
            %feed, %read_until, read_again_from = %from,
            "the watermark of {feed} is in the future ({read_until}), because a clock was ahead; reading again from {from}"
        );
        Ok(stored.moved_back(readable))
    }

    /// Stores `watermark`, moved again.
    pub(crate) async fn advance(&self, feed: &Feed, watermark: &mut Watermark) -> Result<(), ReconcileError> {
        watermark.revision += 1;
        match self.store.advance(feed, watermark).await? {
            Advance::Stored => Ok(()),
            Advance::Lost => Err(ReconcileError::WatermarkMoved(feed.clone())),
        }
    }

    /// Emits how far reading and control totals lag behind what is readable: the metrics of two alarms. Emits nothing while
    /// the list was never read; the alarms treat a missing value as a breach.
    pub(crate) async fn emit_lag(&self, feed: &Feed) {
        let (now, readable) = (self.now(), self.readable());
        match self.store.load(feed).await {
            Ok(Some(watermark)) => {
                for (metric, done_until) in [
                    ("ReconciliationLagSeconds", watermark.read_until),
                    ("ControlTotalsLagSeconds", watermark.totals_until),
                ] {
                    let lag = readable.until.since(done_until).as_secs();
                    metrics::emit(now, metric, metrics::Unit::Seconds, lag, &metrics::of_feed(feed));
                }
            }
            Ok(None) => {}
            Err(failed) => {
                error!(
                    %feed, error = chain(&failed),
                    "the watermark of {feed} could not be read; its lag metrics are missing for this run"
                );
            }
        }
    }
}
