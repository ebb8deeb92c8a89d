//! Whether a failed attempt is made again, and after what pause: pure, so that it can be tested without waiting.

use std::time::Duration;

use crate::error::ApiError;
use crate::settings::Retries;

/// What may be done again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// Doing it twice is doing it once: a `GET`, and the request of a token.
    Harmless,
    /// Doing it twice has effects: only where the provider cannot have acted.
    Harmful,
}

impl Repeats {
    /// Whether a call of this kind may be made again after `error`.
    pub(crate) fn after(self, error: &ApiError) -> bool {
        let harmless = self == Self::Harmless;
        match error {
            ApiError::NoConnection { .. } | ApiError::TooManyRequests { .. } => true,
            ApiError::TimedOut { .. } | ApiError::Disconnected { .. } | ApiError::HalfBody { .. } => harmless,
            // A 503 that says when to come back was said instead of acting (RFC 9110, section 15.6.4); one that does not
            // may come from a gateway that lost the answer.
            ApiError::Status { status: 503, retry_after, .. } => harmless || retry_after.is_some(),
            ApiError::Status { status, .. } => harmless && matches!(status, 500 | 502 | 504),
            ApiError::Client(_)
            | ApiError::InvalidRequest(_)
            | ApiError::Signing(_)
            | ApiError::Unauthorized { .. }
            | ApiError::Empty { .. }
            | ApiError::NotJson { .. }
            | ApiError::TooLarge { .. }
            | ApiError::OtherShape { .. }
            | ApiError::InvalidLifetime { .. }
            | ApiError::UnknownTokenType { .. } => false,
        }
    }
}

/// What is left of a call's attempts and of its patience.
#[derive(Debug)]
pub(crate) struct Budget {
    attempts_left: u32,
    wait_left: Duration,
    next_pause: Duration,
    pause_max: Duration,
}

impl Budget {
    /// All that `retries` allow, the first attempt being made.
    pub(crate) fn new(retries: &Retries) -> Self {
        Self {
            attempts_left: retries.attempts_max.saturating_sub(1),
            wait_left: retries.wait_max,
            next_pause: retries.first_pause.min(retries.pause_max),
            pause_max: retries.pause_max,
        }
    }

    /// The pause before the next attempt, `None` where there is none any more. The provider's `retry_after` is never cut
    /// short. `draw` is asked for a random duration up to its argument.
    pub(crate) fn pause(
        &mut self,
        retry_after: Option<Duration>,
        draw: impl FnOnce(Duration) -> Duration,
    ) -> Option<Duration> {
        self.attempts_left = self.attempts_left.checked_sub(1)?;
        let own = self.next_pause - draw(self.next_pause / 2);
        self.next_pause = self.next_pause.saturating_mul(2).min(self.pause_max);
        let pause = own.max(retry_after.unwrap_or_default());
        self.wait_left = self.wait_left.checked_sub(pause)?;
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Call;

    const RETRIES: Retries = Retries {
        attempts_max: 5,
        first_pause: Duration::from_millis(100),
        pause_max: Duration::from_millis(300),
        wait_max: Duration::from_secs(10),
    };

    fn none(_: Duration) -> Duration {
        Duration::ZERO
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_attempts() {
        let mut budget = Budget::new(&RETRIES);
        let pauses: Vec<_> = std::iter::from_fn(|| budget.pause(None, none)).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [100, 200, 300, 300]);
    }

    #[test]
    fn a_pause_is_shortened_at_random_by_at_most_its_half() {
        let pause = Budget::new(&RETRIES).pause(None, |most| most);
        assert_eq!(pause, Some(Duration::from_millis(50)));
    }

    #[test]
    fn a_retry_after_is_never_cut_short_and_fits_into_what_is_left_or_ends_the_call() {
        let mut budget = Budget::new(&RETRIES);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(budget.pause(seconds(7), |most| most), seconds(7));
        assert_eq!(budget.pause(seconds(3), |most| most), seconds(3));
        assert_eq!(budget.pause(seconds(1), |most| most), None);
        assert_eq!(Budget::new(&RETRIES).pause(Some(Duration::MAX), none), None);
    }

    #[test]
    fn pauses_together_stay_within_the_patience() {
        let mut budget = Budget::new(&Retries { wait_max: Duration::from_millis(299), ..RETRIES });
        assert!(budget.pause(None, none).is_some());
        assert!(budget.pause(None, none).is_none(), "100 ms + 200 ms are more than 299 ms");
    }

    #[test]
    fn what_may_have_had_an_effect_is_not_repeated() {
        let call = Call::new("POST", "https://api.connect.xyz/users");
        let status = |status, seconds: Option<u64>| ApiError::Status {
            call: call.clone(),
            status,
            retry_after: seconds.map(Duration::from_secs),
            said: Box::default(),
        };
        let timed_out = ApiError::TimedOut { call: call.clone(), after: Duration::from_secs(1) };
        for (error, harmless, harmful) in [
            (timed_out, true, false),
            (status(500, None), true, false),
            (status(500, Some(1)), true, false),
            (status(502, None), true, false),
            (status(503, None), true, false),
            (status(503, Some(1)), true, true),
            (status(504, None), true, false),
            (status(501, None), false, false),
            (status(403, None), false, false),
            (status(307, None), false, false),
        ] {
            assert_eq!(Repeats::Harmless.after(&error), harmless, "{error}");
            assert_eq!(Repeats::Harmful.after(&error), harmful, "{error}");
        }
    }
}
