//! What the tests of the access tokens share.

pub(crate) mod tokens;

use fundhook_domain::{Feed, Timestamp};

/// When the tests begin: the `timestamp` of seed 000.
pub(crate) const START: i64 = 1_760_484_866;

/// For how long whoever renews has the lease.
pub(crate) const LEASE_SECONDS: i64 = 55;

/// The instant `seconds` after 1970.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).expect("an instant")
}

/// The instant so many minutes into a test.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    at(START + 60 * minutes)
}

pub(crate) fn feed(name: &str) -> Feed {
    name.parse().expect("a feed")
}
