//! Keeping access tokens valid.
//!
//! A token is renewed when 80% of its time has passed or the next run would come too late, or after the provider has refused it.
//! Whoever renews an organization's token takes its lease first, which saves requests. What makes it right is that the store is
//! read again under the lease, that a token that was granted is stored before anything else is done, and that one that was lost
//! in between, by a crash or to another organization's renewal at the same instant, is simply asked for again. One that could
//! not be stored is kept in memory: who needs it uses it, and the next run stores it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::port::{
    AccessTokens, CLOCKS_DIFFER_MAX, LEFT_ALONE_MAX, PortError, RequestToken, StoredToken, chain,
};
use fundhook_domain::{Feed, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tracing::{error, info, warn};

use crate::{RUNS_APART, take_turns};

/// Who holds the lease may take so long. One that renewed what it was to renew gives it back; after a failure it stays, so
/// that the provider is asked again by the schedule's next run at the earliest, a minute later.
const LEASE: Duration = Duration::from_secs(55);

/// How long it takes at most to have a token granted, 3 × 5 s and 10 s of pauses, and stored.
const RENEWAL_MAX: Duration = Duration::from_secs(30);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// The store, or the provider.
    #[error("there is no access token for {0}")]
    Port(Feed, #[source] PortError),
    /// Somebody else is having one granted right now, or nobody may for now.
    #[error("the access token of {0} is being renewed by somebody else, or the provider asked to be left alone")]
    BeingRenewed(Feed),
    /// No credentials are stored for the organization.
    #[error("no credentials are stored for {0}; they belong in the secret ConnectApiSecret")]
    NoCredentials(Feed),
}

/// A token to ask the provider with.
#[derive(Clone, Debug)]
pub struct ValidToken {
    /// What is sent as `authorization: Bearer …`.
    pub access_token: SecretString,
    /// Whether it was granted just now: another one would be no newer.
    pub is_new: bool,
}

/// Keeps a valid access token stored for each organization.
#[derive(Debug)]
pub struct TokenKeeper<S, A> {
    store: S,
    provider_api: A,
    feeds: Vec<Feed>,
    /// What was granted and could not be stored.
    unstored: Mutex<Stored>,
}

/// Tokens, by feed.
type Stored = BTreeMap<Feed, StoredToken>;

/// What came of an attempt to renew a token.
struct Renewed {
    /// The tokens as they are stored, but the feed's as it was granted where one was.
    tokens: Stored,
    /// Whether that was granted just now.
    is_new: bool,
    /// Why it is not stored.
    unstored: Option<PortError>,
}

impl<S: AccessTokens, A: RequestToken> TokenKeeper<S, A> {
    /// A keeper of the tokens of those of `feeds` for which credentials are stored.
    pub fn new(store: S, provider_api: A, feeds: Vec<Feed>) -> Self {
        Self { store, provider_api, feeds, unstored: Mutex::default() }
    }

    /// What has tokens granted, for those who use one.
    pub fn provider_api(&self) -> &A {
        &self.provider_api
    }

    /// The feeds for which there are credentials.
    pub async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        let known: BTreeSet<Feed> = self.provider_api.feeds().await?.into_iter().collect();
        let (with, without): (Vec<Feed>, Vec<Feed>) = self.feeds.iter().cloned().partition(|feed| known.contains(feed));
        for feed in without {
            warn!(%feed, "no credentials are stored: nothing is asked of its API");
        }
        Ok(with)
    }

    /// Renews each token that is due, in each run beginning with another organization's; what kept one from being renewed.
    ///
    /// `tell` hears for how long each feed's token is valid, zero for one that is not: of all before any is renewed, so that a
    /// run that is cut short has told, and again of each that was.
    pub async fn renew_due(
        &self,
        clock: impl Fn() -> Timestamp,
        mut tell: impl FnMut(&Feed, Duration),
    ) -> Result<Vec<NoToken>, PortError> {
        let mut stored = self.store.load().await?;
        let left = |token: Option<&StoredToken>| token.map(|token| token.expires_at.since(clock())).unwrap_or_default();
        let needs_one = |stored: &Stored, feed: &Feed| stored.get(feed).is_none_or(|token| is_due(token, clock()));
        let is_any_due = self.feeds.iter().any(|feed| needs_one(&stored, feed));
        let known = if is_any_due { self.feeds().await } else { Ok(self.feeds.clone()) };
        for feed in known.as_ref().unwrap_or(&self.feeds) {
            // Where it is not known who has credentials, those without a token may be without these.
            if known.is_ok() || stored.contains_key(feed) {
                tell(feed, left(stored.get(feed)));
            }
        }
        let (mut feeds, mut failures) = (known?, Vec::new());
        take_turns(&mut feeds, clock());
        for feed in &feeds {
            if !needs_one(&stored, feed) {
                continue;
            }
            match self.renew_by_lease(feed, &clock, |stored| needs_one(stored, feed)).await {
                Ok(Renewed { unstored: Some(error), .. }) | Err(error) => {
                    failures.push(NoToken::Port(feed.clone(), error));
                }
                Ok(renewed) => {
                    stored = renewed.tokens;
                    tell(feed, left(stored.get(feed)));
                }
            }
        }
        Ok(failures)
    }

    /// Renews the feed's token if nobody else does, and if it still `needs_one` by then. After a failure the lease stays, so
    /// that the provider is left alone for as long.
    async fn renew_by_lease(
        &self,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
        needs_one: impl Fn(&Stored) -> bool,
    ) -> Result<Renewed, PortError> {
        let leased_at = clock();
        let won = self.store.lease(feed, leased_at, LEASE).await?;
        // Again: whoever held the lease before may have renewed it.
        let tokens = self.store.load().await?;
        let mut renewed = Renewed { tokens, is_new: false, unstored: None };
        if !won {
            return Ok(renewed);
        }
        if needs_one(&renewed.tokens) {
            let kept = self.unstored().remove(feed);
            let (token, is_new) = match kept.filter(|kept| !needs_one(&BTreeMap::from([(feed.clone(), kept.clone())])))
            {
                Some(kept) => (kept, false),
                None => (self.request(feed, &clock, renewed.tokens.get(feed)).await?, true),
            };
            renewed.is_new = is_new;
            renewed.unstored = self.store(feed, &token).await.err();
            renewed.tokens.insert(feed.clone(), token);
        }
        if renewed.unstored.is_none() {
            self.release(feed, leased_at).await;
        }
        Ok(renewed)
    }

    /// A token that is valid: the stored one, or else a new one.
    pub async fn token(&self, feed: &Feed, clock: impl Fn() -> Timestamp) -> Result<ValidToken, NoToken> {
        self.valid_other_than(None, feed, clock).await
    }

    /// A token other than `refused`, which the provider does not accept: one that was stored since, or else a new one.
    pub async fn other_than(
        &self,
        refused: &SecretString,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ValidToken, NoToken> {
        self.valid_other_than(Some(refused), feed, clock).await
    }

    async fn valid_other_than(
        &self,
        refused: Option<&SecretString>,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ValidToken, NoToken> {
        let failed = |error| NoToken::Port(feed.clone(), error);
        let valid = |stored: &Stored| {
            let is_refused = |token: &StoredToken| {
                refused.is_some_and(|refused| refused.expose_secret() == token.access_token.expose_secret())
            };
            let token = stored.get(feed).filter(|token| token.expires_at > clock() && !is_refused(token));
            token.map(|token| token.access_token.clone())
        };
        if let Some(access_token) = valid(&self.store.load().await.map_err(failed)?) {
            return Ok(ValidToken { access_token, is_new: false });
        }
        if !self.provider_api.feeds().await.map_err(failed)?.contains(feed) {
            return Err(NoToken::NoCredentials(feed.clone()));
        }
        let renewed = self.renew_by_lease(feed, &clock, |stored| valid(stored).is_none()).await.map_err(failed)?;
        if let Some(error) = &renewed.unstored {
            error!(%feed, error = chain(error), "an access token was granted and could not be stored: it is used all the same");
        }
        let access_token = valid(&renewed.tokens).ok_or_else(|| NoToken::BeingRenewed(feed.clone()))?;
        Ok(ValidToken { access_token, is_new: renewed.is_new })
    }

    /// Gives back the lease that was taken at that time. Where that fails it ends by itself, and the tokens are as they are.
    async fn release(&self, feed: &Feed, leased_at: Timestamp) {
        if let Err(error) = self.store.release(feed, leased_at, LEASE).await {
            warn!(%feed, error = chain(&error), "the lease on renewing the access token could not be given back");
        }
    }

    /// Has a token granted. A provider that asks to be left alone is, for as long as the one that is `held` is valid.
    async fn request(
        &self,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
        held: Option<&StoredToken>,
    ) -> Result<StoredToken, PortError> {
        let issued_at = clock();
        let error = match self.provider_api.request(feed).await {
            Ok(granted) => {
                let expires_at = issued_at.plus(granted.expires_in);
                return Ok(StoredToken { access_token: granted.access_token, issued_at, expires_at });
            }
            Err(error) => error,
        };
        let (now, asked) = (clock(), error.retry_after().unwrap_or_default());
        let left = held.map(|held| held.expires_at.since(now)).unwrap_or_default();
        let pause = asked.min(left).min(LEFT_ALONE_MAX);
        if !pause.is_zero() {
            let until = now.plus(pause);
            warn!(%feed, %until, "the provider asked not to be asked for an access token before");
            if let Err(error) = self.store.leave_alone(feed, until).await {
                warn!(%feed, error = chain(&error), "that the provider is to be left alone could not be noted");
            }
        }
        Err(error)
    }

    /// Stores a token that was granted, or keeps it for the next attempt.
    async fn store(&self, feed: &Feed, token: &StoredToken) -> Result<(), PortError> {
        let stored = self.store.store(feed, token).await;
        match &stored {
            Ok(()) => info!(%feed, expires_at = %token.expires_at, "access token renewed"),
            Err(_) => drop(self.unstored().insert(feed.clone(), token.clone())),
        }
        stored
    }

    fn unstored(&self) -> MutexGuard<'_, Stored> {
        // No code panics while it holds the lock.
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether 80% of the token's time has passed, or it would end before the next run has renewed it, or its times cannot be
/// right.
fn is_due(token: &StoredToken, now: Timestamp) -> bool {
    let lifetime = token.expires_at.since(token.issued_at);
    let is_from_the_future = token.issued_at.since(now) > CLOCKS_DIFFER_MAX;
    let is_late = token.expires_at.since(now) <= RUNS_APART + RENEWAL_MAX;
    is_from_the_future || is_late || now.since(token.issued_at) >= lifetime * 4 / 5
}
