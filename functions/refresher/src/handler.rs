//! One scheduled refresh.

use std::time::Duration;

use fundhook_domain::port::{AccessTokens, FetchKeySet, KeySets, PortError, RequestToken, StoredKeySet, chain};
use fundhook_domain::{Feed, Timestamp};
use fundhook_runtime::{NoKeySet, NoToken, TokenKeeper, fetch_key_set, metrics};
use tracing::{info, warn};

/// The next run comes in a minute: what would be stale by then is renewed now.
const RUNS_APART: Duration = Duration::from_secs(60);

/// A key set that was fetched in the future, by more than clocks differ, was fetched by a clock that is off: it is due.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(300);

/// What the refresher needs: where key sets are stored, who publishes them, and who keeps the access tokens.
#[derive(Debug)]
pub struct Refresher<S, F, T, A> {
    store: S,
    provider_api: F,
    feeds: Vec<Feed>,
    last_good_max: Duration,
    tokens: Option<TokenKeeper<T, A>>,
}

/// Why something was not refreshed. The last good one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum NotRefreshed {
    /// No newer key set was had.
    #[error("a key set was not refreshed")]
    KeySet(#[from] NoKeySet),
    /// It could not be read or stored.
    #[error("the key set of {0} was not refreshed")]
    Store(Feed, #[source] PortError),
    /// An access token that is due was not renewed.
    #[error("an access token was not renewed")]
    Token(#[from] NoToken),
    /// The access tokens or the credentials could not be read.
    #[error("the access tokens were not looked at")]
    Tokens(#[source] PortError),
}

impl<S: KeySets, F: FetchKeySet, T: AccessTokens, A: RequestToken> Refresher<S, F, T, A> {
    /// A refresher of the key sets of `feeds`, each of which is used for at most `last_good_max` while no newer one can be
    /// had, and of the access tokens, when the provider's API is used.
    pub fn new(
        store: S,
        provider_api: F,
        feeds: Vec<Feed>,
        last_good_max: Duration,
        tokens: Option<TokenKeeper<T, A>>,
    ) -> Self {
        Self { store, provider_api, feeds, last_good_max, tokens }
    }

    /// Refreshes each key set and token that is due at `now`, and says how long each of them still has. The failure of one
    /// does not keep the others from being refreshed; the first is returned.
    pub async fn handle(&self, now: Timestamp) -> Result<(), NotRefreshed> {
        let mut outcome = Ok(());
        for feed in &self.feeds {
            let refreshed = self.refresh(feed, now).await;
            outcome = outcome.and(
                refreshed.inspect_err(|error| warn!(%feed, error = chain(error), "the key set was not refreshed")),
            );
        }
        outcome.and(self.renew_tokens(now).await)
    }

    async fn refresh(&self, feed: &Feed, now: Timestamp) -> Result<(), NotRefreshed> {
        let failed = |error| NotRefreshed::Store(feed.clone(), error);
        let stored = self.store.load(feed).await.map_err(failed)?;
        if stored.as_ref().is_some_and(|set| !is_due(set, now)) {
            self.report(feed, stored.as_ref(), now);
            return Ok(());
        }
        match fetch_key_set(&self.provider_api, feed, stored.as_ref(), now).await {
            Ok((set, keys)) => {
                let written = self.store.store(feed, &set).await.map_err(failed);
                info!(%feed, fingerprint = set.fingerprint, keys = keys.keys().len(), "key set refreshed");
                self.report(feed, Some(&set).filter(|_| written.is_ok()).or(stored.as_ref()), now);
                written
            }
            Err(error) => {
                self.report(feed, stored.as_ref(), now);
                Err(error.into())
            }
        }
    }

    /// Emits how old the stored key set is, which the alarm watches, and for how long it will still be used if no newer one
    /// can be had. Nothing is emitted while none is stored, and the alarm treats a missing value as a breach.
    fn report(&self, feed: &Feed, stored: Option<&StoredKeySet>, now: Timestamp) {
        let Some(set) = stored else {
            warn!(%feed, "no key set is stored yet");
            return;
        };
        let age = now.since(set.fetched_at);
        let left = self.last_good_max.saturating_sub(age);
        for (name, duration) in [("KeySetAgeSeconds", age), ("KeySetSecondsLeft", left)] {
            metrics::emit(now, name, "Seconds", duration.as_secs(), &metrics::of_feed(feed));
        }
    }

    async fn renew_tokens(&self, now: Timestamp) -> Result<(), NotRefreshed> {
        let Some(tokens) = &self.tokens else {
            return Ok(());
        };
        let standing = tokens.renew_due(now).await.map_err(NotRefreshed::Tokens)?;
        for (feed, left) in &standing.left {
            metrics::emit(now, "TokenSecondsLeft", "Seconds", left.as_secs(), &metrics::of_feed(feed));
        }
        for error in &standing.failures {
            warn!(error = chain(error), "an access token was not renewed");
        }
        standing.failures.into_iter().next().map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Whether the provider is to be asked: before the next run, what is held will have reached its age.
fn is_due(set: &StoredKeySet, now: Timestamp) -> bool {
    let is_from_the_future = set.fetched_at.since(now) > CLOCKS_DIFFER_MAX;
    is_from_the_future || now.plus(RUNS_APART) > set.fresh_until
}
