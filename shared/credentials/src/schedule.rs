//! The schedule of what is kept fresh.

use std::time::Duration;

use fundhook_domain::Timestamp;

/// The schedule's runs come a minute apart: what would be stale before the next one has renewed it is renewed now.
pub const RUNS_APART: Duration = Duration::from_secs(60);

/// Puts another one first in each of the runs that come so far `apart`, so that none is always behind one that takes all the
/// time.
pub fn take_turns<T>(all: &mut [T], now: Timestamp, apart: Duration) {
    let runs = now.unix_seconds().unsigned_abs() / apart.as_secs().max(1);
    let turn = usize::try_from(runs).unwrap_or_default();
    all.rotate_left(turn.checked_rem(all.len()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_first_in_one_run_of_as_many_as_there_are_and_nobody_is_left_out() {
        let at = |minute: i64| Timestamp::from_unix_seconds(1_760_484_866 + 60 * minute).expect("in range");
        for count in 0..5_usize {
            let mut firsts = Vec::new();
            for minute in 0..5 * 4 * 3 {
                let mut all: Vec<usize> = (0..count).collect();
                take_turns(&mut all, at(minute), RUNS_APART);
                firsts.extend(all.first().copied());
                all.sort_unstable();
                assert_eq!(all, (0..count).collect::<Vec<_>>());
            }
            for each in 0..count {
                assert_eq!(firsts.iter().filter(|first| **first == each).count(), 60 / count, "{each} of {count}");
            }
        }
    }
}
