//! Access tokens: the table that stores them, and the provider that grants them.
//!
//! They are one fake, so that a test can ask whether the provider accepts what is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use super::key_sets::is_in_force;
use super::latency::yield_turns;
use super::{Clock, Fail, Fake};
use crate::{AccessTokens, BACK_OFF_MAX, Disposition, GrantedToken, PortError, RequestToken, StoredToken};

/// The table of access tokens, and the provider that grants them.
#[derive(Clone, Debug)]
pub struct TokenService {
    /// The provider's clock, which is right.
    pub clock: Clock,
    /// How long a token that is granted is valid.
    pub expires_in: Duration,
    /// The feeds that have credentials.
    pub known: BTreeSet<Feed>,
    /// The feeds whose requests the provider does not answer.
    pub unanswered: BTreeSet<Feed>,
    /// Its `Retry-After` in that case.
    pub retry_after: Option<Duration>,
    /// How long a feed's request takes: its clock advances by that time.
    pub takes: BTreeMap<Feed, Duration>,
    /// What every token begins with.
    pub token_prefix: &'static str,
    /// Which loads fail.
    pub on_load: Fail,
    /// Which stores fail.
    pub on_store: Fail,
    /// Which leases fail.
    pub on_lease: Fail,
    /// Which releases of a lease fail.
    pub on_release: Fail,
    /// Which notes of a back-off fail.
    pub on_back_off: Fail,
    /// Which reads of the credentials fail.
    pub on_feeds: Fail,
    /// The tokens that are stored.
    pub stored: BTreeMap<Feed, StoredToken>,
    /// When each feed's lease ends.
    pub leased_until: BTreeMap<Feed, Timestamp>,
    /// Until when the provider asked not to be asked for a feed's token.
    pub not_before: BTreeMap<Feed, Timestamp>,
    /// How often the tokens were loaded; failed calls count, here and below.
    pub loads: usize,
    /// How often a lease was asked for.
    pub leases: usize,
    /// How often tokens were stored.
    pub stores: usize,
    /// How often the credentials were read.
    pub credentials_read: usize,
    /// The feed of each request to the provider.
    pub requests: Vec<Feed>,
    /// Gives other tasks a random number of turns, up to three, before and after each call.
    pub shuffle: Option<fastrand::Rng>,
    granted: Vec<Grant>,
    revoked: BTreeSet<String>,
}

/// A token that the provider granted.
#[derive(Clone, Debug)]
struct Grant {
    feed: Feed,
    token: String,
    expires_at: Timestamp,
}

impl TokenService {
    /// Nothing is stored, every one of `feeds` has credentials, and the provider answers all of them.
    pub fn new(clock: Clock, expires_in: Duration, feeds: impl IntoIterator<Item = Feed>) -> Self {
        Self {
            clock,
            expires_in,
            known: feeds.into_iter().collect(),
            unanswered: BTreeSet::new(),
            retry_after: None,
            takes: BTreeMap::new(),
            token_prefix: "token",
            on_load: Fail::Never,
            on_store: Fail::Never,
            on_lease: Fail::Never,
            on_release: Fail::Never,
            on_back_off: Fail::Never,
            on_feeds: Fail::Never,
            stored: BTreeMap::new(),
            leased_until: BTreeMap::new(),
            not_before: BTreeMap::new(),
            loads: 0,
            leases: 0,
            stores: 0,
            credentials_read: 0,
            requests: Vec::new(),
            shuffle: None,
            granted: Vec::new(),
            revoked: BTreeSet::new(),
        }
    }

    /// Whether the provider accepts `token` for the feed now: it granted it, it has not expired, and it is not revoked.
    fn accepts(&self, feed: &Feed, token: &SecretString) -> bool {
        let token = token.expose_secret();
        let granted = self.granted.iter().find(|grant| grant.feed == *feed && grant.token == token);
        granted.is_some_and(|grant| self.clock.now() < grant.expires_at) && !self.revoked.contains(token)
    }

    fn grant(&mut self, feed: &Feed) -> GrantedToken {
        let token = format!("{}.{feed}.{}", self.token_prefix, self.granted.len());
        let expires_at = self.clock.now().plus(self.expires_in);
        self.granted.push(Grant { feed: feed.clone(), token: token.clone(), expires_at });
        GrantedToken { access_token: token.into(), expires_in: self.expires_in }
    }
}

impl Fake<TokenService> {
    /// The provider's clock, for code that must use it.
    pub fn clock(&self) -> impl Fn() -> Timestamp + use<> {
        let clock = self.now().clock.clone();
        move || clock.now()
    }

