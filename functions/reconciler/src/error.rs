//! Why something was not reconciled.

use fundhook_domain::{Feed, ListId, ResourceId};
use fundhook_ports::{PortError, chain};
use tracing::error;

use crate::ListReadError;
use crate::cases::NotDecidable;

/// Why something was not reconciled. The next run continues where this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The provider's list could not be read.
    #[error("the list {0} could not be read")]
    List(ListId, #[source] ListReadError),
    /// The provider failed to answer earlier in this run.
    #[error("the list {0} could not be read earlier in this run and is not requested again until the next one")]
    ProviderDown(ListId),
    /// The run's time ended.
    #[error("the time of the run ended")]
    OutOfTime,
    /// Another reconciler works on the same list.
    #[error("another run has moved the watermark of {0}")]
    WatermarkMoved(ListId),
    /// Another reconciler checks movements.
    #[error("another run has moved the mark of the movements that were checked")]
    MovementsMarkMoved,
    /// A row was accepted that is not on the list.
    #[error("the provider does not list {0}")]
    NotListed(ResourceId),
    /// A row was accepted of a list that cannot be read.
    #[error(
        "no list that may contain deposits of {0} can be read: the organization has no credentials for the provider's API"
    )]
    NoCredentials(Feed),
    /// A backfill was requested of lists that cannot be read.
    #[error(
        "none of the requested lists can be read: the API of their provider is not enabled, or the organization has no \
         credentials for it"
    )]
    NoListToBackfill,
    /// A backfill was to continue where it never was.
    #[error(
        "`after` is not a position of this backfill: continue with the period, the lists and the tenant that it began with"
    )]
    UnknownPosition,
    /// An operator decided what cannot be decided.
    #[error(transparent)]
    NotDecidable(#[from] NotDecidable),
    /// The table, a secret or a queue failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Logs that a part of the run failed for `list`.
pub(crate) fn log_failure(list: &ListId, failed: &ReconcileError) {
    let feed = list.feed();
    error!(%feed, %list, error = chain(failed), "{list} was not reconciled; the next run continues where this one stopped");
}
