//! Waits for a condition, and reports the last value if it does not hold in time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// The time limit of every condition. Most take a second, but test machines are busy and the functions start cold.
pub const WITHIN: Duration = Duration::from_secs(90);

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Polls until `claim` holds, and returns the value.
pub async fn eventually<T: Debug>(
    claim: &str,
    mut look: impl AsyncFnMut() -> T,
    mut holds: impl FnMut(&T) -> bool,
) -> T {
    let deadline = Instant::now() + WITHIN;
    loop {
        let seen = look().await;
        if holds(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "{claim}: false after {WITHIN:?}; last value: {seen:#?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Random choices that can be repeated with the printed seed in the variable FUNDHOOK_TEST_SEED.
pub fn seeded() -> fastrand::Rng {
    let given = fundhook_runtime::variable("FUNDHOOK_TEST_SEED");
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a whole number"));
    eprintln!("FUNDHOOK_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
