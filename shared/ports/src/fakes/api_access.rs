//! A provider's API that accepts or refuses calls.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::Feed;

use super::{Clock, Fake};
use crate::{ApiAccessError, CheckApiAccess, Disposition, PortError, ProviderClock};

/// What refuses or fails a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuses {
    /// The address is refused.
    Address,
    /// The credentials are refused.
    Credentials,
    /// There is no usable answer.
    Nothing,
}

/// A provider's API, and the secret with the organizations' credentials.
#[derive(Clone, Debug)]
pub struct ApiAccess {
    /// The provider's clock.
    pub clock: Clock,
    /// How far the time of a signature may be from the provider's clock.
    pub tolerance: Duration,
    /// How a request without credentials fails; `None` if it does not.
    pub on_clock: Option<Refuses>,
    /// How reading the secret fails; `None` if it does not.
    pub on_feeds: Option<Refuses>,
    /// The organizations with credentials, and how each one's read fails; `None` if it does not.
    pub organizations: BTreeMap<Feed, Option<Refuses>>,
    /// The calls so far, such as `clock`, `feeds` and `read zerohash/acme`.
    pub calls: Vec<String>,
}

impl ApiAccess {
    /// An API that accepts the calls of these organizations.
    pub fn accepting(clock: Clock, tolerance: Duration, feeds: impl IntoIterator<Item = Feed>) -> Self {
        let organizations = feeds.into_iter().map(|feed| (feed, None)).collect();
        Self { clock, tolerance, on_clock: None, on_feeds: None, organizations, calls: Vec::new() }
    }
}

fn outcome(refuses: Option<Refuses>, attempted: &'static str) -> Result<(), ApiAccessError> {
    let error = |why: &str| PortError::new(attempted, Disposition::DeadLetter, why.to_owned());
    match refuses {
        None => Ok(()),
        Some(Refuses::Address) => Err(ApiAccessError::Address(error("status 403"))),
        Some(Refuses::Credentials) => Err(ApiAccessError::Credentials(error("status 403: Invalid API key"))),
        Some(Refuses::Nothing) => Err(ApiAccessError::Port(error("no response within 5 s"))),
    }
}

impl CheckApiAccess for Fake<ApiAccess> {
    async fn provider_clock(&self) -> Result<ProviderClock, ApiAccessError> {
        let mut api = self.now();
        api.calls.push("clock".to_owned());
        outcome(api.on_clock, "ask for the time")?;
        Ok(ProviderClock { time: api.clock.now(), tolerance: api.tolerance })
    }

    async fn feeds(&self) -> Result<Vec<Feed>, ApiAccessError> {
        let mut api = self.now();
        api.calls.push("feeds".to_owned());
        outcome(api.on_feeds, "read the credentials")?;
        Ok(api.organizations.keys().cloned().collect())
    }

    async fn read(&self, feed: &Feed) -> Result<(), ApiAccessError> {
        let mut api = self.now();
        api.calls.push(format!("read {feed}"));
        let refuses = api.organizations.get(feed).copied().unwrap_or(Some(Refuses::Credentials));
        outcome(refuses, "read a list")
    }
}
