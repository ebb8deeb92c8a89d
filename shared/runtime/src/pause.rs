//! Waiting before another try.

use std::time::Duration;

/// The longest pause before the first repetition; it doubles with each. After four repetitions at most 750 ms were
/// waited, well within a function's 10 s.
const FIRST_PAUSE_MAX: Duration = Duration::from_millis(50);

/// Waits before repetition number `repetition` (from 1) for a random part of a bound that doubles each time, so that
/// those who collided once do not collide again.
pub async fn jittered_pause(repetition: u32) {
    let bound = FIRST_PAUSE_MAX.saturating_mul(1 << repetition.saturating_sub(1).min(8));
    let bound_ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=bound_ms))).await;
}
