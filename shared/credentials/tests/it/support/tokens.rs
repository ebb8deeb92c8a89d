//! The store of access tokens, under the conditions of the adapter, and the provider that grants them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fundhook_credentials::{NoToken, TokenKeeper};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{
    AccessTokens, CLOCKS_DIFFER_MAX, Disposition, GrantedToken, LEFT_ALONE_MAX, PortError, RequestToken, StoredToken,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{START, at, feed};

/// What is in each token, and must never be in anything that is shown.
pub(crate) const SECRET_PART: &str = "eyJhbGciOi";

/// The organizations.
pub(crate) const FEEDS: [&str; 2] = ["connect", "connect/acme"];

pub(crate) fn feeds() -> Vec<Feed> {
    FEEDS.map(feed).to_vec()
}

/// Both the store and the provider; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Tokens(Arc<Mutex<World>>);

#[derive(Debug)]
pub(crate) struct World {
    /// The provider's clock, which is right.
    pub(crate) clock: Timestamp,
    /// How long a token is valid for.
    pub(crate) expires_in: Duration,
    /// The feeds with credentials.
    pub(crate) known: BTreeSet<Feed>,
    /// The feeds whose organizations the provider does not answer.
    pub(crate) unanswered: BTreeSet<Feed>,
    /// What its `Retry-After` says to these.
    pub(crate) retry_after: Option<Duration>,
    /// How long it takes to answer an organization: so far its clock moves.
    pub(crate) takes: BTreeMap<Feed, Duration>,
    /// What cannot be done at the moment: `load`, `store`, `lease`, `release`, `leave alone` or `feeds`.
    pub(crate) down: Option<&'static str>,
    pub(crate) stored: BTreeMap<Feed, StoredToken>,
    pub(crate) leased_until: BTreeMap<Feed, Timestamp>,
    pub(crate) not_before: BTreeMap<Feed, Timestamp>,
    /// Each token that was granted, with its end.
    granted: Vec<(Feed, String, Timestamp)>,
    revoked: BTreeSet<String>,
    /// How often each thing was asked for; of tokens, whether they were had or not.
    pub(crate) loads: usize,
    pub(crate) leases: usize,
    pub(crate) stores: usize,
    pub(crate) credentials_read: usize,
    pub(crate) requests: Vec<Feed>,
    /// Gives others a random number of turns before and after each call.
    pub(crate) shuffle: Option<fastrand::Rng>,
}

/// A keeper of the tokens of [`FEEDS`].
pub(crate) type Keeper = TokenKeeper<Tokens, Tokens>;

/// How the tokens stand after a run.
#[derive(Debug)]
pub(crate) struct Standing {
    /// How long each still is valid, as it was told last.
    pub(crate) left: BTreeMap<Feed, Duration>,
    /// What kept one from being renewed that was due.
    pub(crate) failures: Vec<NoToken>,
}

/// A run by a clock.
pub(crate) async fn renewed<S: AccessTokens, A: RequestToken>(
    keeper: &TokenKeeper<S, A>,
    clock: impl Fn() -> Timestamp,
) -> Result<Standing, PortError> {
    let mut left = BTreeMap::new();
    let tell = |feed: &Feed, each| {
        left.insert(feed.clone(), each);
    };
    let failures = keeper.renew_due(clock, tell).await?;
    Ok(Standing { left, failures })
}

/// A run by a clock that stands at `now`.
pub(crate) async fn renewed_at<S: AccessTokens, A: RequestToken>(
    keeper: &TokenKeeper<S, A>,
    now: Timestamp,
) -> Result<Standing, PortError> {
    renewed(keeper, || now).await
}

impl Tokens {
    /// Nothing is stored, and all organizations have credentials.
    pub(crate) fn valid_for(expires_in: Duration) -> Self {
        Self(Arc::new(Mutex::new(World {
            clock: at(START),
            expires_in,
            known: feeds().into_iter().collect(),
            unanswered: BTreeSet::new(),
            retry_after: None,
            takes: BTreeMap::new(),
            down: None,
            stored: BTreeMap::new(),
            leased_until: BTreeMap::new(),
            not_before: BTreeMap::new(),
            granted: Vec::new(),
            revoked: BTreeSet::new(),
            loads: 0,
            leases: 0,
            stores: 0,
            credentials_read: 0,
            requests: Vec::new(),
            shuffle: None,
        })))
    }

