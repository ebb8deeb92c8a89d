//! Keeps access tokens valid.
//!
//! A token is renewed when 80% of its lifetime has passed, when the next run would come too late, or after the provider has
//! rejected it. A renewal first takes the organization's lease, which saves requests. Correctness does not depend on the
//! lease: the store is read again under it, granted tokens are stored before anything else happens, and a token
//! that was lost, in a crash or to a concurrent renewal, is requested again. A token that could not be stored is kept in
//! memory: it is used, and the next run stores it.
//!
//! A run requests all due tokens concurrently and stores them together. So no organization waits for the response to another
//! one. The tokens are also due together the next time, so the secret is written once for all of them: Secrets Manager rejects
//! new versions of a secret that had too many in the last day.

mod due;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{AccessTokens, BACK_OFF_MAX, PortError, RequestToken, StoredToken, chain};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use tracing::{error, info, warn};

use crate::TokenError;
use due::{DUE, DUE_TOGETHER, Share, is_due};

/// The duration of a lease. It is released after a successful renewal. After a failure it is kept, so that the provider is not
/// asked again before the next scheduled run, a minute later.
const LEASE: Duration = Duration::from_secs(55);

/// A token to call the provider's API with.
#[derive(Clone, Debug)]
pub struct ValidToken {
    /// Sent as `authorization: Bearer …`.
    pub access_token: SecretString,
    /// Whether it was granted just now. If so, requesting another one does not help.
    pub is_new: bool,
}

/// Keeps a valid access token stored for each organization.
#[derive(Debug)]
pub struct TokenKeeper<S, A> {
    store: S,
    provider_api: A,
    feeds: Vec<Feed>,
    /// Granted tokens that could not be stored.
    unstored: Mutex<Stored>,
}

type Stored = BTreeMap<Feed, StoredToken>;

/// The result of an attempt to renew a token.
struct Attempt {
    /// The stored tokens, as read under the lease.
    stored: Stored,
    /// The new token, which is to be stored.
    grant: Option<Grant>,
    /// When this attempt took the lease, if it did.
    leased_at: Option<Timestamp>,
}

/// A token to store.
struct Grant {
    token: StoredToken,
    /// Whether it was granted just now, rather than kept from an earlier attempt to store it.
    is_new: bool,
}

impl<S: AccessTokens, A: RequestToken> TokenKeeper<S, A> {
    /// Keeps the tokens of those of `feeds` that have stored credentials.
    pub fn new(store: S, provider_api: A, feeds: Vec<Feed>) -> Self {
        Self { store, provider_api, feeds, unstored: Mutex::default() }
    }

    pub fn provider_api(&self) -> &A {
        &self.provider_api
    }

