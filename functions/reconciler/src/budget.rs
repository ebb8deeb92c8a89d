//! How much of a run's time each of its phases may use.

use std::time::Duration;

use fundhook_domain::Timestamp;

/// The part of a budget in which no new step begins. The longest step is a page that is refused with the held token
/// and with the stored one, then a new token and the page again: each up to 3 × 5 s and 10 s of pauses, and some seconds
/// for what follows. A page of payments by a bank is a request of up to 30 s, and up to 60 s for the histories.
const RESERVE: Duration = Duration::from_secs(120);

/// A point in a run's time, as a fraction of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fraction {
    pub(crate) numerator: u32,
    pub(crate) denominator: u32,
}

/// When a run began and when it has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunTime {
    began_at: Timestamp,
    deadline: Timestamp,
}

/// Until when one phase of a run may begin further steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    ends_at: Timestamp,
}

impl RunTime {
    pub(crate) fn new(began_at: Timestamp, deadline: Timestamp) -> Self {
        Self { began_at, deadline }
    }

    /// A budget that ends when this fraction of the run's time is over.
    pub(crate) fn until(self, Fraction { numerator, denominator }: Fraction) -> Budget {
        Budget { ends_at: self.began_at.plus(self.deadline.since(self.began_at) * numerator / denominator) }
    }

    /// A budget that ends with the run.
    pub(crate) fn whole(self) -> Budget {
        Budget { ends_at: self.deadline }
    }
}

impl Budget {
    /// Whether the phase must not begin another step at `now`.
    pub(crate) fn is_spent(self, now: Timestamp) -> bool {
        now.plus(RESERVE) >= self.ends_at
    }
}

/// When a run must have stopped. `cargo lambda` passes a deadline in 1970; then it is the timeout of the template from now.
pub fn run_deadline(given: Timestamp, now: Timestamp) -> Timestamp {
    const TIMEOUT: Duration = Duration::from_secs(300);
    if given > now { given } else { now.plus(TIMEOUT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_has_passed_is_none_of_lambdas() {
        let at = |second: i64| Timestamp::from_unix_seconds(second).expect("in range");
        let now = at(1_760_484_866);
        assert_eq!(run_deadline(at(1_760_485_000), now), at(1_760_485_000));
        assert_eq!(run_deadline(at(600), now), at(1_760_485_166), "300 s, the timeout of the template");
    }

    #[test]
    fn a_budget_is_spent_when_less_than_the_reserve_is_left_of_its_share() {
        let at = |second: i64| Timestamp::from_unix_seconds(1_760_484_866 + second).expect("in range");
        let time = RunTime::new(at(0), at(300));
        let two_thirds = time.until(Fraction { numerator: 2, denominator: 3 });
        for (budget, second, is_spent) in [
            (two_thirds, 0, false),
            (two_thirds, 79, false),
            (two_thirds, 80, true),
            (time.whole(), 80, false),
            (time.whole(), 179, false),
            (time.whole(), 180, true),
            (time.whole(), 301, true),
        ] {
            assert_eq!(budget.is_spent(at(second)), is_spent, "{budget:?} after {second} s");
        }
    }
}
