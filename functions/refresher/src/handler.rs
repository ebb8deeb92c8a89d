//! One scheduled refresh.

use std::time::Duration;

use fundhook_credentials::{
    NoKeySet, NoToken, RUNS_APART, TokenKeeper, fetch_key_set, leave_alone_if_asked, published_here, take_turns,
};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{
    AccessTokens, CLOCKS_DIFFER_MAX, FetchKeySet, KeySets, PortError, RequestToken, StoredKeySet, chain,
};
use fundhook_runtime::metrics;
use tracing::{error, info, warn};

/// What the refresher needs: where key sets are stored, who publishes them, and who keeps the access tokens.
#[derive(Debug)]
pub struct Refresher<S, F, T, A> {
    store: S,
    provider_api: F,
    feeds: Vec<Feed>,
    last_good_max: Duration,
    tokens: Tokens<T, A>,
}

/// Who keeps the access tokens.
#[derive(Debug)]
pub enum Tokens<T, A> {
    /// Nobody: the provider's API is not used.
    Unused,
    /// Nobody: the API is used, and cannot be by its settings, for this reason.
    Unfit(String),
    /// This keeper.
    Kept(TokenKeeper<T, A>),
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
    /// The provider's API cannot be used by its settings.
    #[error("no access token is renewed, since the settings of the provider's API are unfit: {0}")]
    ApiSettings(String),
}

impl<T, A> Tokens<T, A> {
    /// Those of the provider's API as it is set up. Unfit settings are told in each run, and keep no key set from being
    /// refreshed.
    pub fn of<E: AsRef<dyn std::error::Error + Send + Sync>>(keeper: Result<Option<TokenKeeper<T, A>>, E>) -> Self {
        match keeper {
            Ok(Some(keeper)) => Self::Kept(keeper),
            Ok(None) => Self::Unused,
            Err(unfit) => Self::Unfit(chain(unfit.as_ref())),
        }
    }
}

impl<S: KeySets, F: FetchKeySet, T: AccessTokens, A: RequestToken> Refresher<S, F, T, A> {
    /// A refresher of the key sets of `feeds`, each of which is used for at most `last_good_max` while no newer one can be
    /// had, and of the access tokens, when the provider's API is used.
    pub fn new(store: S, provider_api: F, feeds: Vec<Feed>, last_good_max: Duration, tokens: Tokens<T, A>) -> Self {
        Self { store, provider_api, feeds, last_good_max, tokens }
    }

    /// Refreshes each key set and token that is due, in each run beginning with another feed's, and says how long each of them
    /// still has. The failure of one does not keep the others from being refreshed; the first is returned.
    pub async fn handle(&self, clock: impl Fn() -> Timestamp) -> Result<(), NotRefreshed> {
        let mut feeds: Vec<&Feed> = self.feeds.iter().collect();
        take_turns(&mut feeds, clock(), RUNS_APART);
        let mut outcome = Ok(());
        for feed in feeds {
            let refreshed = self.refresh(feed, &clock).await;
            outcome = outcome.and(
                refreshed.inspect_err(|error| warn!(%feed, error = chain(error), "the key set was not refreshed")),
            );
        }
        outcome.and(self.renew_tokens(&clock).await)
    }

    async fn refresh(&self, feed: &Feed, clock: impl Fn() -> Timestamp) -> Result<(), NotRefreshed> {
        let failed = |error| NotRefreshed::Store(feed.clone(), error);
        let stored = self.store.load(feed).await.map_err(failed)?;
        let (stored, now) = (published_here(&self.provider_api, feed, stored), clock());
        // Before the provider is asked: a run that is cut short has told.
        self.report(feed, stored.as_ref(), now);
        if stored.as_ref().is_some_and(|set| !is_due(set, now)) {
            return Ok(());
        }
        match fetch_key_set(&self.provider_api, feed, stored.as_ref(), now).await {
            Ok((set, keys)) => {
                self.store.store(feed, &set).await.map_err(failed)?;
                info!(%feed, fingerprint = set.fingerprint, keys = keys.keys().len(), "key set refreshed");
                self.report(feed, Some(&set), clock());
                Ok(())
            }
            Err(error) => {
                leave_alone_if_asked(&self.store, &error, stored.as_ref(), self.last_good_max, clock()).await;
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

    async fn renew_tokens(&self, clock: impl Fn() -> Timestamp) -> Result<(), NotRefreshed> {
        let tokens = match &self.tokens {
            Tokens::Kept(tokens) => tokens,
            Tokens::Unused => return Ok(()),
            Tokens::Unfit(why) => {
                let unfit = NotRefreshed::ApiSettings(why.clone());
                error!(error = chain(&unfit), "no access token is renewed");
                return Err(unfit);
            }
        };
        let report = |feed: &Feed, left: Duration| {
            metrics::emit(clock(), "TokenSecondsLeft", "Seconds", left.as_secs(), &metrics::of_feed(feed));
        };
        let failures = tokens.renew_due(&clock, report).await.map_err(NotRefreshed::Tokens)?;
        for error in &failures {
            warn!(error = chain(error), "an access token was not renewed");
        }
        failures.into_iter().next().map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Whether the provider is to be asked: before the next run, what is held will have reached its age, or a clock that is off has
/// fetched it. Not while it asked to be left alone.
fn is_due(set: &StoredKeySet, now: Timestamp) -> bool {
    let is_from_the_future = set.fetched_at.since(now) > CLOCKS_DIFFER_MAX;
    !set.is_left_alone(now) && (is_from_the_future || now.plus(RUNS_APART) > set.fresh_until)
}
