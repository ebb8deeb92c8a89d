//! A closed window of time, over which control totals are computed.

use std::time::Duration;

use fundhook_domain::Timestamp;

/// The length of the windows that are reported on a schedule.
pub const HOUR: Duration = Duration::from_secs(3600);

/// A window `from..before` by the provider's dates. One that is looked up in an index is within one day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedWindow {
    /// The first instant inside the window.
    pub from: Timestamp,
    /// The first instant after the window.
    pub before: Timestamp,
}

impl ClosedWindow {
    /// The hour that begins at `from`.
    pub fn hour(from: Timestamp) -> Self {
        Self { from, before: from.plus(HOUR) }
    }

    /// The day that begins at `from`.
    pub fn day(from: Timestamp) -> Self {
        Self { from, before: from.plus(24 * HOUR) }
    }

    /// The second that contains `at`.
    pub fn second(at: Timestamp) -> Self {
        let from = at.whole_second();
        Self { from, before: from.plus(Duration::from_secs(1)) }
    }

    /// The hour that ends where this window begins.
    pub fn hour_before(self) -> Self {
        Self { from: self.from.minus(HOUR), before: self.from }
    }

    /// Whether `at` is inside the window.
    pub fn contains(self, at: Timestamp) -> bool {
        (self.from..self.before).contains(&at)
    }

    /// This window with an hour added on both sides, in parts that each lie on one day in UTC.
    pub fn widened_by_an_hour(self) -> Vec<Self> {
        let (mut from, before) = (self.from.minus(HOUR), self.before.plus(HOUR));
        let mut parts = Vec::new();
        while from < before {
            let until = from.day_start().plus(24 * HOUR).min(before);
            parts.push(Self { from, before: until });
            from = until;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_widened_by_an_hour_and_split_at_midnight() {
        let at = |text: &str| -> Timestamp { text.parse().expect("RFC 3339") };
        for (from, expected) in [
            ("2025-10-07T12:00:00Z", &[("2025-10-07T11:00:00Z", "2025-10-07T14:00:00Z")][..]),
            (
                "2025-10-07T00:00:00Z",
                &[("2025-10-06T23:00:00Z", "2025-10-07T00:00:00Z"), ("2025-10-07T00:00:00Z", "2025-10-07T02:00:00Z")],
            ),
            ("2025-10-07T22:00:00Z", &[("2025-10-07T21:00:00Z", "2025-10-08T00:00:00Z")]),
        ] {
            let parts = ClosedWindow::hour(at(from)).widened_by_an_hour();
            let expected: Vec<_> =
                expected.iter().map(|(from, before)| ClosedWindow { from: at(from), before: at(before) }).collect();
            assert_eq!(parts, expected, "{from}");
        }
    }
}
