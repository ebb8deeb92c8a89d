//! How far a list has been read, and what to read next.

use std::fmt;
use std::time::Duration;

use fundhook_domain::{CLOCK_SKEW_MAX, Timestamp};
use serde::{Deserialize, Serialize};

use crate::silence::RowsWithoutWebhook;
use crate::window::HOUR;

/// How far a list has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// How often it was moved: what a conditional write compares.
    pub revision: u64,
    /// Everything dated before this has been read.
    pub read_until: Timestamp,
    /// The window that is being read, if one was begun and not finished.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window: Option<ReadWindow>,
    /// The hours that end at or before this have control totals.
    pub totals_until: Timestamp,
    /// The hours that end at or before this have been totalled a second time, days later; `None` if an older version
    /// stored the watermark.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revised_until: Option<Timestamp>,
    /// The hours that end at or before this have been totalled a last time, when no bank can return a payment any more;
    /// `None` before the first hour was revised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returned_until: Option<Timestamp>,
    /// After which overdue resource the next run continues asking; `None` to begin with the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overdue_after: Option<String>,
    /// The latest discrepancies of overdue deposits that were already reported, as sentences, so that each is reported
    /// once.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reported: Vec<String>,
    /// Which rows no webhook told.
    #[serde(default)]
    pub without_webhook: RowsWithoutWebhook,
    /// Where the first reading of the list began; `None` if an older version stored the watermark. Of a list that is read
    /// whole, a row about what is not recorded counts if it is dated at this or later.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub begins: Option<Timestamp>,
}

/// How often a list is read that has no filter by date.
pub const WHOLE_LIST_EVERY: Duration = Duration::from_secs(86_400);

/// A page of a list: its number, from 1, or what the provider named as the page that follows another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PageKey {
    /// The number of the page, from 1.
    Number(u32),
    /// The cursor that the provider gave.
    Cursor(String),
}

impl PageKey {
    /// The first page of every list.
    pub const FIRST: Self = Self::Number(1);
}

impl fmt::Display for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Cursor(cursor) => f.write_str(cursor),
        }
    }
}

/// A window of a list that is read page by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadWindow {
    /// The first instant inside the window.
    pub from: Timestamp,
    /// The first instant after the window.
    pub until: Timestamp,
    /// The page to read next.
    pub next_page: PageKey,
}

impl ReadWindow {
    /// Whether a row with this date belongs to the window.
    pub fn contains(&self, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
    }
}

/// Which part of a list may be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadableRange {
    /// Where a list that was never read begins.
    pub from: Timestamp,
    /// Later rows wait for a later run, because their webhooks may still arrive.
    pub until: Timestamp,
}

impl ReadableRange {
    /// The range at `now`: up to `grace` ago, and `lookback` back from there.
    pub fn at(now: Timestamp, grace: Duration, lookback: Duration) -> Self {
        let until = now.minus(grace);
        Self { from: until.minus(lookback).whole_second(), until }
    }
}

impl Watermark {
    /// The watermark of a list that was never read.
    ///
    /// Control totals begin with the next full hour: for deposits that were published before there were receipts, they
    /// would always differ.
    pub fn initial(readable: ReadableRange, now: Timestamp) -> Self {
        let totals_until = now.hour_start().plus(HOUR);
        Self {
            revision: 0,
            read_until: readable.from,
            window: None,
            totals_until,
            revised_until: Some(totals_until),
            returned_until: None,
            overdue_after: None,
            reported: Vec::new(),
            without_webhook: RowsWithoutWebhook::counted_from(now),
            begins: Some(readable.from),
        }
    }

    /// Whether a clock that was ahead stored it: it is further in the future than the allowed clock skew.
    pub fn is_ahead_of(&self, readable: ReadableRange) -> bool {
        self.read_until > readable.until.plus(CLOCK_SKEW_MAX)
    }

    /// The watermark moved back to the beginning of `readable`. How long the clock was ahead is unknown, so everything in
    /// the range is read again and totalled again.
    pub fn moved_back(self, readable: ReadableRange) -> Self {
        let known = readable.from.hour_start();
        Self {
            read_until: readable.from,
            window: None,
            totals_until: self.totals_until.min(known),
            revised_until: self.revised_until.map(|until| until.min(known)),
            returned_until: self.returned_until.map(|until| until.min(known)),
            without_webhook: RowsWithoutWebhook::counted_from(readable.until),
            begins: self.begins.map(|at| at.min(readable.from)),
            ..self
        }
    }

    /// The window to read now: the unfinished one, or a new one that begins `overlap` before the watermark. `None` when
    /// everything readable has been read.
    pub fn next_window(&self, readable: ReadableRange, overlap: Duration) -> Option<ReadWindow> {
        // The provider's list takes whole seconds. The fraction of the last second belongs to the next window.
        let until = readable.until.whole_second();
        let new = || ReadWindow { from: self.read_until.minus(overlap), until, next_page: PageKey::FIRST };
        self.window.clone().or_else(|| (until > self.read_until).then(new))
    }

