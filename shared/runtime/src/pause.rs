//! Pauses between retries.

use std::time::Duration;

/// The longest pause before the first retry. It doubles with each retry: four retries wait for at most 750 ms in total, well
/// within a function's timeout of 10 s.
const FIRST_PAUSE_MAX: Duration = Duration::from_millis(50);

/// Waits before the retry with this number (from 1), for a random part of a bound that doubles with each retry. Callers that
/// collided once are unlikely to collide again.
pub async fn jittered_pause(retry: u32) {
    let bound = FIRST_PAUSE_MAX.saturating_mul(1 << retry.saturating_sub(1).min(8));
    let bound_ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=bound_ms))).await;
}
