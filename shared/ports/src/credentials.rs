//! Key sets and shared secrets, which verify providers' webhooks, and access tokens for providers' APIs.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use fundhook_domain::{CLOCK_SKEW_MAX, Feed, Provider, Timestamp};
use secrecy::SecretString;

use crate::PortError;

/// The longest time to back off, whatever a provider's `Retry-After` asks. It is an hour, as long as a key set is fresh, so
/// that an absurd `Retry-After` costs an hour at most.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(3600);

/// A provider's key set, with when and where it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKeySet {
    /// The JWKS document.
    pub jwks: String,
    /// The fingerprint of the set's usable keys.
    pub fingerprint: String,
    /// The thumbprints of the usable keys. Evidence names the key that verified it by its thumbprint.
    pub thumbprints: Vec<String>,
    /// When the set was last fetched and found valid, or last confirmed to be unchanged.
    pub fetched_at: Timestamp,
    /// When it is due to be fetched again.
    pub fresh_until: Timestamp,
    /// The entity tag of the response [rfc-9110 §8.8.3], for a conditional request; `None` if it had none.
    pub etag: Option<String>,
    /// The URL that it was fetched from; `None` if an older version of Fundhook stored it.
    pub url: Option<String>,
    /// Until when the provider asked not to be asked again; `None` if it did not.
    pub not_before: Option<Timestamp>,
}

impl StoredKeySet {
    /// Whether a back-off is in force at `now`. One that ends later than [`BACK_OFF_MAX`] and the tolerated clock skew allow
    /// was noted by a wrong clock, and is ignored.
    pub fn is_backing_off(&self, now: Timestamp) -> bool {
        self.not_before.is_some_and(|until| until > now && until.since(now) <= BACK_OFF_MAX + CLOCK_SKEW_MAX)
    }
}

/// The stored key sets, and the lease on fetching a new one.
pub trait KeySets {
    /// The feed's current key set; `None` if none was ever stored.
    fn load(&self, feed: &Feed) -> impl Future<Output = Result<Option<StoredKeySet>, PortError>> + Send;

    /// Makes `set` the current one, unless the stored one was fetched later; that is not an error. Records in the history that
    /// the set and each of its keys were seen. A set that becomes the current one ends a back-off.
    fn store(&self, feed: &Feed, set: &StoredKeySet) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Asks for the lease on fetching the feed's key set at `now`. One caller gets it in each `cooldown`, and none during a
    /// back-off.
    fn lease(
        &self,
        feed: &Feed,
        now: Timestamp,
        cooldown: Duration,
    ) -> impl Future<Output = Result<Lease, PortError>> + Send;

    /// Records a back-off: until `until`, the lease on the feed's key set is refused. Storing a set ends it early.
    fn back_off_until(&self, feed: &Feed, until: Timestamp) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// The outcome of asking for the lease on a key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The caller has the lease and may fetch.
    Won,
    /// Another caller had it within the cooldown, or a back-off is in force. Contains the stored key set.
    Lost(Option<StoredKeySet>),
}

/// A provider's response to a request for its key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchedKeySet {
    /// A document.
    Served {
        /// The JWKS document, as received.
        jwks: String,
        /// Its entity tag, if it had one.
        etag: Option<String>,
        /// How long it is fresh (`Cache-Control: max-age`, less its `Age`); `None` if the response did not say.
        fresh_for: Option<Duration>,
    },
    /// The document with the requested entity tag is unchanged (304).
    NotModified {
        /// How long it is fresh from now on; `None` if the response did not say.
        fresh_for: Option<Duration>,
    },
}

/// Fetches a provider's published key set.
pub trait FetchKeySet {
    /// Requests the key set that is published now. With `etag`, the provider may answer that it is unchanged. The error has
    /// the provider's `Retry-After`.
    fn fetch(&self, feed: &Feed, etag: Option<&str>) -> impl Future<Output = Result<FetchedKeySet, PortError>> + Send;

    /// The URL of the feed's key set; `None` for a feed without one.
    fn url(&self, feed: &Feed) -> Option<String>;
}

impl<T: FetchKeySet + Sync + Send> FetchKeySet for std::sync::Arc<T> {
    async fn fetch(&self, feed: &Feed, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
        T::fetch(self, feed, etag).await
    }

    fn url(&self, feed: &Feed) -> Option<String> {
        T::url(self, feed)
    }
}

/// Reads the secrets that providers share with the platform.
pub trait ReadSecret {
    /// The provider's secret, as stored: a JSON object whose members are organizations. It is not validated.
    fn read(&self, provider: Provider) -> impl Future<Output = Result<SecretString, PortError>> + Send;
}

/// A stored access token.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token, sent as `authorization: Bearer …`.
    pub access_token: SecretString,
    /// When it was granted, by our clock.
    pub issued_at: Timestamp,
    /// When it expires, by our clock: `issued_at` plus the response's `expires_in`.
    pub expires_at: Timestamp,
}

/// A token that a provider granted.
#[derive(Clone, Debug)]
pub struct GrantedToken {
    /// The token, sent as `authorization: Bearer …`.
    pub access_token: SecretString,
    /// How long it is valid (`expires_in`).
    pub expires_in: Duration,
}

/// The stored access tokens, and the lease on requesting a new one.
pub trait AccessTokens {
    /// The stored tokens, by feed.
    fn load(&self) -> impl Future<Output = Result<BTreeMap<Feed, StoredToken>, PortError>> + Send;

    /// Stores `tokens`, all of them or none. The tokens of other feeds stay as they are.
    fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Asks for the lease on requesting the feed's token, from `now` for `duration`. Returns whether the caller got it: one
    /// caller has it at a time, and none during a back-off.
    fn lease(
        &self,
        feed: &Feed,
        now: Timestamp,
        duration: Duration,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Releases the lease that was taken at `now` for `duration`. If it has expired and another caller has the lease, that one
    /// stays.
    fn release(
        &self,
        feed: &Feed,
        now: Timestamp,
        duration: Duration,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Records a back-off: until `until`, the lease on the feed's token is refused.
    fn back_off_until(&self, feed: &Feed, until: Timestamp) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Requests access tokens from a provider.
pub trait RequestToken {
    /// The feeds whose organizations have credentials.
    fn feeds(&self) -> impl Future<Output = Result<Vec<Feed>, PortError>> + Send;

    /// Requests a new token for the feed's organization. The error has the provider's `Retry-After`.
    fn request(&self, feed: &Feed) -> impl Future<Output = Result<GrantedToken, PortError>> + Send;
}