    /// The window in which to read a list whole: the unfinished one, or a new one when the last one is a day old. Rows that
    /// changed after its end wait for the next one, because their webhooks may still arrive.
    pub fn next_whole_window(&self, readable: ReadableRange) -> Option<ReadWindow> {
        let from = self.begins.unwrap_or(self.read_until);
        let is_due = self.revision == 0 || readable.until >= self.read_until.plus(WHOLE_LIST_EVERY);
        let new = || ReadWindow { from, until: readable.until, next_page: PageKey::FIRST };
        self.window.clone().or_else(|| is_due.then(new))
    }

    /// Records that a page of the window was read and its missed rows were queued, and which page follows it.
    pub fn page_read(&mut self, window: ReadWindow, next_page: Option<PageKey>) {
        match next_page {
            Some(next_page) => self.window = Some(ReadWindow { next_page, ..window }),
            None => {
                self.window = None;
                self.read_until = window.until;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("RFC 3339")
    }

    fn readable(now: &str) -> ReadableRange {
        ReadableRange::at(at(now), Duration::from_secs(900), Duration::from_secs(3 * 86_400))
    }

    #[test]
    fn a_list_that_was_never_read_begins_with_the_lookback_and_totals_begin_with_the_next_hour() {
        let now = "2025-10-07T12:20:00.5Z";
        let watermark = Watermark::initial(readable(now), at(now));
        assert_eq!(watermark.read_until, at("2025-10-04T12:05:00Z"));
        assert_eq!(watermark.totals_until, at("2025-10-07T13:00:00Z"));
        assert_eq!(watermark.revised_until, Some(watermark.totals_until));
    }

    #[test]
    fn only_a_watermark_further_ahead_than_clocks_differ_is_moved_back() {
        let range = readable("2025-10-07T12:20:00Z");
        for (read_until, is_ahead) in [
            ("2025-10-07T11:00:00Z", false),
            ("2025-10-07T12:05:00Z", false),
            ("2025-10-07T12:10:00Z", false),
            ("2025-10-07T12:10:01Z", true),
            ("2025-10-08T12:00:00Z", true),
        ] {
            let stored = Watermark { read_until: at(read_until), ..Watermark::initial(range, at(read_until)) };
            assert_eq!(stored.is_ahead_of(range), is_ahead, "{read_until}");
        }
        let begun = ReadWindow { from: range.until, until: range.until.plus(HOUR), next_page: PageKey::Number(3) };
        let ahead = Watermark {
            revision: 7,
            window: Some(begun),
            overdue_after: Some("cursor".to_owned()),
            ..Watermark::initial(range, at("2025-10-09T12:20:00Z"))
        };
        let back = ahead.clone().moved_back(range);
        let known = at("2025-10-04T12:00:00Z");
        assert_eq!((back.read_until, back.window, back.begins), (range.from, None, Some(range.from)));
        assert_eq!((back.totals_until, back.revised_until), (known, Some(known)));
        assert_eq!((back.revision, back.overdue_after), (ahead.revision, ahead.overdue_after));
    }

    #[test]
    fn a_window_is_read_page_by_page_and_the_next_begins_with_an_overlap() {
        let range = readable("2025-10-07T12:20:00.7Z");
        let mut watermark = Watermark::initial(range, at("2025-10-07T12:20:00Z"));
        let window = watermark.next_window(range, HOUR).expect("three days are unread");
        assert_eq!((window.from, &window.next_page), (watermark.read_until.minus(HOUR), &PageKey::FIRST));
        assert_eq!(window.until, at("2025-10-07T12:05:00Z"), "in whole seconds");

        watermark.page_read(window.clone(), Some(PageKey::Number(2)));
        let second = watermark.next_window(range, HOUR).expect("it is not finished");
        assert_eq!(second, ReadWindow { next_page: PageKey::Number(2), ..window.clone() });
        watermark.page_read(second, None);
        assert_eq!((watermark.read_until, &watermark.window), (window.until, &None));
        assert_eq!(watermark.next_window(range, HOUR), None, "nothing new is readable");
    }

    #[test]
    fn a_list_without_dates_is_read_whole_once_a_day_and_always_from_where_it_began() {
        let first = readable("2025-10-07T12:20:00Z");
        let mut watermark = Watermark::initial(first, at("2025-10-07T12:20:00Z"));
        let window = watermark.next_whole_window(first).expect("it was never read");
        assert_eq!((window.from, window.until), (first.from, first.until));
        watermark.page_read(window.clone(), Some(PageKey::Number(2)));
        watermark.revision = 1;
        let later = readable("2025-10-08T12:00:00Z");
        let second = ReadWindow { next_page: PageKey::Number(2), ..window };
        assert_eq!(watermark.next_whole_window(later), Some(second.clone()), "it is not finished");
        watermark.page_read(second, None);
        assert_eq!(watermark.next_whole_window(later), None, "less than a day ago");
        let next_day = readable("2025-10-08T12:20:00Z");
        let again = watermark.next_whole_window(next_day).expect("a day ago");
        assert_eq!((again.from, again.until, again.next_page), (first.from, next_day.until, PageKey::FIRST));
    }
}