    /// The feeds with stored credentials.
    pub async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        let known: BTreeSet<Feed> = self.provider_api.feeds().await?.into_iter().collect();
        let (with, without): (Vec<Feed>, Vec<Feed>) = self.feeds.iter().cloned().partition(|feed| known.contains(feed));
        for feed in without {
            warn!(%feed, "no credentials for {feed}; its API is not used until they are in the secret ConnectApiSecret");
        }
        Ok(with)
    }

    /// Renews all tokens that are due, together with those that are due soon. Returns the failures.
    ///
    /// `report` is called with the time for which each feed's token is still valid, zero for an invalid one. It is called
    /// before any token is renewed, so that a run that is cut short has reported, and again after a renewal.
    pub async fn renew_due(
        &self,
        clock: impl Fn() -> Timestamp,
        mut report: impl FnMut(&BTreeMap<Feed, Duration>),
    ) -> Result<Vec<TokenError>, PortError> {
        let mut stored = self.store.load().await?;
        let valid_for =
            |token: Option<&StoredToken>| token.map(|token| token.expires_at.since(clock())).unwrap_or_default();
        let is_any_due = self.feeds.iter().any(|feed| stored.get(feed).is_none_or(|token| is_due(token, clock(), DUE)));
        let known = if is_any_due { self.feeds().await } else { Ok(self.feeds.clone()) };
        // If the credentials cannot be read, a feed without a token may have none, so it is not reported.
        let reported = known.as_ref().unwrap_or(&self.feeds).iter();
        let reported = reported.filter(|feed| known.is_ok() || stored.contains_key(*feed));
        let mut valid: BTreeMap<Feed, Duration> =
            reported.map(|feed| (feed.clone(), valid_for(stored.get(feed)))).collect();
        report(&valid);
        let feeds = known?;
        let needs_token = |share: Share| {
            let clock = &clock;
            move |stored: &Stored, feed: &Feed| stored.get(feed).is_none_or(|token| is_due(token, clock(), share))
        };
        if !feeds.iter().any(|feed| needs_token(DUE)(&stored, feed)) {
            return Ok(Vec::new());
        }
        let needs_token = needs_token(DUE_TOGETHER);
        let (mut failures, mut grants, mut leases) = (Vec::new(), Stored::new(), Vec::new());
        let attempts = feeds.iter().filter(|feed| needs_token(&stored, feed)).map(async |feed| {
            let attempt = self.grant_by_lease(feed, &clock, |stored| needs_token(stored, feed)).await;
            (feed, attempt)
        });
        for (feed, attempt) in join_all(attempts).await {
            match attempt {
                Ok(Attempt { stored: found, grant, leased_at }) => {
                    leases.extend(leased_at.map(|leased_at| (feed, leased_at)));
                    // Without a grant, another run may have renewed the token meanwhile.
                    let token = grant.as_ref().map(|grant| &grant.token).or_else(|| found.get(feed));
                    stored.extend(token.map(|token| (feed.clone(), token.clone())));
                    grants.extend(grant.map(|grant| (feed.clone(), grant.token)));
                }
                Err(error) => failures.push(TokenError::Port(feed.clone(), error)),
            }
        }
        let unstored = self.store(&grants).await.err();
        let mut is_any_renewed = false;
        for (feed, leased_at) in leases {
            // A feed whose token could not be stored keeps its lease, so that it is not requested again before the lease ends.
            if unstored.is_none() || !grants.contains_key(feed) {
                self.release(feed, leased_at).await;
                valid.insert(feed.clone(), valid_for(stored.get(feed)));
                is_any_renewed = true;
            }
        }
        if is_any_renewed {
            report(&valid);
        }
        failures.extend(unstored.map(|error| TokenError::NotStored(grants.into_keys().collect(), error)));
        Ok(failures)
    }

    /// Requests a token for the feed if this attempt gets the lease and `needs_token` still holds under it. After a failure
    /// the lease is kept, so that the provider is not asked again before it ends.
    async fn grant_by_lease(
        &self,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
        needs_token: impl Fn(&Stored) -> bool,
    ) -> Result<Attempt, PortError> {
        let now = clock();
        let leased_at = self.store.lease(feed, now, LEASE).await?.then_some(now);
        // Read again: the previous holder of the lease may have renewed the token.
        let stored = self.store.load().await?;
        let mut attempt = Attempt { stored, grant: None, leased_at };
        if leased_at.is_some() && needs_token(&attempt.stored) {
            let kept = self.unstored().remove(feed);
            let is_enough = |kept: &StoredToken| !needs_token(&BTreeMap::from([(feed.clone(), kept.clone())]));
            attempt.grant = Some(match kept.filter(is_enough) {
                Some(token) => Grant { token, is_new: false },
                None => {
                    let token = self.request(feed, &clock, attempt.stored.get(feed)).await?;
                    Grant { token, is_new: true }
                }
            });
        }
        Ok(attempt)
    }

    /// A valid token: the stored one, or else a new one.
    pub async fn token(&self, feed: &Feed, clock: impl Fn() -> Timestamp) -> Result<ValidToken, TokenError> {
        self.valid_other_than(None, feed, clock).await
    }

    /// A token other than `rejected`, which the provider does not accept: one that was stored since, or else a new one.
    pub async fn other_than(
        &self,
        rejected: &SecretString,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ValidToken, TokenError> {
        self.valid_other_than(Some(rejected), feed, clock).await
    }

    async fn valid_other_than(
        &self,
        rejected: Option<&SecretString>,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ValidToken, TokenError> {
        let failed = |error| TokenError::Port(feed.clone(), error);
        let valid = |stored: &Stored| {
            let is_rejected = |token: &StoredToken| {
                rejected.is_some_and(|rejected| rejected.expose_secret() == token.access_token.expose_secret())
            };
            let token = stored.get(feed).filter(|token| token.expires_at > clock() && !is_rejected(token));
            token.map(|token| token.access_token.clone())
        };
        if let Some(access_token) = valid(&self.store.load().await.map_err(failed)?) {
            return Ok(ValidToken { access_token, is_new: false });
        }
        if !self.provider_api.feeds().await.map_err(failed)?.contains(feed) {
            return Err(TokenError::NoCredentials(feed.clone()));
        }
        let attempt = self.grant_by_lease(feed, &clock, |stored| valid(stored).is_none()).await.map_err(failed)?;
        let Attempt { mut stored, grant, leased_at } = attempt;
        let is_new = grant.as_ref().is_some_and(|grant| grant.is_new);
        let grants: Stored = grant.map(|grant| (feed.clone(), grant.token)).into_iter().collect();
        match (self.store(&grants).await, leased_at) {
            (Err(error), _) => {
                let error = chain(&error);
                error!(%feed, error, "could not store the new access token of {feed}; using it from memory");
            }
            (Ok(()), Some(leased_at)) => self.release(feed, leased_at).await,
            (Ok(()), None) => {}
        }
        stored.extend(grants);
        let access_token = valid(&stored).ok_or_else(|| TokenError::BeingRenewed(feed.clone()))?;
        Ok(ValidToken { access_token, is_new })
    }

    /// Releases the lease. If that fails, the lease ends by itself; the tokens are not affected.
    async fn release(&self, feed: &Feed, leased_at: Timestamp) {
        if let Err(error) = self.store.release(feed, leased_at, LEASE).await {
            warn!(%feed, error = chain(&error), "could not release the lease on the access token of {feed}; it ends by itself");
        }
    }

    /// Requests a token. If the provider asks to back off, this is recorded, for at most as long as the `current` token is
    /// valid.
    async fn request(
        &self,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
        current: Option<&StoredToken>,
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
        let usable_for = current.map(|token| token.expires_at.since(now)).unwrap_or_default();
        let pause = asked.min(usable_for).min(BACK_OFF_MAX);
        if !pause.is_zero() {
            let until = now.plus(pause);
            warn!(%feed, %until, "{feed} asked to back off; not requesting an access token before {until}");
            if let Err(error) = self.store.back_off_until(feed, until).await {
                let error = chain(&error);
                warn!(%feed, error, "could not store the back-off time of {feed}; the next request may come too early");
            }
        }
        Err(error)
    }

    /// Stores granted tokens, or keeps them in memory for the next attempt.
    async fn store(&self, granted: &Stored) -> Result<(), PortError> {
        if granted.is_empty() {
            return Ok(());
        }
        let stored = self.store.store(granted).await;
        match &stored {
            Ok(()) => {
                for (feed, token) in granted {
                    let expires_at = token.expires_at;
                    info!(%feed, %expires_at, "renewed the access token of {feed}; it expires at {expires_at}");
                }
            }
            Err(_) => self.unstored().extend(granted.clone()),
        }
        stored
    }

    fn unstored(&self) -> MutexGuard<'_, Stored> {
        // No code panics while it holds the lock.
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
