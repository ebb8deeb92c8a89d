//! The access tokens of two organizations.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_credentials::{TokenError, TokenKeeper};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::fakes::{Clock, Fail, Fake, TokenService};
use fundhook_ports::{AccessTokens, PortError, RequestToken};

use super::{START, at, feed};

/// A part of every token, which must never be shown.
pub(crate) const SECRET_PART: &str = "eyJhbGciOi";

/// The organizations.
pub(crate) const FEEDS: [&str; 2] = ["connect", "connect/acme"];

pub(crate) fn feeds() -> Vec<Feed> {
    FEEDS.map(feed).to_vec()
}

pub(crate) type Tokens = Fake<TokenService>;

/// A keeper of the tokens of [`FEEDS`].
pub(crate) type Keeper = TokenKeeper<Tokens, Tokens>;

/// The outcome of a run.
#[derive(Debug)]
pub(crate) struct CurrentStatus {
    /// How long each token is still valid, as it was last reported.
    pub(crate) left: BTreeMap<Feed, Duration>,
    /// The failures of tokens that were due and were not renewed.
    pub(crate) failures: Vec<TokenError>,
}

/// A run with a clock.
pub(crate) async fn renewed<S: AccessTokens, A: RequestToken>(
    keeper: &TokenKeeper<S, A>,
    clock: impl Fn() -> Timestamp,
) -> Result<CurrentStatus, PortError> {
    let mut left = BTreeMap::new();
    let tell = |each: &BTreeMap<Feed, Duration>| left.clone_from(each);
    let failures = keeper.renew_due(clock, tell).await?;
    Ok(CurrentStatus { left, failures })
}

/// A run at `now`.
pub(crate) async fn renewed_at<S: AccessTokens, A: RequestToken>(
    keeper: &TokenKeeper<S, A>,
    now: Timestamp,
) -> Result<CurrentStatus, PortError> {
    renewed(keeper, || now).await
}

/// What the tests ask of the tokens of [`FEEDS`].
pub(crate) trait TokensOfFeeds {
    /// Nothing is stored, and all organizations have credentials; each token that is granted is valid for so long.
    fn valid_for(expires_in: Duration) -> Self;
    fn keeper(&self) -> Keeper;
    /// Decides which calls of this name fail.
    fn set(&self, call: &str, fail: Fail);
}

impl TokensOfFeeds for Tokens {
    fn valid_for(expires_in: Duration) -> Self {
        let mut service = TokenService::new(Clock::at(at(START)), expires_in, feeds());
        service.token_prefix = SECRET_PART;
        Self::new(service)
    }

    fn keeper(&self) -> Keeper {
        TokenKeeper::new(self.clone(), self.clone(), feeds())
    }

    fn set(&self, call: &str, fail: Fail) {
        let mut service = self.now();
        let fails = match call {
            "load" => &mut service.on_load,
            "store" => &mut service.on_store,
            "lease" => &mut service.on_lease,
            "feeds" => &mut service.on_feeds,
            other => unreachable!("a call of the tests: {other}"),
        };
        *fails = fail;
    }
}
