//! Sending missed rows to the ingress queue, and reporting what needs review.

use std::collections::BTreeMap;

use fundhook_domain::ListId;
use fundhook_ports::{Disposition, SendMessages, chain};
use fundhook_reconciliation::Discrepancy;
use fundhook_runtime::metrics::Metric;
use tracing::{error, info, warn};

use crate::listed_row::ListedRow;
use crate::run::Run;
use crate::{Ports, ReconcileError, Reconciler};

impl<P: Ports> Reconciler<P> {
    /// Queues what was missed, logs what needs review, and counts both. Returns how many rows the queue rejected.
    pub(crate) async fn queue_missed(
        &self,
        list: &ListId,
        rows: &[ListedRow],
        discrepancies: Vec<Discrepancy>,
        run: &mut Run,
    ) -> Result<u64, ReconcileError> {
        let now = self.now();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut envelopes = Vec::new();
        for discrepancy in &discrepancies {
            *counts.entry(discrepancy.name()).or_default() += 1;
            run.summary.differing += u64::from(needs_review(discrepancy));
            log(discrepancy);
            let Some((resource, fact)) = discrepancy.to_queue() else {
                continue;
            };
            let row = rows.iter().find(|row| row.states(fact));
            envelopes.extend(row.map(|row| row.envelope(resource.feed(), now)).transpose()?);
        }
        for (name, count) in counts {
            self.metrics.count(now, list.feed(), Metric::ReconciliationDiscrepancies, count, &[("discrepancy", name)]);
        }
        self.queue(list, envelopes, run).await
    }

    /// Sends envelopes to the ingress queue, to be processed like webhooks. Returns how many of them it rejected.
    pub(crate) async fn queue(
        &self,
        list: &ListId,
        envelopes: Vec<String>,
        run: &mut Run,
    ) -> Result<u64, ReconcileError> {
        let mut rejected = 0;
        if envelopes.is_empty() {
            return Ok(rejected);
        }
        for sent in self.ingress.send_all(envelopes.into_iter().map(Into::into).collect()).await {
            match sent {
                Ok(()) => run.summary.queued += 1,
                // It would fail each time and block every row behind it. The control totals of its hour will differ, if that
                // hour is totalled.
                Err(failed) if failed.disposition() == Disposition::DeadLetter => {
                    rejected += 1;
                    error!(
                        feed = %list.feed(), %list, error = chain(&failed),
                        "the ingress queue rejected a row of the list {list}; the row is skipped, and not recorded"
                    );
                }
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(rejected)
    }
}

/// Whether the discrepancy counts as one that needs review.
fn needs_review(discrepancy: &Discrepancy) -> bool {
    match discrepancy {
        Discrepancy::Differs { .. }
        | Discrepancy::Ambiguous { .. }
        | Discrepancy::CreditedTwice { .. }
        | Discrepancy::UnrecordedMovement { .. } => true,
        Discrepancy::Missing { .. }
        | Discrepancy::Behind { .. }
        | Discrepancy::Incomplete { .. }
        | Discrepancy::StatusMissed { .. }
        | Discrepancy::UnknownToTheProvider { .. } => false,
    }
}

/// Logs a discrepancy.
pub(crate) fn log(discrepancy: &Discrepancy) {
    let (resource, name) = (discrepancy.resource(), discrepancy.name());
    match discrepancy {
        Discrepancy::Missing { .. }
        | Discrepancy::Behind { .. }
        | Discrepancy::Incomplete { .. }
        | Discrepancy::StatusMissed { .. } => {
            info!(resource.id = %resource, discrepancy = name, "queueing the listed row: {discrepancy}");
        }
        Discrepancy::Differs { .. } | Discrepancy::Ambiguous { .. } | Discrepancy::CreditedTwice { .. } => {
            warn!(resource.id = %resource, discrepancy = name, "needs review: {discrepancy}");
        }
        Discrepancy::UnrecordedMovement { movement, .. } => {
            warn!(
                resource.id = %resource, discrepancy = name, movement_id = movement.id,
                change = movement.change.as_ref().map(ToString::to_string), asset = movement.asset,
                "needs review: {discrepancy}"
            );
        }
        Discrepancy::UnknownToTheProvider { .. } => {}
    }
}
