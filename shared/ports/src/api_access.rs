//! Whether a provider's API accepts the calls of this deployment.

use std::future::Future;
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};

use crate::PortError;

/// Asks a provider's API, to which each request is signed, whether it accepts calls.
pub trait CheckApiAccess {
    /// The provider's clock. It is asked for without credentials, so a refusal is about the address that the request comes
    /// from.
    fn provider_clock(&self) -> impl Future<Output = Result<ProviderClock, ApiAccessError>> + Send;

    /// The organizations that have an entry in the secret, valid or not. The secret is read in each call.
    fn feeds(&self) -> impl Future<Output = Result<Vec<Feed>, ApiAccessError>> + Send;

    /// Makes one small read with the credentials of an organization that [`CheckApiAccess::feeds`] returned, and drops what
    /// was read.
    fn read(&self, feed: &Feed) -> impl Future<Output = Result<(), ApiAccessError>> + Send;
}

/// What a provider says about its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderClock {
    /// The provider's time.
    pub time: Timestamp,
    /// How far the time of a signature may be from it, in either direction.
    pub tolerance: Duration,
}

/// Why a provider's API cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum ApiAccessError {
    /// The provider refused the address that the request came from.
    #[error("the address was refused")]
    Address(#[source] PortError),
    /// The provider refused the credentials, or none that can be used are stored.
    #[error("the credentials were refused, or are missing or invalid")]
    Credentials(#[source] PortError),
    /// The request failed for another reason, so it is not known whether the provider accepts calls.
    #[error(transparent)]
    Port(#[from] PortError),
}
