//! Keeping access tokens valid.
//!
//! A token is renewed when 80% of its time has passed or the next run would come too late, or after the provider has refused it.
//! Whoever renews an organization's token takes its lease first, which saves requests. What makes it right is that the store is
//! read again under the lease, that tokens that were granted are stored before anything else is done, and that one that was lost
//! in between, by a crash or to another renewal at the same instant, is simply asked for again. One that could not be stored is
//! kept in memory: who needs it uses it, and the next run stores it.
//!
//! A run has all tokens that are due granted side by side, and stores them at once. So no organization waits for another one's
//! answer, and since they are due together the next time, the store is written once for all of them: Secrets Manager refuses
//! new versions of a secret that has too many of the last day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{AccessTokens, CLOCKS_DIFFER_MAX, LEFT_ALONE_MAX, PortError, RequestToken, StoredToken, chain};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use tracing::{error, info, warn};

use crate::RUNS_APART;

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
    /// They were granted, and could not be stored.
    #[error("the access tokens of {} were granted and could not be stored", names(.0))]
    NotStored(Vec<Feed>, #[source] PortError),
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

/// What came of an attempt to have a token granted.
struct Attempt {
    /// The tokens as they are stored.
    stored: Stored,
    /// What was granted and is to be stored.
    grant: Option<Grant>,
    /// When the lease was taken, if it was.
    leased_at: Option<Timestamp>,
}

/// A token that is to be stored.
struct Grant {
    token: StoredToken,
    /// Whether it was granted just now, and not kept from an earlier attempt to store it.
    is_new: bool,
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

    /// Renews all tokens that are due, and with them those that soon would be; what kept one from being renewed.
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
        let is_any_due = self.feeds.iter().any(|feed| stored.get(feed).is_none_or(|token| is_due(token, clock(), DUE)));
        let known = if is_any_due { self.feeds().await } else { Ok(self.feeds.clone()) };
        for feed in known.as_ref().unwrap_or(&self.feeds) {
            // Where it is not known who has credentials, those without a token may be without these.
            if known.is_ok() || stored.contains_key(feed) {
                tell(feed, left(stored.get(feed)));
            }
        }
        let feeds = known?;
        let needs_one = |share: Share| {
            let clock = &clock;
            move |stored: &Stored, feed: &Feed| stored.get(feed).is_none_or(|token| is_due(token, clock(), share))
        };
        if !feeds.iter().any(|feed| needs_one(DUE)(&stored, feed)) {
            return Ok(Vec::new());
        }
        let needs_one = needs_one(DUE_ALONG);
        let (mut failures, mut grants, mut leases) = (Vec::new(), Stored::new(), Vec::new());
        let attempts = feeds.iter().filter(|feed| needs_one(&stored, feed)).map(async |feed| {
            let attempt = self.grant_by_lease(feed, &clock, |stored| needs_one(stored, feed)).await;
            (feed, attempt)
        });
        for (feed, attempt) in join_all(attempts).await {
            match attempt {
                Ok(Attempt { stored: found, grant, leased_at }) => {
                    leases.extend(leased_at.map(|leased_at| (feed, leased_at)));
                    // What somebody else has renewed meanwhile.
                    let token = grant.as_ref().map(|grant| &grant.token).or_else(|| found.get(feed));
                    stored.extend(token.map(|token| (feed.clone(), token.clone())));
                    grants.extend(grant.map(|grant| (feed.clone(), grant.token)));
                }
                Err(error) => failures.push(NoToken::Port(feed.clone(), error)),
            }
        }
        let unstored = self.store(&grants).await.err();
        for (feed, leased_at) in leases {
            // Whose token could not be stored is left alone until the lease ends.
            if unstored.is_none() || !grants.contains_key(feed) {
                self.release(feed, leased_at).await;
                tell(feed, left(stored.get(feed)));
            }
        }
        failures.extend(unstored.map(|error| NoToken::NotStored(grants.into_keys().collect(), error)));
        Ok(failures)
    }

    /// Has a token granted for the feed if nobody else does, and if it still `needs_one` by then. After a failure the lease
    /// stays, so that the provider is left alone for as long.
    async fn grant_by_lease(
        &self,
        feed: &Feed,
        clock: impl Fn() -> Timestamp,
        needs_one: impl Fn(&Stored) -> bool,
    ) -> Result<Attempt, PortError> {
        let now = clock();
        let leased_at = self.store.lease(feed, now, LEASE).await?.then_some(now);
        // Again: whoever held the lease before may have renewed it.
        let stored = self.store.load().await?;
        let mut attempt = Attempt { stored, grant: None, leased_at };
        if leased_at.is_some() && needs_one(&attempt.stored) {
            let kept = self.unstored().remove(feed);
            let is_fit = |kept: &StoredToken| !needs_one(&BTreeMap::from([(feed.clone(), kept.clone())]));
            attempt.grant = Some(match kept.filter(is_fit) {
                Some(token) => Grant { token, is_new: false },
                None => {
                    let token = self.request(feed, &clock, attempt.stored.get(feed)).await?;
                    Grant { token, is_new: true }
                }
            });
        }
        Ok(attempt)
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
        let attempt = self.grant_by_lease(feed, &clock, |stored| valid(stored).is_none()).await.map_err(failed)?;
        let Attempt { mut stored, grant, leased_at } = attempt;
        let is_new = grant.as_ref().is_some_and(|grant| grant.is_new);
        let grants: Stored = grant.map(|grant| (feed.clone(), grant.token)).into_iter().collect();
        match (self.store(&grants).await, leased_at) {
            (Err(error), _) => {
                let error = chain(&error);
                error!(%feed, error, "an access token was granted and could not be stored: it is used all the same");
            }
            (Ok(()), Some(leased_at)) => self.release(feed, leased_at).await,
            (Ok(()), None) => {}
        }
        stored.extend(grants);
        let access_token = valid(&stored).ok_or_else(|| NoToken::BeingRenewed(feed.clone()))?;
        Ok(ValidToken { access_token, is_new })
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

    /// Stores the tokens that were granted, or keeps them for the next attempt.
    async fn store(&self, granted: &Stored) -> Result<(), PortError> {
        if granted.is_empty() {
            return Ok(());
        }
        let stored = self.store.store(granted).await;
        match &stored {
            Ok(()) => {
                for (feed, token) in granted {
                    info!(%feed, expires_at = %token.expires_at, "access token renewed");
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

fn names(feeds: &[Feed]) -> String {
    feeds.iter().map(Feed::to_string).collect::<Vec<_>>().join(", ")
}

/// Part of a token's time.
type Share = (u32, u32);

/// When a token is due.
const DUE: Share = (4, 5);

/// When it is renewed along with another one that is due: those that fell out of step, by a failure, come together again.
const DUE_ALONG: Share = (3, 4);

/// Whether that share of the token's time has passed, or it would end before the next run has renewed it, or its times cannot
/// be right.
fn is_due(token: &StoredToken, now: Timestamp, (part, of): Share) -> bool {
    let lifetime = token.expires_at.since(token.issued_at);
    let is_from_the_future = token.issued_at.since(now) > CLOCKS_DIFFER_MAX;
    let is_late = token.expires_at.since(now) <= RUNS_APART + RENEWAL_MAX;
    is_from_the_future || is_late || now.since(token.issued_at) >= lifetime * part / of
}
