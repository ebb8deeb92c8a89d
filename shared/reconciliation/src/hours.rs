//! Which hours are due for control totals: each one twice, and a bank's payments once more.

use std::time::Duration;

use fundhook_domain::{ListKind, Timestamp};

use crate::watermark::Watermark;
use crate::window::{ClosedWindow, HOUR};

/// How long after its end an hour is totalled first: by then, what the last reading queued is recorded and published.
const SETTLES_WITHIN: Duration = HOUR;

/// How long after its end an hour is totalled again: a provider may list a deposit late, with an old date, and never have
/// sent its webhook.
const REVISED_AFTER: Duration = Duration::from_secs(3 * 86_400);

/// How long after its end an hour of a bank's payments is totalled for the last time: a bank may return a payment up to 60
/// days after it has settled [zerohash-ach-returns], and it settles some days after its date.
const RETURNED_WITHIN: Duration = Duration::from_secs(70 * 86_400);

/// For how long an hour with missed deposits is repeated until they are recorded, before its totals are stored as they are.
const RECONCILES_WITHIN: Duration = Duration::from_secs(5 * 3600);

/// The times at which an hour is totalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotalsPass {
    /// Soon after the hour has settled.
    First,
    /// Days later.
    Revision,
    /// When no bank can return a payment any more.
    LastReturns,
}

impl TotalsPass {
    /// The passes over the hours of a list, the earliest first.
    pub fn of(list: ListKind) -> &'static [Self] {
        match list {
            ListKind::ConnectTransactions | ListKind::FundTransactions | ListKind::Deposits | ListKind::Payments => {
                &[Self::First, Self::Revision]
            }
            ListKind::BankPayments => &[Self::First, Self::Revision, Self::LastReturns],
            // No money moves in them.
            ListKind::Participants | ListKind::ExternalAccounts | ListKind::Accounts => &[],
        }
    }

    /// The next hour that is due in this pass: the list was read to its end and for a while longer (`read_until`), so that
    /// the hour has settled.
    pub fn next_due(self, watermark: &Watermark, read_until: Timestamp) -> Option<ClosedWindow> {
        let hour = ClosedWindow::hour(self.done_until(watermark));
        (read_until >= hour.before.plus(self.settles_within())).then_some(hour)
    }

    /// Until when the hour is repeated while something in it is still missing or cannot be asked. The rows of the hour are
    /// not read before they are older than `grace`.
    pub fn repeated_until(self, hour: ClosedWindow, grace: Duration) -> Timestamp {
        hour.before.plus(grace).plus(self.settles_within()).plus(RECONCILES_WITHIN)
    }

    /// Records that the hour's totals are stored.
    pub fn complete(self, hour: ClosedWindow, watermark: &mut Watermark) {
        match self {
            Self::First => {
                // If an older version stored no `revised_until`, the revision begins with the first hour of this version.
                watermark.revised_until.get_or_insert(hour.from);
                watermark.totals_until = hour.before;
            }
            Self::Revision => {
                watermark.returned_until.get_or_insert(hour.from);
                watermark.revised_until = Some(hour.before);
            }
            Self::LastReturns => watermark.returned_until = Some(hour.before),
        }
    }

    fn settles_within(self) -> Duration {
        match self {
            Self::First => SETTLES_WITHIN,
            Self::Revision => REVISED_AFTER,
            Self::LastReturns => RETURNED_WITHIN,
        }
    }

    fn done_until(self, watermark: &Watermark) -> Timestamp {
        match self {
            Self::First => watermark.totals_until,
            Self::Revision => watermark.revised_until.unwrap_or(watermark.totals_until),
            Self::LastReturns => watermark.returned_until.unwrap_or(Self::Revision.done_until(watermark)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watermark::ReadableRange;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("RFC 3339")
    }

    /// A watermark whose hours are totalled until 14:00.
    fn watermark() -> Watermark {
        let now = at("2025-10-07T13:20:00Z");
        Watermark::initial(ReadableRange::at(now, Duration::ZERO, HOUR), now)
    }

    #[test]
    fn an_hour_is_due_when_the_list_was_read_an_hour_and_again_three_days_past_its_end() {
        for (pass, read_until, is_due) in [
            (TotalsPass::First, "2025-10-07T15:59:59Z", false),
            (TotalsPass::First, "2025-10-07T16:00:00Z", true),
            (TotalsPass::Revision, "2025-10-10T14:59:59Z", false),
            (TotalsPass::Revision, "2025-10-10T15:00:00Z", true),
            (TotalsPass::LastReturns, "2025-12-16T14:59:59Z", false),
            (TotalsPass::LastReturns, "2025-12-16T15:00:00Z", true),
        ] {
            let hour = ClosedWindow::hour(at("2025-10-07T14:00:00Z"));
            assert_eq!(pass.next_due(&watermark(), at(read_until)), is_due.then_some(hour), "{pass:?} {read_until}");
        }
    }

    #[test]
    fn a_completed_hour_is_followed_by_the_next_and_the_passes_are_independent() {
        let far = at("2025-10-20T00:00:00Z");
        let mut watermark = watermark();
        let hour = TotalsPass::First.next_due(&watermark, far).expect("it is due");
        TotalsPass::First.complete(hour, &mut watermark);
        assert_eq!(TotalsPass::First.next_due(&watermark, far), Some(ClosedWindow::hour(hour.before)));
        assert_eq!(TotalsPass::Revision.next_due(&watermark, far), Some(hour));
        TotalsPass::Revision.complete(hour, &mut watermark);
        assert_eq!((watermark.revised_until, watermark.returned_until), (Some(hour.before), Some(hour.from)));
        let last = TotalsPass::LastReturns.next_due(&watermark, far.plus(70 * 24 * HOUR)).expect("it is due");
        TotalsPass::LastReturns.complete(last, &mut watermark);
        assert_eq!((last, watermark.returned_until), (hour, Some(hour.before)));
    }

    #[test]
    fn the_revision_of_a_watermark_without_one_begins_with_the_first_hour_that_is_totalled() {
        let mut old = Watermark { revised_until: None, ..watermark() };
        let hour = ClosedWindow::hour(old.totals_until);
        TotalsPass::First.complete(hour, &mut old);
        assert_eq!((old.totals_until, old.revised_until), (hour.before, Some(hour.from)));
    }

    #[test]
    fn an_hour_is_repeated_for_five_hours_after_it_has_settled_and_the_grace_is_over() {
        let hour = ClosedWindow::hour(at("2025-10-07T14:00:00Z"));
        let grace = Duration::from_secs(900);
        assert_eq!(TotalsPass::First.repeated_until(hour, grace), at("2025-10-07T21:15:00Z"));
        assert_eq!(TotalsPass::Revision.repeated_until(hour, grace), at("2025-10-10T20:15:00Z"));
    }
}
