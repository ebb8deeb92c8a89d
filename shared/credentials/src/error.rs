//! Why a credential is not available.

use fundhook_domain::Feed;
use fundhook_ports::PortError;
use fundhook_providers::jose::InvalidKeySet;

/// There is nothing to verify with: nothing was ever stored, or the last good key set is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoUsableKeys;

/// Why no key set was fetched. The last good one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    #[error("the key set of {0} could not be fetched")]
    Port(Feed, #[source] PortError),
    #[error("the key set that {0} publishes is invalid")]
    Invalid(Feed, #[source] InvalidKeySet),
    /// The provider answered "not modified" to a request without an entity tag.
    #[error("{0} reports its key set as unchanged, although the request had no entity tag")]
    UnexpectedNotModified(Feed),
}

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token store or the provider failed.
    #[error("no access token for {0}")]
    Port(Feed, #[source] PortError),
    #[error("access tokens of {} were granted but could not be stored", names(.0))]
    NotStored(Vec<Feed>, #[source] PortError),
    /// Another caller has the lease, or the provider asked to back off.
    #[error("the access token of {0} is being renewed elsewhere, or the provider asked to back off; try again later")]
    BeingRenewed(Feed),
    #[error("no credentials for {0}; add them to the secret ConnectApiSecret")]
    NoCredentials(Feed),
}

impl TokenError {
    /// The feeds without a token, separated by commas.
    pub fn feeds(&self) -> String {
        match self {
            Self::Port(feed, _) | Self::BeingRenewed(feed) | Self::NoCredentials(feed) => feed.to_string(),
            Self::NotStored(feeds, _) => names(feeds),
        }
    }
}

fn names(feeds: &[Feed]) -> String {
    feeds.iter().map(Feed::to_string).collect::<Vec<_>>().join(", ")
}
