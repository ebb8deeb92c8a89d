//! What the tests of the access tokens share.

pub(crate) mod logs;
pub(crate) mod tokens;

use fundhook_domain::{Feed, Timestamp};

/// When the tests begin: the `timestamp` of the sample request in [connect-guide §4].
pub(crate) const START: i64 = 1_760_484_866;

/// How long the lease on renewing a token lasts.
pub(crate) const LEASE_SECONDS: i64 = 55;

/// The instant `seconds` after 1970.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).expect("an instant")
}

/// The instant this many minutes after [`START`].
pub(crate) fn minute(minutes: i64) -> Timestamp {
    at(START + 60 * minutes)
}

pub(crate) fn feed(name: &str) -> Feed {
    name.parse().expect("a feed")
}