    /// Grants the feed a token and stores it, as a client does whose clock shows `issued_at`.
    pub fn store_granted(&self, feed: &Feed, issued_at: Timestamp) -> SecretString {
        let mut service = self.now();
        let GrantedToken { access_token, expires_in } = service.grant(feed);
        let expires_at = issued_at.plus(expires_in);
        service.stored.insert(feed.clone(), StoredToken { access_token: access_token.clone(), issued_at, expires_at });
        access_token
    }

    /// Whether the provider accepts `token` for the feed now.
    pub fn accepts(&self, feed: &Feed, token: &SecretString) -> bool {
        self.now().accepts(feed, token)
    }

    /// Whether a token is stored for the feed that the provider accepts now.
    pub fn accepts_stored(&self, feed: &Feed) -> bool {
        let service = self.now();
        service.stored.get(feed).is_some_and(|stored| service.accepts(feed, &stored.access_token))
    }

    /// From now on the provider does not accept the feed's stored token. Returns that token.
    ///
    /// # Panics
    ///
    /// If none is stored.
    pub fn revoke_stored(&self, feed: &Feed) -> SecretString {
        let mut service = self.now();
        let token = service.stored.get(feed).expect("a stored token").access_token.clone();
        service.revoked.insert(token.expose_secret().to_owned());
        token
    }

    /// How many requests the provider received, answered or not.
    pub fn requests(&self) -> usize {
        self.now().requests.len()
    }

    async fn shuffle(&self) {
        let turns = self.now().shuffle.as_mut().map_or(0, |rng| rng.usize(0..4));
        yield_turns(turns).await;
    }

    /// `call` with the turns of others before and after it.
    async fn shuffled<T>(&self, call: impl FnOnce(&mut TokenService) -> T) -> T {
        self.shuffle().await;
        let answer = call(&mut self.now());
        self.shuffle().await;
        answer
    }
}

impl AccessTokens for Fake<TokenService> {
    async fn load(&self) -> Result<BTreeMap<Feed, StoredToken>, PortError> {
        self.shuffled(|service| {
            service.loads += 1;
            service.on_load.outcome("load the access tokens")?;
            Ok(service.stored.clone())
        })
        .await
    }

    async fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> Result<(), PortError> {
        self.shuffled(|service| {
            service.stores += 1;
            service.on_store.outcome("store the access tokens")?;
            service.stored.extend(tokens.clone());
            Ok(())
        })
        .await
    }

    /// The lease is refused while another one or a back-off is in force. Either is ignored if it ends implausibly far
    /// in the future.
    async fn lease(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<bool, PortError> {
        self.shuffled(|service| {
            service.leases += 1;
            service.on_lease.outcome("take the lease")?;
            let is_leased = is_in_force(service.leased_until.get(feed).copied(), now, duration);
            let is_backing_off = is_in_force(service.not_before.get(feed).copied(), now, BACK_OFF_MAX);
            if is_leased || is_backing_off {
                return Ok(false);
            }
            service.leased_until.insert(feed.clone(), now.plus(duration));
            Ok(true)
        })
        .await
    }

    /// Only the lease that was taken at `now` for `duration` is given back; a later one stays.
    async fn release(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<(), PortError> {
        self.shuffled(|service| {
            service.on_release.outcome("release the lease")?;
            if service.leased_until.get(feed) == Some(&now.plus(duration)) {
                service.leased_until.remove(feed);
            }
            Ok(())
        })
        .await
    }

    async fn back_off_until(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        let mut service = self.now();
        service.on_back_off.outcome("note until when to back off")?;
        service.not_before.insert(feed.clone(), until);
        Ok(())
    }
}

impl RequestToken for Fake<TokenService> {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.shuffle().await;
        let mut service = self.now();
        service.credentials_read += 1;
        service.on_feeds.outcome("read the credentials")?;
        Ok(service.known.iter().cloned().collect())
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        let granted = self
            .shuffled(|service| {
                service.requests.push(feed.clone());
                let takes = service.takes.get(feed).copied().unwrap_or_default();
                service.clock.pass(takes);
                let is_answered = !service.unanswered.contains(feed) && service.known.contains(feed);
                is_answered.then(|| service.grant(feed))
            })
            .await;
        let unanswered = || PortError::new("request an access token", Disposition::Retry, "status 503");
        granted.ok_or_else(|| unanswered().with_retry_after(self.now().retry_after))
    }
}
