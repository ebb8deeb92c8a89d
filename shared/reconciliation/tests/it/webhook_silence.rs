//! Which rows no webhook told, and when that is the silence of a feed.

use std::ops::Range;
use std::time::Duration;

use fundhook_domain::{Resource, Statement, Timestamp};
use fundhook_reconciliation::{BUSY_ROWS, BUSY_WITHIN, DatedRow, RowCounts, RowsWithoutWebhook, Silence, silence};

use crate::deposits::{recorded, row, sent};

fn at(hour: u64) -> Timestamp {
    let begins: Timestamp = "2025-10-07T00:00:00Z".parse().expect("RFC 3339");
    begins.plus(Duration::from_secs(hour * 3600))
}

fn always() -> Range<Timestamp> {
    at(0)..at(10_000)
}

fn named(nth: u64) -> String {
    format!("deposit#connect#{nth}")
}

/// A row about the deposit with this number.
fn listed(nth: u64) -> Statement {
    row(&named(nth), "confirmed", 40)
}

/// Adds a page with one row for each of these hours, about deposits that are numbered by them.
fn add(rows: &mut RowsWithoutWebhook, hours: Range<u64>, recorded: &[Resource]) -> RowCounts {
    let statements: Vec<(Timestamp, Statement)> = hours.map(|hour| (at(hour), listed(hour))).collect();
    let page: Vec<DatedRow<'_>> =
        statements.iter().map(|(dated, statement)| DatedRow { dated: Some(*dated), statement }).collect();
    rows.add_page(&page, recorded, &always())
}

/// The deposit with this number, reported by a webhook that was received at `hour`.
fn told(nth: u64, hour: u64) -> Resource {
    let mut webhook = sent(&named(nth), "confirmed", 40);
    webhook.content.evidence.received_at = at(hour);
    recorded([&webhook])
}

#[test]
fn a_feed_is_busy_with_enough_rows_within_a_day_and_silent_if_no_webhook_told_one() {
    for (hours, now, expected) in [
        (1..5, 5, None),
        (1..6, 6, Some(1)),
        (1..40, 40, Some(1)),
        // The same rows, a day later.
        (1..6, 25, Some(1)),
        (1..6, 26, None),
    ] {
        let mut rows = RowsWithoutWebhook::counted_from(at(0));
        let counts = add(&mut rows, hours.clone(), &[]);
        let all = hours.end - hours.start;
        assert_eq!(counts, RowCounts { listed: all, without_webhook: all });
        let expected = expected.map(|since| Silence { since: at(since), last_webhook_at: None });
        assert_eq!(silence([&rows], at(now)), expected, "{hours:?} at {now}");
    }
}

#[test]
fn a_webhook_ends_the_silence_and_only_rows_after_it_count() {
    let mut rows = RowsWithoutWebhook::counted_from(at(0));
    add(&mut rows, 1..8, &[]);
    assert!(silence([&rows], at(8)).is_some());
    let counts = add(&mut rows, 8..9, &[told(8, 8)]);
    assert_eq!(counts, RowCounts { listed: 1, without_webhook: 0 });
    assert_eq!(silence([&rows], at(9)), None);
    // The same webhook again says nothing new.
    add(&mut rows, 9..13, &[told(8, 8)]);
    assert_eq!(silence([&rows], at(13)), None, "four rows");
    add(&mut rows, 13..14, &[]);
    let expected = Silence { since: at(9), last_webhook_at: Some(at(8)) };
    assert_eq!(silence([&rows], at(14)), Some(expected));
}

#[test]
fn a_row_on_a_page_that_a_webhook_told_ends_the_silence_even_if_it_was_read_before() {
    let mut rows = RowsWithoutWebhook::counted_from(at(0));
    add(&mut rows, 1..8, &[]);
    let again = listed(7);
    let page = [DatedRow { dated: Some(at(7)), statement: &again }];
    assert_eq!(rows.add_page(&page, &[told(7, 9)], &(at(8)..at(9))), RowCounts::default(), "it is not counted again");
    assert_eq!(silence([&rows], at(10)), None);
}

#[test]
fn a_row_without_a_date_is_counted_when_it_is_read_first_whatever_time_it_states() {
    // What it states happened before the window, in it, or later.
    let stated = listed(7).content.occurred_at;
    for window in [at(0)..at(9_000), stated.plus(Duration::from_secs(60))..at(9_000), at(0)..stated] {
        let mut rows = RowsWithoutWebhook::counted_from(at(0));
        let row = listed(7);
        let page = [DatedRow { dated: None, statement: &row }];
        let first = rows.add_page(&page, &[], &window);
        assert_eq!(first, RowCounts { listed: 1, without_webhook: 1 }, "{window:?}");
        // It was queued, and is recorded when the next window overlaps this one.
        let next = window.end..window.end.plus(Duration::from_secs(900));
        let again = rows.add_page(&page, &[recorded([&row])], &next);
        assert_eq!(again, RowCounts::default(), "{window:?}");
    }
}

#[test]
fn a_row_that_only_a_list_told_is_not_told_by_a_webhook() {
    let mut rows = RowsWithoutWebhook::counted_from(at(0));
    let by_list: Vec<Resource> = (1..6).map(|nth| recorded([&listed(nth)])).collect();
    assert_eq!(add(&mut rows, 1..6, &by_list), RowCounts { listed: 5, without_webhook: 5 });
    assert!(silence([&rows], at(6)).is_some());
}

#[test]
fn rows_of_several_lists_are_taken_together() {
    let (mut one, mut other) = (RowsWithoutWebhook::counted_from(at(0)), RowsWithoutWebhook::counted_from(at(0)));
    add(&mut one, 1..4, &[]);
    add(&mut other, 4..6, &[]);
    let expected = Silence { since: at(1), last_webhook_at: None };
    assert_eq!(silence([&one, &other], at(6)), Some(expected));
    add(&mut other, 6..7, &[told(6, 6)]);
    assert_eq!(silence([&one, &other], at(7)), None);
}

#[test]
fn after_a_quiet_time_a_row_begins_a_new_silence() {
    let mut rows = RowsWithoutWebhook::counted_from(at(0));
    add(&mut rows, 1..3, &[]);
    let later = 3 + BUSY_WITHIN.as_secs() / 3600;
    add(&mut rows, later..later + BUSY_ROWS as u64, &[]);
    let silent = silence([&rows], at(later + 6)).expect("it is busy");
    assert_eq!(silent.since, at(later));
}

#[test]
fn rows_from_before_counting_began_do_not_count_and_what_is_stored_is_read_back() {
    let mut rows = RowsWithoutWebhook::counted_from(at(100));
    assert_eq!(add(&mut rows, 1..99, &[]), RowCounts::default());
    add(&mut rows, 100..300, &[told(150, 150)]);
    let stored = serde_json::to_string(&rows).expect("JSON");
    assert!(stored.len() < 400, "it stays small: {stored}");
    assert_eq!(serde_json::from_str::<RowsWithoutWebhook>(&stored).expect("it is read"), rows);
    // A watermark of an older version.
    assert_eq!(serde_json::from_str::<RowsWithoutWebhook>("{}").expect("it is read"), RowsWithoutWebhook::default());
}
