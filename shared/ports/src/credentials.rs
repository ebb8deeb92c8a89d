//! Key sets, shared secrets and access tokens: what providers are believed by, and what they believe us by.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use fundhook_domain::{CLOCK_SKEW_MAX, Feed, Provider, Timestamp};
use secrecy::SecretString;

use crate::PortError;

/// For how long a provider is left alone at most, whatever its `Retry-After` asks: as long as a key set is held, so that what a
/// slip of the provider's costs is an hour.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(3600);

/// A provider's key set as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKeySet {
    /// The JWKS document.
    pub jwks: String,
    /// The fingerprint of the usable keys in it.
    pub fingerprint: String,
    /// The thumbprints of the usable keys in it: what evidence names them by.
    pub thumbprints: Vec<String>,
    /// When it was last fetched, or confirmed to be the one still served, and found fit.
    pub fetched_at: Timestamp,
    /// From when on it is to be asked for again.
    pub fresh_until: Timestamp,
    /// The entity tag that it was served with (RFC 9110 section 8.8.3), to ask by whether it has changed.
    pub etag: Option<String>,
    /// Where it was fetched; `None` for one that an older version stored.
    pub url: Option<String>,
    /// Before when the provider asked not to be asked again.
    pub not_before: Option<Timestamp>,
}

impl StoredKeySet {
    /// Whether the provider asked not to be asked for it at `now`. What lies further ahead than it may, and by more than clocks
    /// differ, was noted by a clock that is off.
    pub fn is_backing_off(&self, now: Timestamp) -> bool {
        self.not_before.is_some_and(|until| until > now && until.since(now) <= BACK_OFF_MAX + CLOCK_SKEW_MAX)
    }
}

/// The key sets as they are stored, and the lease on fetching a new one.
pub trait KeySets {
    /// The feed's current key set, if one was ever fetched.
    fn load(&self, feed: &Feed) -> impl Future<Output = Result<Option<StoredKeySet>, PortError>> + Send;

    /// Makes `set` the current one unless a later one is stored, and notes in the history that it and each of its keys were
    /// seen.
    fn store(&self, feed: &Feed, set: &StoredKeySet) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Asks for the right to fetch the feed's key set now. It is given to one asker in each cooldown.
    fn lease(
        &self,
        feed: &Feed,
        now: Timestamp,
        cooldown: Duration,
    ) -> impl Future<Output = Result<Lease, PortError>> + Send;

    /// Notes that the provider asked not to be asked for the feed's key set before `until`: the lease is not given before. A
    /// set that is stored meanwhile ends that.
    fn back_off_until(&self, feed: &Feed, until: Timestamp) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// The answer to a request for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The asker may fetch.
    Won,
    /// Somebody fetched within the cooldown, or the provider asked to be left alone; this is the key set as it is stored.
    Lost(Option<StoredKeySet>),
}

/// What a provider answered when it was asked for its key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchedKeySet {
    /// This document.
    Served {
        /// The JWKS document, as served.
        jwks: String,
        /// Its entity tag.
        etag: Option<String>,
        /// For how long it may be held (`Cache-Control: max-age`, less the `Age` that it came with).
        fresh_for: Option<Duration>,
    },
    /// That it is still the one whose entity tag was asked by.
    NotModified {
        /// For how long it may be held from now on.
        fresh_for: Option<Duration>,
    },
}

/// Fetches a provider's published key set.
pub trait FetchKeySet {
    /// What is served now; `etag` is that of the set that is held, if it came with one and is to be confirmed.
    fn fetch(&self, feed: &Feed, etag: Option<&str>) -> impl Future<Output = Result<FetchedKeySet, PortError>> + Send;

    /// Where the feed's key set is published; `None` for a feed without one.
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

/// Reads the secrets that a provider shares with the platform.
pub trait ReadSecret {
    /// The provider's secret as it is stored: a JSON object of organizations.
    fn read(&self, provider: Provider) -> impl Future<Output = Result<SecretString, PortError>> + Send;
}

/// An access token as it is stored.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// What is sent as `authorization: Bearer …`.
    pub access_token: SecretString,
    /// When it was granted, by our clock.
    pub issued_at: Timestamp,
    /// When it ends, by our clock: the instant it was granted and the answer's `expires_in`.
    pub expires_at: Timestamp,
}

/// A token that a provider granted.
#[derive(Clone, Debug)]
pub struct GrantedToken {
    /// What is sent as `authorization: Bearer …`.
    pub access_token: SecretString,
    /// How long it is valid for (`expires_in`).
    pub expires_in: Duration,
}

/// The access tokens as they are stored, and the lease on having new ones granted.
pub trait AccessTokens {
    /// The tokens that are stored, by feed.
    fn load(&self) -> impl Future<Output = Result<BTreeMap<Feed, StoredToken>, PortError>> + Send;

    /// Stores `tokens` beside those of other feeds, all of them at once or none.
    fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Asks for the right to have the feed's token granted from `now` on for `duration`. It is given to one asker at a time.
    fn lease(
        &self,
        feed: &Feed,
        now: Timestamp,
        duration: Duration,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;

    /// Gives back the lease that was taken at `now` for `duration`, if it is still that one.
    fn release(
        &self,
        feed: &Feed,
        now: Timestamp,
        duration: Duration,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Notes that the provider asked not to be asked for the feed's token before `until`: the lease is not given before.
    fn back_off_until(&self, feed: &Feed, until: Timestamp) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Has a provider grant an access token.
pub trait RequestToken {
    /// The feeds for whose organizations there are credentials.
    fn feeds(&self) -> impl Future<Output = Result<Vec<Feed>, PortError>> + Send;

    /// A new token for the feed's organization.
    fn request(&self, feed: &Feed) -> impl Future<Output = Result<GrantedToken, PortError>> + Send;
}
