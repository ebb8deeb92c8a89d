//! One scheduled run: renews the key sets and access tokens that are due.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_credentials::{
    KeySetError, RUN_INTERVAL, TokenError, TokenKeeper, back_off_if_asked, fetch_key_set, published_here, rotate_by_run,
};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{
    AccessTokens, CLOCK_SKEW_MAX, FetchKeySet, KeySets, PortError, RequestToken, StoredKeySet, chain,
};
use fundhook_runtime::metrics::{Metric, Metrics};
use tracing::{error, info, warn};

/// Renews key sets and access tokens.
#[derive(Debug)]
pub struct Refresher<S, F, T, A> {
    store: S,
    provider_api: F,
    feeds: Vec<Feed>,
    last_good_max: Duration,
    tokens: Tokens<T, A>,
    metrics: Metrics,
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
    pub fn new(
        store: S,
        provider_api: F,
        feeds: Vec<Feed>,
        last_good_max: Duration,
        tokens: Tokens<T, A>,
        metrics: Metrics,
    ) -> Self {
        Self { store, provider_api, feeds, last_good_max, tokens, metrics }
    }

    /// Renews each key set and token that is due, and emits how long the worst one is still usable. Each run starts with
    /// another feed. A failure does not stop the others; the first one is returned.
    pub async fn handle(&self, clock: impl Fn() -> Timestamp) -> Result<(), RefreshError> {
        let mut feeds: Vec<&Feed> = self.feeds.iter().collect();
        rotate_by_run(&mut feeds, clock(), RUN_INTERVAL);
        let mut outcome = Ok(());
        let mut failed = |feed: &Feed, error: RefreshError| {
            warn!(%feed, error = chain(&error), "could not renew the key set of {feed}");
            if outcome.is_ok() {
                outcome = Err(error);
            }
        };
        let mut ages = BTreeMap::new();
        let mut stored = Vec::with_capacity(feeds.len());
        for feed in feeds {
            match self.stored(feed).await {
                Ok(set) => {
                    if set.is_none() {
                        warn!(%feed, "no key set of {feed} is stored yet; its webhooks cannot be verified");
                    }
                    ages.insert(feed, age(set.as_ref(), clock()));
                    stored.push((feed, set));
                }
                Err(error) => failed(feed, error),
            }
        }
        // Before a provider is called, so that a run that is cut short has reported.
        self.report(&ages, clock());
        let mut renewed = false;
        for (feed, set) in stored {
            if set.as_ref().is_some_and(|set| !is_due(set, clock())) {
                continue;
            }
            // Other feeds were fetched meanwhile, and a receiver may have stored a newer set, or been asked to back off.
            let set = match self.stored(feed).await {
                Ok(set) => set,
                Err(error) => {
                    failed(feed, error);
                    continue;
                }
            };
            if set.as_ref().is_some_and(|set| !is_due(set, clock())) {
                continue;
            }
            match self.renew(feed, set.as_ref(), &clock).await {
                Ok(set) => {
                    renewed = true;
                    ages.insert(feed, age(Some(&set), clock()));
                }
                Err(error) => failed(feed, error),
            }
        }
        if renewed {
            self.report(&ages, clock());
        }
        outcome.and(self.renew_tokens(&clock).await)
    }

    /// The stored key set of the feed, if it is of the URL that is configured.
    async fn stored(&self, feed: &Feed) -> Result<Option<StoredKeySet>, RefreshError> {
        let stored = self.store.load(feed).await.map_err(|error| RefreshError::Store(feed.clone(), error))?;
        Ok(published_here(&self.provider_api, feed, stored))
    }

    /// Fetches the key set of the feed and stores it.
    async fn renew(
        &self,
        feed: &Feed,
        stored: Option<&StoredKeySet>,
        clock: impl Fn() -> Timestamp,
    ) -> Result<StoredKeySet, RefreshError> {
        match fetch_key_set(&self.provider_api, feed, stored, clock()).await {
            Ok((set, keys)) => {
                let failed = |error| RefreshError::Store(feed.clone(), error);
                self.store.store(feed, &set).await.map_err(failed)?;
                let keys = keys.keys().len();
                info!(%feed, fingerprint = set.fingerprint, keys, "renewed the key set of {feed}: {keys} keys");
                Ok(set)
            }
            Err(error) => {
                back_off_if_asked(&self.store, &error, stored, self.last_good_max, clock()).await;
                Err(error.into())
            }
        }
    }

    /// Emits the age of the oldest key set, which has an alarm, and for how long the key set that ends first is still usable.
    /// A feed without one counts as having one that is too old to be used.
    fn report(&self, ages: &BTreeMap<&Feed, Option<Duration>>, now: Timestamp) {
        let age = |age: &Option<Duration>| age.unwrap_or(self.last_good_max);
        let oldest = ages.iter().map(|(feed, of_set)| (*feed, age(of_set).as_secs()));
        self.metrics.worst(now, Metric::KeySetAgeSeconds, oldest);
        let usable_for = |of_set| self.last_good_max.saturating_sub(age(of_set)).as_secs();
        self.metrics.worst(
            now,
            Metric::KeySetSecondsLeft,
            ages.iter().map(|(feed, of_set)| (*feed, usable_for(of_set))),
        );
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
        let report = |valid_for: &BTreeMap<Feed, Duration>| {
            let seconds = valid_for.iter().map(|(feed, valid_for)| (feed, valid_for.as_secs()));
            self.metrics.worst(clock(), Metric::TokenSecondsLeft, seconds);
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

/// How long ago a key set was fetched; `None` without one.
fn age(set: Option<&StoredKeySet>, now: Timestamp) -> Option<Duration> {
    set.map(|set| now.since(set.fetched_at))
}

/// Whether to fetch the key set: it becomes stale before the next run, or a wrong clock has fetched it. Not while the provider
/// has asked to back off.
fn is_due(set: &StoredKeySet, now: Timestamp) -> bool {
    let is_from_the_future = set.fetched_at.since(now) > CLOCK_SKEW_MAX;
    !set.is_backing_off(now) && (is_from_the_future || now.plus(RUN_INTERVAL) > set.fresh_until)
}
