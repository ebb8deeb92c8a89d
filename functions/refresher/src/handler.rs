//! One scheduled run: renews the key sets and access tokens that are due.

use std::time::Duration;

use fundhook_credentials::{
    KeySetError, RUN_INTERVAL, TokenError, TokenKeeper, back_off_if_asked, fetch_key_set, published_here, rotate_by_run,
};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{
    AccessTokens, CLOCK_SKEW_MAX, FetchKeySet, KeySets, PortError, RequestToken, StoredKeySet, chain,
};
use fundhook_runtime::metrics;
use tracing::{error, info, warn};

/// Renews key sets and access tokens.
#[derive(Debug)]
pub struct Refresher<S, F, T, A> {
    store: S,
    provider_api: F,
    feeds: Vec<Feed>,
    last_good_max: Duration,
    tokens: Tokens<T, A>,
}

/// The state of the access tokens in this deployment.
#[derive(Debug)]
pub enum Tokens<T, A> {
    /// The provider's API is not used.
    Unused,
    /// The API is enabled, and its settings are invalid for this reason.
    Invalid(String),
    Kept(TokenKeeper<T, A>),
}

/// Why a key set or token was not renewed. The last good one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error("could not renew a key set")]
    KeySet(#[from] KeySetError),
    #[error("could not read or store the key set of {0}")]
    Store(Feed, #[source] PortError),
    #[error("could not renew an access token")]
    Token(#[from] TokenError),
    #[error("could not read the access tokens or the API credentials")]
    Tokens(#[source] PortError),
    #[error("access tokens are not renewed because the settings of Connect's API are invalid: {0}")]
    ApiSettings(String),
}

impl<T, A> Tokens<T, A> {
    /// Invalid settings are logged in each run, and do not stop the renewal of key sets.
    pub fn of<E: AsRef<dyn std::error::Error + Send + Sync>>(keeper: Result<Option<TokenKeeper<T, A>>, E>) -> Self {
        match keeper {
            Ok(Some(keeper)) => Self::Kept(keeper),
            Ok(None) => Self::Unused,
            Err(invalid) => Self::Invalid(chain(invalid.as_ref())),
        }
    }
}

impl<S: KeySets, F: FetchKeySet, T: AccessTokens, A: RequestToken> Refresher<S, F, T, A> {
    /// Renews the key sets of `feeds`. Receivers use a key set until it is `last_good_max` old.
    pub fn new(store: S, provider_api: F, feeds: Vec<Feed>, last_good_max: Duration, tokens: Tokens<T, A>) -> Self {
        Self { store, provider_api, feeds, last_good_max, tokens }
    }

    /// Renews each key set and token that is due, and emits how long each is still usable. Each run starts with another feed. A
    /// failure does not stop the others; the first one is returned.
    pub async fn handle(&self, clock: impl Fn() -> Timestamp) -> Result<(), RefreshError> {
        let mut feeds: Vec<&Feed> = self.feeds.iter().collect();
        rotate_by_run(&mut feeds, clock(), RUN_INTERVAL);
        let mut outcome = Ok(());
        for feed in feeds {
            let refreshed = self.refresh(feed, &clock).await;
            outcome = outcome.and(
                refreshed
                    .inspect_err(|error| warn!(%feed, error = chain(error), "could not renew the key set of {feed}")),
            );
        }
        outcome.and(self.renew_tokens(&clock).await)
    }

    async fn refresh(&self, feed: &Feed, clock: impl Fn() -> Timestamp) -> Result<(), RefreshError> {
        let failed = |error| RefreshError::Store(feed.clone(), error);
        let stored = self.store.load(feed).await.map_err(failed)?;
        let (stored, now) = (published_here(&self.provider_api, feed, stored), clock());
        // Before the provider is called, so that a run that is cut short has reported.
        self.report(feed, stored.as_ref(), now);
        if stored.as_ref().is_some_and(|set| !is_due(set, now)) {
            return Ok(());
        }
        match fetch_key_set(&self.provider_api, feed, stored.as_ref(), now).await {
            Ok((set, keys)) => {
                self.store.store(feed, &set).await.map_err(failed)?;
                let keys = keys.keys().len();
                info!(%feed, fingerprint = set.fingerprint, keys, "renewed the key set of {feed}: {keys} keys");
                self.report(feed, Some(&set), clock());
                Ok(())
            }
            Err(error) => {
                back_off_if_asked(&self.store, &error, stored.as_ref(), self.last_good_max, clock()).await;
                Err(error.into())
            }
        }
    }

    /// Emits the age of the stored key set, which has an alarm, and for how long it is still usable. While none is stored,
    /// nothing is emitted, and the alarm treats a missing value as a breach.
    fn report(&self, feed: &Feed, stored: Option<&StoredKeySet>, now: Timestamp) {
        let Some(set) = stored else {
            warn!(%feed, "no key set of {feed} is stored yet; its webhooks cannot be verified");
            return;
        };
        let age = now.since(set.fetched_at);
        let usable_for = self.last_good_max.saturating_sub(age);
        for (name, duration) in [("KeySetAgeSeconds", age), ("KeySetSecondsLeft", usable_for)] {
            metrics::emit(now, name, metrics::Unit::Seconds, duration.as_secs(), &metrics::of_feed(feed));
        }
    }

    async fn renew_tokens(&self, clock: impl Fn() -> Timestamp) -> Result<(), RefreshError> {
        let tokens = match &self.tokens {
            Tokens::Kept(tokens) => tokens,
            Tokens::Unused => return Ok(()),
            Tokens::Invalid(why) => {
                let invalid = RefreshError::ApiSettings(why.clone());
                error!(error = chain(&invalid), "no access token is renewed; correct FUNDHOOK_CONNECT_API_…");
                return Err(invalid);
            }
        };
        let report = |feed: &Feed, valid_for: Duration| {
            metrics::emit(
                clock(),
                "TokenSecondsLeft",
                metrics::Unit::Seconds,
                valid_for.as_secs(),
                &metrics::of_feed(feed),
            );
        };
        let failures = tokens.renew_due(&clock, report).await.map_err(RefreshError::Tokens);
        let failures = failures.inspect_err(|error| {
            error!(error = chain(error), "no access token is renewed; the next run tries again")
        })?;
        for error in &failures {
            let feed = error.feeds();
            warn!(feed, error = chain(error), "could not renew the access token of {feed}; the next run tries again");
        }
        failures.into_iter().next().map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Whether to fetch the key set: it becomes stale before the next run, or a wrong clock has fetched it. Not while the provider
/// has asked to back off.
fn is_due(set: &StoredKeySet, now: Timestamp) -> bool {
    let is_from_the_future = set.fetched_at.since(now) > CLOCK_SKEW_MAX;
    !set.is_backing_off(now) && (is_from_the_future || now.plus(RUN_INTERVAL) > set.fresh_until)
}
