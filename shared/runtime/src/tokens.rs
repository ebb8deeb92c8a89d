//! Keeping access tokens valid.
//!
//! A token is renewed when 80% of its time has passed, or after the provider has refused it. Whoever renews an
//! organization's token takes its lease first, which saves requests. What makes it right is that the store is read again
//! under the lease, that a token that was granted is stored before anything else is done, and that one that was lost in
//! between, by a crash or to another organization's renewal at the same instant, is simply asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_domain::port::{AccessTokens, PortError, RequestToken, StoredToken, chain};
use fundhook_domain::{Feed, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};

/// Who holds the lease may take so long. One that renewed what it was to renew gives it back; after a failure it stays, so
/// that the provider is asked again by the schedule's next run at the earliest, a minute later.
const LEASE: Duration = Duration::from_secs(55);

/// A token that was granted in the future, by more than clocks differ, was granted by a clock that is off: it is renewed.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(300);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// The store, or the provider.
    #[error("there is no access token for {0}")]
    Port(Feed, #[source] PortError),
    /// Somebody else is having one granted right now.
    #[error("the access token of {0} is being renewed, and the new one is not stored yet")]
    BeingRenewed(Feed),
    /// No credentials are stored for the organization.
    #[error("no credentials are stored for {0}; they belong in the secret ConnectApiSecret")]
    NoCredentials(Feed),
}

/// Keeps a valid access token stored for each organization.
#[derive(Debug)]
pub struct TokenKeeper<S, A> {
    store: S,
    provider_api: A,
    feeds: Vec<Feed>,
}

/// How the tokens stand after a run.
#[derive(Debug, Default)]
pub struct TokenStanding {
    /// How long each still is valid, by feed; zero for one that is not.
    pub left: BTreeMap<Feed, Duration>,
    /// What kept one from being renewed that was due.
    pub failures: Vec<NoToken>,
}

impl<S: AccessTokens, A: RequestToken> TokenKeeper<S, A> {
    /// A keeper of the tokens of those of `feeds` for which credentials are stored.
    pub fn new(store: S, provider_api: A, feeds: Vec<Feed>) -> Self {
        Self { store, provider_api, feeds }
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

    /// Renews each token that is due at `now`.
    pub async fn renew_due(&self, now: Timestamp) -> Result<TokenStanding, PortError> {
        let mut stored = self.store.load().await?;
        let mut standing = TokenStanding::default();
        let needs_one =
            |stored: &BTreeMap<Feed, StoredToken>, feed: &Feed| stored.get(feed).is_none_or(|token| is_due(token, now));
        let mut feeds = self.feeds.clone();
        if feeds.iter().any(|feed| needs_one(&stored, feed)) {
            feeds = self.feeds().await?;
        }
        for feed in &feeds {
            if needs_one(&stored, feed) {
                match self.renew_by_lease(feed, now, |stored| needs_one(stored, feed)).await {
                    Ok(renewed) => stored = renewed,
                    Err(error) => standing.failures.push(error),
                }
            }
        }
        let left = |feed: Feed| {
            let left = stored.get(&feed).map_or(Duration::ZERO, |token| token.expires_at.since(now));
            (feed, left)
        };
        standing.left = feeds.into_iter().map(left).collect();
        Ok(standing)
    }

    /// Renews the feed's token if nobody else does, and if it still `needs_one` by then; the tokens as they are stored after
    /// that. After a failure the lease stays, so that the provider is left alone for as long.
    async fn renew_by_lease(
        &self,
        feed: &Feed,
        now: Timestamp,
        needs_one: impl Fn(&BTreeMap<Feed, StoredToken>) -> bool,
    ) -> Result<BTreeMap<Feed, StoredToken>, NoToken> {
        let failed = |error| NoToken::Port(feed.clone(), error);
        let won = self.store.lease(feed, now, LEASE).await.map_err(failed)?;
        // Again: whoever held the lease before may have renewed it.
        let mut stored = self.store.load().await.map_err(failed)?;
        if won {
            if needs_one(&stored) {
                stored.insert(feed.clone(), self.renew(feed, now).await?);
            }
            self.release(feed, now).await;
        }
        Ok(stored)
    }

    /// A token that is valid at `now`: the stored one, or else a new one.
    pub async fn token(&self, feed: &Feed, now: Timestamp) -> Result<SecretString, NoToken> {
        self.valid_other_than(None, feed, now).await
    }

    /// A token other than `refused`, which the provider does not accept: one that was stored since, or else a new one.
    pub async fn other_than(
        &self,
        refused: &SecretString,
        feed: &Feed,
        now: Timestamp,
    ) -> Result<SecretString, NoToken> {
        self.valid_other_than(Some(refused), feed, now).await
    }

    async fn valid_other_than(
        &self,
        refused: Option<&SecretString>,
        feed: &Feed,
        now: Timestamp,
    ) -> Result<SecretString, NoToken> {
        let failed = |error| NoToken::Port(feed.clone(), error);
        let valid = |stored: &BTreeMap<Feed, StoredToken>| {
            let is_refused = |token: &StoredToken| {
                refused.is_some_and(|refused| refused.expose_secret() == token.access_token.expose_secret())
            };
            let token = stored.get(feed).filter(|token| token.expires_at > now && !is_refused(token));
            token.map(|token| token.access_token.clone())
        };
        if let Some(token) = valid(&self.store.load().await.map_err(failed)?) {
            return Ok(token);
        }
        if !self.provider_api.feeds().await.map_err(failed)?.contains(feed) {
            return Err(NoToken::NoCredentials(feed.clone()));
        }
        let stored = self.renew_by_lease(feed, now, |stored| valid(stored).is_none()).await?;
        valid(&stored).ok_or_else(|| NoToken::BeingRenewed(feed.clone()))
    }

    /// Gives back the lease that was taken at `now`. Where that fails it ends by itself, and the tokens are as they are.
    async fn release(&self, feed: &Feed, now: Timestamp) {
        if let Err(error) = self.store.release(feed, now, LEASE).await {
            warn!(%feed, error = chain(&error), "the lease on renewing the access token could not be given back");
        }
    }

    /// Has a token granted and stores it.
    async fn renew(&self, feed: &Feed, now: Timestamp) -> Result<StoredToken, NoToken> {
        let failed = |error| NoToken::Port(feed.clone(), error);
        let granted = self.provider_api.request(feed).await.map_err(failed)?;
        let expires_at = now.plus(granted.expires_in);
        let token = StoredToken { access_token: granted.access_token, issued_at: now, expires_at };
        self.store.store(feed, &token).await.map_err(failed)?;
        info!(%feed, expires_at = %token.expires_at, "access token renewed");
        Ok(token)
    }
}

/// Whether 80% of the token's time has passed, or its times cannot be right.
fn is_due(token: &StoredToken, now: Timestamp) -> bool {
    let lifetime = token.expires_at.since(token.issued_at);
    let is_from_the_future = token.issued_at.since(now) > CLOCKS_DIFFER_MAX;
    is_from_the_future || now.since(token.issued_at) >= lifetime * 4 / 5
}
