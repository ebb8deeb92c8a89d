//! Waiting for what is to come, and saying what was seen when it does not.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// How long anything may take. Most of it takes a second; machines that run tests are busy, and the functions start cold.
pub const WITHIN: Duration = Duration::from_secs(90);

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until what is seen is as `claim` says, and returns it.
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
        assert!(Instant::now() < deadline, "{claim}: not so after {WITHIN:?}; last seen: {seen:#?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Random choices that can be made once more: by the seed that is printed, in the variable FUNDHOOK_TEST_SEED.
pub fn seeded() -> fastrand::Rng {
    let given = fundhook_runtime::variable("FUNDHOOK_TEST_SEED");
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a whole number"));
    eprintln!("FUNDHOOK_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