    pub(crate) fn now(&self) -> MutexGuard<'_, World> {
        self.0.try_lock().expect("one look at a time")
    }

    /// The provider's clock, for who is to go by it.
    pub(crate) fn clock(&self) -> impl Fn() -> Timestamp + use<> {
        let world = self.clone();
        move || world.now().clock
    }

    pub(crate) fn keeper(&self) -> Keeper {
        TokenKeeper::new(self.clone(), self.clone(), feeds())
    }

    /// The feed's token is stored as granted by a clock that shows `issued_at`; the provider accepts it from now on.
    pub(crate) fn store_granted(&self, feed: &Feed, issued_at: Timestamp) -> SecretString {
        let mut world = self.now();
        let expires_in = world.expires_in;
        let GrantedToken { access_token, expires_in } = world.grant(feed, expires_in);
        let token =
            StoredToken { access_token: access_token.clone(), issued_at, expires_at: issued_at.plus(expires_in) };
        world.stored.insert(feed.clone(), token);
        access_token
    }

    /// Whether the provider accepts what is stored for the feed.
    pub(crate) fn accepts_stored(&self, feed: &Feed) -> bool {
        let world = self.now();
        world.stored.get(feed).is_some_and(|stored| world.accepts(feed, &stored.access_token))
    }

    pub(crate) fn accepts(&self, feed: &Feed, token: &SecretString) -> bool {
        self.now().accepts(feed, token)
    }

    /// The provider does not accept what is stored for the feed any more: this token.
    pub(crate) fn revoke_stored(&self, feed: &Feed) -> SecretString {
        let mut world = self.now();
        let token = world.stored.get(feed).expect("one is stored").access_token.clone();
        world.revoked.insert(token.expose_secret().to_owned());
        token
    }

    pub(crate) fn requests(&self) -> usize {
        self.now().requests.len()
    }

    async fn turns(&self) {
        let turns = self.now().shuffle.as_mut().map_or(0, |rng| rng.usize(0..4));
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    fn answer<T>(&self, asked: &'static str, effect: impl FnOnce(&mut World) -> T) -> Result<T, PortError> {
        let mut world = self.now();
        if world.down == Some(asked) {
            return Err(PortError::new(asked, Disposition::Retry, "it is down"));
        }
        Ok(effect(&mut world))
    }
}

impl World {
    fn accepts(&self, feed: &Feed, token: &SecretString) -> bool {
        let is_it = |(of, text, _): &&(Feed, String, Timestamp)| of == feed && text == token.expose_secret();
        let until = self.granted.iter().find(is_it).map(|(_, _, until)| *until);
        until.is_some_and(|until| self.clock < until) && !self.revoked.contains(token.expose_secret())
    }

    fn grant(&mut self, feed: &Feed, expires_in: Duration) -> GrantedToken {
        let text = format!("{SECRET_PART}.{feed}.{}", self.granted.len());
        self.granted.push((feed.clone(), text.clone(), self.clock.plus(expires_in)));
        GrantedToken { access_token: text.into(), expires_in }
    }
}

impl AccessTokens for Tokens {
    async fn load(&self) -> Result<BTreeMap<Feed, StoredToken>, PortError> {
        self.turns().await;
        self.now().loads += 1;
        let loaded = self.answer("load", |world| world.stored.clone());
        self.turns().await;
        loaded
    }

    async fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> Result<(), PortError> {
        self.turns().await;
        self.now().stores += 1;
        let stored = self.answer("store", |world| world.stored.extend(tokens.clone()));
        self.turns().await;
        stored
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<bool, PortError> {
        self.turns().await;
        self.now().leases += 1;
        let until = now.plus(duration);
        let won = self.answer("lease", |world| {
            let holds = |noted: Option<&Timestamp>, at_most| noted.is_some_and(|it| *it > now && *it <= at_most);
            let is_taken = holds(world.leased_until.get(feed), until.plus(CLOCKS_DIFFER_MAX));
            let far = now.plus(LEFT_ALONE_MAX).plus(CLOCKS_DIFFER_MAX);
            let is_free = !is_taken && !holds(world.not_before.get(feed), far);
            if is_free {
                world.leased_until.insert(feed.clone(), until);
            }
            is_free
        });
        self.turns().await;
        won
    }

    async fn release(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<(), PortError> {
        self.turns().await;
        let released = self.answer("release", |world| {
            if world.leased_until.get(feed) == Some(&now.plus(duration)) {
                world.leased_until.remove(feed);
            }
        });
        self.turns().await;
        released
    }

    async fn leave_alone(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.answer("leave alone", |world| {
            world.not_before.insert(feed.clone(), until);
        })
    }
}

impl RequestToken for Tokens {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.turns().await;
        self.now().credentials_read += 1;
        self.answer("feeds", |world| world.known.iter().cloned().collect())
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        self.turns().await;
        self.now().requests.push(feed.clone());
        let granted = {
            let mut world = self.now();
            let takes = world.takes.get(feed).copied().unwrap_or_default();
            world.clock = world.clock.plus(takes);
            let is_answered = !world.unanswered.contains(feed) && world.known.contains(feed);
            let expires_in = world.expires_in;
            is_answered.then(|| world.grant(feed, expires_in))
        };
        self.turns().await;
        let why = || PortError::new("have an access token granted", Disposition::Retry, "status 503");
        granted.ok_or_else(|| why().to_be_retried_after(self.now().retry_after))
    }
}
