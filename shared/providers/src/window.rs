//! How far a signed timestamp may be from now.

use std::time::Duration;

use fundhook_domain::Timestamp;

use crate::Rejection;

/// Rejects a webhook that was signed more than `allowed` before or after `now`.
pub(crate) fn check_window(signed_at: Timestamp, now: Timestamp, allowed: Duration) -> Result<(), Rejection> {
    let (age, lead) = (now.since(signed_at), signed_at.since(now));
    if age > allowed {
        return Err(Rejection::TimestampTooOld { by: age, allowed });
    }
    if lead > allowed {
        return Err(Rejection::TimestampInFuture { by: lead, allowed });
    }
    Ok(())
}
