//! The access tokens of two organizations.

use std::time::Duration;

use fundhook_credentials::TokenKeeper;
use fundhook_domain::Feed;
use fundhook_ports::fakes::{Clock, Fail, Fake, TokenService};

use super::{START, at, feed};

/// A part of every token, which must never be shown.
pub(crate) const SECRET_PART: &str = "eyJhbGciOi";

/// The organizations.
pub(crate) const FEEDS: [&str; 2] = ["connect", "connect/acme"];

pub(crate) fn feeds() -> Vec<Feed> {
    FEEDS.map(feed).to_vec()
}

pub(crate) type Tokens = Fake<TokenService>;

/// What the tests ask of the tokens of [`FEEDS`].
pub(crate) trait TokensOfFeeds {
    /// Nothing is stored, and all organizations have credentials; each token that is granted is valid for so long.
    fn valid_for(expires_in: Duration) -> Self;
    fn keeper(&self) -> TokenKeeper<Tokens, Tokens>;
    /// Has every call of this name fail, and no other one.
    fn take_down(&self, call: &str);
}

impl TokensOfFeeds for Tokens {
    fn valid_for(expires_in: Duration) -> Self {
        let mut service = TokenService::new(Clock::at(at(START)), expires_in, feeds());
        service.token_prefix = SECRET_PART;
        Self::new(service)
    }

    fn keeper(&self) -> TokenKeeper<Tokens, Tokens> {
        TokenKeeper::new(self.clone(), self.clone(), feeds())
    }

    fn take_down(&self, call: &str) {
        let fail = |name| if call == name { Fail::Always } else { Fail::Never };
        let mut service = self.now();
        service.on_load = fail("load");
        service.on_store = fail("store");
        service.on_lease = fail("lease");
        service.on_feeds = fail("feeds");
    }
}
