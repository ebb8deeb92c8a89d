//! Pages of lists: what is requested, and what comes after.

use std::marker::PhantomData;

use fundhook_domain::Timestamp;
use fundhook_http_api::{Redactions, exact};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::settings::{FilterTime, FilterUnit, ListForm};

/// Where a page is in its list. A query without one asks for the first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The page with this number, from 1.
    Page(u32),
    /// The page that the provider calls by this cursor.
    Cursor(String),
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<R> {
    /// The rows, byte for byte as the provider sent them.
    pub rows: Vec<Box<RawValue>>,
    /// The page after this one; `None` after the last page. No list documents its order, so a reader goes on to the last
    /// page and recognises rows by their id.
    pub next: Option<Position>,
    row: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> Page<R> {
    /// The rows as typed values, in order. A row that cannot be parsed does not affect the others. Its error may quote the
    /// row's content, so do not log it.
    pub fn typed(&self) -> Vec<Result<R, serde_json::Error>> {
        self.rows.iter().map(|row| serde_json::from_str(row.get())).collect()
    }
}

/// How a list says what comes after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// The response has `total_pages`.
    TotalPages,
    /// The response has no number of pages. A page with fewer rows than requested is the last.
    ShortPage,
    /// The response has `pagination.nextCursor`.
    Cursor,
}

impl Paging {
    /// The shape of a page, for errors.
    pub(crate) fn shape(self) -> &'static str {
        match self {
            Self::TotalPages => "{message: […], total_pages}",
            Self::ShortPage => "{message: […]}",
            Self::Cursor => "{message: […], pagination: {nextCursor}}",
        }
    }

    /// The page in `reply`, or why it cannot be used. `requested` is its position, `size` the rows that were asked for.
    pub(crate) fn page<R>(self, reply: PageReply, requested: &Position, size: Option<u32>) -> Result<Page<R>, String> {
        let rows = u32::try_from(reply.rows.len()).unwrap_or(u32::MAX);
        let next = match (self, requested) {
            (Self::TotalPages | Self::ShortPage, Position::Page(page)) => {
                let page = *page;
                if let Some(other) = reply.page.filter(|other| *other != page) {
                    return Err(format!("the response is page {other}, expected page {page}"));
                }
                let goes_on = match self {
                    Self::TotalPages => page < reply.total_pages.ok_or("the response has no total_pages")?,
                    Self::ShortPage | Self::Cursor => {
                        let total = reply.total.or(reply.count);
                        more_after(page, size.unwrap_or(rows), rows, total)
                    }
                };
                goes_on.then(|| Position::Page(page.saturating_add(1)))
            }
            (Self::Cursor, requested) => {
                let next = reply.pagination.and_then(|pagination| pagination.next_cursor);
                let next = next.filter(|cursor| !cursor.is_empty()).map(Position::Cursor);
                if next.as_ref() == Some(requested) {
                    return Err("the cursor of the next page is that of this page, expected another one".to_owned());
                }
                next
            }
            (Self::TotalPages | Self::ShortPage, Position::Cursor(_)) => None,
        };
        Ok(Page { rows: reply.rows, next, row: PhantomData })
    }
}

/// Whether rows come after `page`, which has `rows` of the requested `size`, in a list that does not say how many pages it
/// has. A short page is the last one, unless `total` says that the provider puts fewer rows on a page than requested. A full
/// page is never the last one, because `total` may also mean the rows of this page.
fn more_after(page: u32, size: u32, rows: u32, total: Option<u64>) -> bool {
    let before = u64::from(page.saturating_sub(1)) * u64::from(size);
    let rows_before_next = before + u64::from(rows);
    rows > 0 && (rows >= size || total.is_some_and(|total| total > u64::from(rows) && total != rows_before_next))
}

/// The provider's response to the request of a page.
#[derive(Deserialize)]
pub(crate) struct PageReply {
    #[serde(rename = "message", deserialize_with = "exact::rows")]
    rows: Vec<Box<RawValue>>,
    #[serde(default, deserialize_with = "exact::optional_whole")]
    page: Option<u32>,
    #[serde(default, deserialize_with = "exact::optional_whole")]
    total_pages: Option<u32>,
    #[serde(default, deserialize_with = "exact::optional_whole")]
    total: Option<u64>,
    #[serde(default, deserialize_with = "exact::optional_whole")]
    count: Option<u64>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(default, rename = "nextCursor", deserialize_with = "exact::optional_text")]
    next_cursor: Option<String>,
}

/// A window of time, open where a bound is `None`. Bounds are rounded outwards to the unit in which they are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeWindow {
    /// The earliest time, inclusive.
    pub from: Option<Timestamp>,
    /// The earliest time, exclusive.
    pub after: Option<Timestamp>,
    /// The latest time, exclusive.
    pub before: Option<Timestamp>,
    /// The latest time, inclusive.
    pub until: Option<Timestamp>,
}

impl TimeWindow {
    /// From `from` to before `before`.
    pub fn between(from: Timestamp, before: Timestamp) -> Self {
        Self { from: Some(from), before: Some(before), ..Self::default() }
    }
}

