//! What the dates on a page say about the pages after it.

use fundhook_domain::Timestamp;

/// Whether every later page is older than `from`: the list is ordered newest first, and the whole page is before `from`.
///
/// This happens only with a provider that ignores the requested dates. A page whose rows have one and the same date does
/// not show the order, so the answer is `false`.
pub fn all_older_and_newest_first(dates: &[Timestamp], from: Timestamp) -> bool {
    let is_newest_first = dates.is_sorted_by(|earlier, later| earlier >= later) && dates.first() > dates.last();
    is_newest_first && dates.iter().all(|at| *at < from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_in_descending_order_that_lies_before_the_window_ends_the_reading() {
        let at = |second: i64| Timestamp::from_unix_seconds(1_760_484_866 + second).expect("in range");
        for (dates, ends) in [
            (&[3, 2, 1][..], true),
            (&[3, 3, 1], true),
            (&[1, 2, 3], false),
            (&[3, 1, 2], false),
            (&[2, 2, 2], false),
            (&[2], false),
            (&[], false),
            (&[11, 2, 1], false),
            (&[10, 2, 1], false),
            (&[9, 2, 1], true),
        ] {
            let times: Vec<Timestamp> = dates.iter().map(|second| at(*second)).collect();
            assert_eq!(all_older_and_newest_first(&times, at(10)), ends, "{dates:?}");
        }
    }
}
