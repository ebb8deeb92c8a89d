//! The schedule of the refresher.

use std::time::Duration;

use fundhook_domain::Timestamp;

/// The refresher runs once a minute. Whatever would expire before the next run has renewed it is renewed now.
pub const RUN_INTERVAL: Duration = Duration::from_secs(60);

/// Rotates `all` so that each run, one `interval` after the last, starts with another element. An element that takes all the
/// time of a run cannot keep the others from their turn.
pub fn rotate_by_run<T>(all: &mut [T], now: Timestamp, interval: Duration) {
    let run = now.unix_seconds().unsigned_abs() / interval.as_secs().max(1);
    let run = usize::try_from(run).unwrap_or_default();
    all.rotate_left(run.checked_rem(all.len()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_first_equally_often_and_none_is_left_out() {
        let at = |minute: i64| Timestamp::from_unix_seconds(1_760_484_866 + 60 * minute).expect("in range");
        for count in 0..5_usize {
            let mut firsts = Vec::new();
            for minute in 0..5 * 4 * 3 {
                let mut all: Vec<usize> = (0..count).collect();
                rotate_by_run(&mut all, at(minute), RUN_INTERVAL);
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