/// The filters of a query, in the order in which they are sent.
#[derive(Default)]
pub(crate) struct Filters {
    pairs: Vec<(String, String)>,
    personal: Vec<String>,
}

impl Filters {
    /// A filter whose value may be shown in an error.
    pub(crate) fn text(mut self, name: &str, value: Option<&String>) -> Self {
        self.pairs.extend(value.map(|value| (name.to_owned(), value.clone())));
        self
    }

    /// A filter by data about a user, which no error repeats.
    pub(crate) fn personal(mut self, name: &str, value: Option<&String>) -> Self {
        self.personal.extend(value.cloned());
        self.text(name, value)
    }

    /// A filter by data about several users, which no error repeats.
    pub(crate) fn personal_list(mut self, name: &str, values: &[String], form: ListForm) -> Self {
        self.personal.extend(values.iter().cloned());
        self.list(name, values, form)
    }

    pub(crate) fn flag(mut self, name: &str, value: Option<bool>) -> Self {
        self.pairs.extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    /// A filter with several values.
    pub(crate) fn list(mut self, name: &str, values: &[String], form: ListForm) -> Self {
        match form {
            ListForm::Repeated => self.pairs.extend(values.iter().map(|value| (name.to_owned(), value.clone()))),
            ListForm::Commas if values.is_empty() => {}
            ListForm::Commas => self.pairs.push((name.to_owned(), values.join(","))),
        }
        self
    }

    /// The lower bound of a window, rounded down.
    pub(crate) fn from(mut self, name: &str, at: Option<Timestamp>, form: FilterTime) -> Self {
        self.pairs.extend(at.map(|at| (name.to_owned(), written(at, form, false))));
        self
    }

    /// The upper bound of a window, rounded up, so that rounding never leaves a row out.
    pub(crate) fn to(mut self, name: &str, at: Option<Timestamp>, form: FilterTime) -> Self {
        self.pairs.extend(at.map(|at| (name.to_owned(), written(at, form, true))));
        self
    }

    /// The bounds of a window, as parameters with these beginnings and ends around `gte`, `gt`, `lt` and `lte`.
    pub(crate) fn window(self, start: &str, end: &str, window: TimeWindow, form: FilterTime) -> Self {
        let name = |bound: &str| format!("{start}{bound}{end}");
        self.from(&name("gte"), window.from, form)
            .from(&name("gt"), window.after, form)
            .to(&name("lt"), window.before, form)
            .to(&name("lte"), window.until, form)
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    pub(crate) fn redactions(&self) -> Redactions {
        Redactions::of(self.personal.iter().cloned())
    }
}

/// `at` in the form of a filter.
fn written(at: Timestamp, form: FilterTime, rounds_up: bool) -> String {
    let second = at.whole_second();
    let fraction = at.since(second);
    let (units, finer) = match form {
        FilterTime::Rfc3339 => return at.to_string(),
        FilterTime::Unix(FilterUnit::Seconds) => (i128::from(at.unix_seconds()), !fraction.is_zero()),
        FilterTime::Unix(FilterUnit::Milliseconds) => {
            let milliseconds = i128::from(at.unix_seconds()) * 1000 + i128::from(fraction.subsec_millis());
            (milliseconds, !fraction.subsec_nanos().is_multiple_of(1_000_000))
        }
    };
    (units + i128::from(rounds_up && finer)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_page_is_the_last_unless_the_total_says_that_pages_are_smaller_than_requested() {
        for (page, size, rows, total, more) in [
            (1, 50, 0, None, false),
            (1, 50, 50, None, true),
            (2, 50, 49, None, false),
            (1, 50, 20, Some(20), false),
            (3, 50, 20, Some(120), false),
            // Twenty rows on a page, although fifty were asked for.
            (1, 50, 20, Some(45), true),
            (2, 50, 20, Some(45), true),
            (3, 50, 5, Some(45), true),
            (4, 50, 0, Some(45), false),
            // The number of rows on this page, not of all.
            (1, 50, 50, Some(50), true),
            (2, 50, 7, Some(7), false),
        ] {
            assert_eq!(more_after(page, size, rows, total), more, "page {page}: {rows} of {size}, total {total:?}");
        }
    }

    #[test]
    fn times_are_rounded_outwards_to_the_unit_of_the_filter() {
        let at: Timestamp = "2026-01-01T00:00:00.0015Z".parse().expect("a time");
        let whole: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let (ms, s) = (FilterTime::Unix(FilterUnit::Milliseconds), FilterTime::Unix(FilterUnit::Seconds));
        for (at, form, from, to) in [
            (at, ms, "1767225600001", "1767225600002"),
            (at, s, "1767225600", "1767225601"),
            (at, FilterTime::Rfc3339, "2026-01-01T00:00:00.001500Z", "2026-01-01T00:00:00.001500Z"),
            (whole, ms, "1767225600000", "1767225600000"),
            (whole, s, "1767225600", "1767225600"),
        ] {
            assert_eq!((written(at, form, false).as_str(), written(at, form, true).as_str()), (from, to));
        }
    }
}
