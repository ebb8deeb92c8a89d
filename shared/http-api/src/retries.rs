//! Whether a failed attempt is repeated, and after what pause. Pure, so that the tests need not wait.

use std::time::Duration;

use crate::error::ApiError;
use crate::settings::Retries;

/// Whether a call may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Sending it twice has the effect of sending it once: a `GET`, or the request of a token.
    Idempotent,
    /// Sending it twice has two effects. It is repeated only where the provider cannot have acted.
    NotIdempotent,
}

impl Idempotency {
    pub(crate) fn allows_retry_despite(self, error: &ApiError) -> bool {
        let is_idempotent = self == Self::Idempotent;
        match error {
            ApiError::ConnectFailed { .. } | ApiError::TooManyRequests { .. } => true,
            ApiError::TimedOut { .. } | ApiError::Disconnected { .. } | ApiError::TruncatedBody { .. } => is_idempotent,
            // A server that sends 503 with `Retry-After` has not acted (RFC 9110, section 15.6.4), nor has one that allows a
            // repetition. A 503 with neither may come from a gateway that lost the response.
            ApiError::Status { status: 503, retry_after, allows_retry, .. } => {
                is_idempotent || retry_after.is_some() || *allows_retry
            }
            ApiError::Status { status, .. } => is_idempotent && matches!(status, 500 | 502 | 504),
            ApiError::Client(_)
            | ApiError::InvalidRequest(_)
            | ApiError::Signing(_)
            | ApiError::Unauthorized { .. }
            | ApiError::EmptyBody { .. }
            | ApiError::NotJson { .. }
            | ApiError::TooLarge { .. }
            | ApiError::UnexpectedShape { .. }
            | ApiError::UnusableReply { .. } => false,
        }
    }
}

/// The attempts and the waiting time that a call has left.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    attempts_left: u32,
    wait_left: Duration,
    next_pause: Duration,
    pause_max: Duration,
}

impl RetryBudget {
    /// The budget after the first attempt.
    pub(crate) fn new(retries: &Retries) -> Self {
        Self {
            attempts_left: retries.attempts_max.saturating_sub(1),
            wait_left: retries.wait_max,
            next_pause: retries.first_pause.min(retries.pause_max),
            pause_max: retries.pause_max,
        }
    }

    /// The pause before the next attempt; `None` when no attempt is left. The pause is never shorter than the provider's
    /// `retry_after`. `random_up_to` returns a random duration up to its argument.
    pub(crate) fn pause(
        &mut self,
        retry_after: Option<Duration>,
        random_up_to: impl FnOnce(Duration) -> Duration,
    ) -> Option<Duration> {
        self.attempts_left = self.attempts_left.checked_sub(1)?;
        let own = self.next_pause - random_up_to(self.next_pause / 2);
        self.next_pause = self.next_pause.saturating_mul(2).min(self.pause_max);
        let pause = own.max(retry_after.unwrap_or_default());
        self.wait_left = self.wait_left.checked_sub(pause)?;
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;
    use crate::error::Call;

    const RETRIES: Retries = Retries {
        attempts_max: 5,
        first_pause: Duration::from_millis(100),
        pause_max: Duration::from_millis(300),
        wait_max: Duration::from_secs(10),
    };

    fn no_jitter(_: Duration) -> Duration {
        Duration::ZERO
    }

    #[test]
    fn pauses_double_up_to_the_maximum_and_end_with_the_attempts() {
        let mut budget = RetryBudget::new(&RETRIES);
        let pauses: Vec<_> =
            std::iter::from_fn(|| budget.pause(None, no_jitter)).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [100, 200, 300, 300]);
    }

    #[test]
    fn jitter_shortens_a_pause_by_at_most_half() {
        let pause = RetryBudget::new(&RETRIES).pause(None, |most| most);
        assert_eq!(pause, Some(Duration::from_millis(50)));
    }

    #[test]
    fn a_retry_after_is_waited_for_in_full_or_ends_the_call_when_it_exceeds_the_remaining_wait() {
        let mut budget = RetryBudget::new(&RETRIES);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(budget.pause(seconds(7), |most| most), seconds(7));
        assert_eq!(budget.pause(seconds(3), |most| most), seconds(3));
        assert_eq!(budget.pause(seconds(1), |most| most), None);
        assert_eq!(RetryBudget::new(&RETRIES).pause(Some(Duration::MAX), no_jitter), None);
    }

    #[test]
    fn the_sum_of_the_pauses_stays_within_the_maximum_wait() {
        let mut budget = RetryBudget::new(&Retries { wait_max: Duration::from_millis(299), ..RETRIES });
        assert!(budget.pause(None, no_jitter).is_some());
        assert!(budget.pause(None, no_jitter).is_none(), "100 ms + 200 ms exceed 299 ms");
    }

    #[test]
    fn a_call_that_may_have_had_an_effect_is_not_repeated() {
        let call = Call::new(&Method::POST, &"https://api.connect.xyz/users".parse().expect("a URL"));
        let status = |status, seconds: Option<u64>| ApiError::Status {
            call: call.clone(),
            status,
            retry_after: seconds.map(Duration::from_secs),
            allows_retry: false,
            message: Box::default(),
        };
        let allowed = |status| ApiError::Status {
            call: call.clone(),
            status,
            retry_after: None,
            allows_retry: true,
            message: Box::default(),
        };
        let timed_out = ApiError::TimedOut { call: call.clone(), after: Duration::from_secs(1) };
        for (error, idempotent, not_idempotent) in [
            (timed_out, true, false),
            (status(500, None), true, false),
            (status(500, Some(1)), true, false),
            (status(502, None), true, false),
            (status(503, None), true, false),
            (status(503, Some(1)), true, true),
            (allowed(503), true, true),
            (allowed(502), true, false),
            (status(504, None), true, false),
            (status(501, None), false, false),
            (status(403, None), false, false),
            (status(307, None), false, false),
        ] {
            assert_eq!(Idempotency::Idempotent.allows_retry_despite(&error), idempotent, "{error}");
            assert_eq!(Idempotency::NotIdempotent.allows_retry_despite(&error), not_idempotent, "{error}");
        }
    }
}
