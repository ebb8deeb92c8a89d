//! When an access token is due for renewal.

use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_ports::{CLOCK_SKEW_MAX, StoredToken};

use crate::RUN_INTERVAL;

/// The longest time to renew a token: 3 × 5 s and 10 s of pauses to request it, and the time to store it.
const RENEWAL_MAX: Duration = Duration::from_secs(30);

/// A share of a token's lifetime.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    part: u32,
    of: u32,
}

/// The share after which a token is due.
pub(super) const DUE: Share = Share { part: 4, of: 5 };

/// The share after which a token is renewed together with another one that is due. Tokens that fell out of step because of a
/// failure come together again.
pub(super) const DUE_TOGETHER: Share = Share { part: 3, of: 4 };

/// Whether this `share` of the token's lifetime has passed, the next run would come too late, or its times are implausible.
pub(super) fn is_due(token: &StoredToken, now: Timestamp, share: Share) -> bool {
    let lifetime = token.expires_at.since(token.issued_at);
    let is_from_the_future = token.issued_at.since(now) > CLOCK_SKEW_MAX;
    let is_late = token.expires_at.since(now) <= RUN_INTERVAL + RENEWAL_MAX;
    is_from_the_future || is_late || now.since(token.issued_at) >= lifetime * share.part / share.of
}
