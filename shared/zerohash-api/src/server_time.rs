//! The provider's clock. A request that is signed at another time is rejected, so a wrong clock stops every call.

use std::time::Duration;

use fundhook_domain::Timestamp;
use serde::{Deserialize, Deserializer, de};

/// How far the time of a signature may be from the provider's clock [zerohash-openapi].
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// What `GET /time` answered [zerohash-openapi].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// The provider's time.
    pub now: Timestamp,
}

/// The difference between the provider's clock and this computer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSkew {
    /// This computer's clock is ahead of the provider's, or equal to it.
    Ahead(Duration),
    /// This computer's clock is behind the provider's.
    Behind(Duration),
}

impl ServerTime {
    /// The skew of this computer's clock, whose time is `local`.
    pub fn skew(&self, local: Timestamp) -> ClockSkew {
        if local >= self.now {
            ClockSkew::Ahead(local.since(self.now))
        } else {
            ClockSkew::Behind(self.now.since(local))
        }
    }
}

impl ClockSkew {
    /// Its size, in either direction.
    pub fn size(self) -> Duration {
        match self {
            Self::Ahead(by) | Self::Behind(by) => by,
        }
    }

    /// Whether the provider rejects what this computer signs.
    pub fn is_rejected(self) -> bool {
        self.size() > CLOCK_TOLERANCE
    }
}

#[derive(Deserialize)]
pub(crate) struct TimeReply {
    pub(crate) message: ServerTimeReply,
}

impl TimeReply {
    pub(crate) const SHAPE: &str = "{message: {epoch}}";
}

#[derive(Deserialize)]
pub(crate) struct ServerTimeReply {
    #[serde(deserialize_with = "epoch")]
    pub(crate) epoch: Timestamp,
}

fn epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let digits = fundhook_http_api::exact::text(deserializer)?;
    Timestamp::from_unix_digits(&digits).map_err(|_| de::Error::custom("expected a UNIX time in milliseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_rejected_beyond_a_minute_in_either_direction() {
        let at = |ms: i64| Timestamp::from_unix_digits(&(1_767_225_600_000 + ms).to_string()).expect("a time");
        let server = ServerTime { now: at(0) };
        for (local, skew, is_rejected) in [
            (0, ClockSkew::Ahead(Duration::ZERO), false),
            (60_000, ClockSkew::Ahead(Duration::from_secs(60)), false),
            (60_001, ClockSkew::Ahead(Duration::from_millis(60_001)), true),
            (-60_000, ClockSkew::Behind(Duration::from_secs(60)), false),
            (-60_001, ClockSkew::Behind(Duration::from_millis(60_001)), true),
        ] {
            let found = server.skew(at(local));
            assert_eq!((found, found.is_rejected()), (skew, is_rejected), "{local}");
        }
    }
}
