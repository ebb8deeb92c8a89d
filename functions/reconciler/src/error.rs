//! Why something was not reconciled.

use fundhook_domain::{Feed, ResourceId};
use fundhook_ports::{PortError, chain};
use tracing::error;

use crate::ListReadError;
use crate::cases::NotDecidable;

/// Why something was not reconciled. The next run continues where this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The provider's list could not be read.
    #[error("the list of {0} could not be read")]
    List(Feed, #[source] ListReadError),
    /// The provider failed to answer earlier in this run.
    #[error("the provider of {0} did not answer earlier in this run and is not asked again until the next one")]
    ProviderDown(Feed),
    /// The run's time ended.
    #[error("the time of the run ended")]
    OutOfTime,
    /// Another reconciler works on the same list.
    #[error("another run has moved the watermark of {0}")]
    WatermarkMoved(Feed),
    /// A row was accepted that is not on the list.
    #[error("the provider does not list {0}")]
    NotListed(ResourceId),
    /// A row was accepted of a list that cannot be read.
    #[error("the list of {0} cannot be read: its organization has no credentials for Connect's API")]
    NoCredentials(Feed),
    /// An operator decided what cannot be decided.
    #[error(transparent)]
    NotDecidable(#[from] NotDecidable),
    /// The table, a secret or a queue failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Logs that a part of the run failed for `feed`.
pub(crate) fn log_failure(feed: &Feed, failed: &ReconcileError) {
    error!(%feed, error = chain(failed), "{feed} was not reconciled; the next run continues where this one stopped");
}
