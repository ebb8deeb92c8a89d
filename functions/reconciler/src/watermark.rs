//! Loading and moving a list's watermark.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, ListId};
use fundhook_ports::{Advance, PortError, Watermarks, chain};
use fundhook_reconciliation::{ReadableRange, WHOLE_LIST_EVERY, Watermark};
use fundhook_runtime::metrics::Metric;
use tracing::{error, warn};

use crate::{Ports, ReconcileError, Reconciler};

impl<P: Ports> Reconciler<P> {
    /// Which part of a list may be read now.
    pub(crate) fn readable(&self) -> ReadableRange {
        ReadableRange::at(self.now(), self.settings.grace, self.settings.lookback)
    }

    /// The list's watermark; for a list that was never read, one as far back as the settings say.
    pub(crate) async fn watermark(&self, list: &ListId) -> Result<Watermark, PortError> {
        let readable = self.readable();
        let Some(stored) = self.store.load(list).await? else {
            return Ok(Watermark::initial(readable, self.now()));
        };
        if !stored.is_ahead_of(readable) {
            return Ok(stored);
        }
        let (read_until, from) = (stored.read_until, readable.from);
        warn!(
            feed = %list.feed(), %list, %read_until, read_again_from = %from,
            "the watermark of {list} is in the future ({read_until}), because a clock was ahead; reading again from {from}"
        );
        Ok(stored.moved_back(readable))
    }

    /// Stores `watermark`, moved again.
    pub(crate) async fn advance(&self, list: &ListId, watermark: &mut Watermark) -> Result<(), ReconcileError> {
        watermark.revision += 1;
        match self.store.advance(list, watermark).await? {
            Advance::Stored => Ok(()),
            Advance::Lost => Err(ReconcileError::WatermarkMoved(list.clone())),
        }
    }

    /// Emits how far reading and control totals lag behind what is readable, of the feed that lags most: the metrics of two
    /// alarms. The lag of a feed is that of its slowest list. Emits nothing about a provider while one of its lists was never
    /// read; the alarms treat a missing value as a breach.
    pub(crate) async fn emit_lag(&self, lists: &[ListId]) {
        let (now, readable) = (self.now(), self.readable());
        let (mut reading, mut totals, mut never_read) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for list in lists {
            match self.store.load(list).await {
                Ok(Some(watermark)) => {
                    let add = |worst: &mut BTreeMap<_, u64>, done_until| {
                        let lag = readable.until.since(done_until).as_secs();
                        let worst = worst.entry(list.feed()).or_default();
                        *worst = lag.max(*worst);
                    };
                    if list.kind().is_dated() {
                        add(&mut reading, watermark.read_until);
                        add(&mut totals, watermark.totals_until);
                    } else {
                        // A long list is read in many runs. What it had when that began counts as read.
                        let begun = watermark.window.as_ref().map_or(watermark.read_until, |window| window.until);
                        add(&mut reading, begun.plus(WHOLE_LIST_EVERY));
                    }
                }
                // It is read at the end of a run, and a failure fails the run.
                Ok(None) if !list.kind().is_dated() => {}
                Ok(None) => {
                    let feed = list.feed();
                    warn!(%feed, %list, "the list {list} was never read; its provider's lag is not reported until it is");
                    never_read.insert(feed.provider());
                }
                Err(failed) => {
                    error!(
                        feed = %list.feed(), %list, error = chain(&failed),
                        "the watermark of {list} could not be read; its lag is missing in the metrics of this run"
                    );
                }
            }
        }
        let reported = |(feed, _): &(&Feed, u64)| !never_read.contains(&feed.provider());
        self.metrics.worst(now, Metric::ReconciliationLagSeconds, reading.into_iter().filter(reported));
        self.metrics.worst(now, Metric::ControlTotalsLagSeconds, totals.into_iter().filter(reported));
    }
}
