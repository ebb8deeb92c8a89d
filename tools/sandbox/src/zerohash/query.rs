//! The parameters of a list. Unknown ones are refused: they would filter nothing, and no test would notice.

use fundhook_domain::Timestamp;

use super::page::{Filter, List, Paging, Unit};
use super::rows::Row;

/// The parsed query of a list.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(super) list: List,
    pub(super) page: usize,
    pub(super) size: usize,
    pub(super) cursor: Option<String>,
    filters: Vec<(Filter, String)>,
}

impl Query {
    /// The query of `list` with these parameters; if it is invalid, why.
    pub(crate) fn of(list: List, pairs: Vec<(String, String)>) -> Result<Self, String> {
        let (size_name, default, max) = list.size();
        let mut query = Self { list, page: 1, size: default, cursor: None, filters: Vec::new() };
        for (name, value) in pairs {
            let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
            let invalid = |expected: &str| format!("{name} is {value}, expected {expected}");
            if name == "page" && list.paging() != Paging::Cursor {
                query.page = number().ok_or_else(|| invalid("1 or more"))?;
            } else if name == "cursor" && list.paging() == Paging::Cursor {
                query.cursor = Some(value);
            } else if Some(name.as_str()) == size_name {
                let size = number().filter(|size| *size <= max);
                query.size = size.ok_or_else(|| invalid(&format!("1 to {max}")))?;
            } else if let Some(filter) = list.filters().into_iter().find(|filter| filter.is_named(&name)) {
                if !filter.allows(&value) {
                    return Err(invalid("a time in the unit of the filter"));
                }
                query.filters.push((filter, value));
            } else {
                return Err(format!("unknown parameter {name}"));
            }
        }
        Ok(query)
    }

    /// Whether it selects the row. Several values of one filter select the rows of any of them.
    pub(super) fn matches(&self, row: &Row, now: Timestamp) -> bool {
        let fits = |(filter, _): &(Filter, String)| {
            let same = self.filters.iter().filter(|(other, _)| other == filter);
            same.clone().any(|(_, value)| filter.matches(value, row))
        };
        self.filters.iter().all(fits) && self.is_recent_enough(row, now)
    }

    /// `GET /payments/status` lists the last day only, unless a date is given [zerohash-openapi].
    fn is_recent_enough(&self, row: &Row, now: Timestamp) -> bool {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let is_dated = self.filters.iter().any(|(filter, _)| filter.is_bound());
        self.list != List::PaymentStatuses
            || is_dated
            || row.dated_ms.saturating_add(DAY_MS) >= crate::connect::unix_ms(now)
    }
}

impl Filter {
    fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Is { parameter, .. } | Self::From { parameter, .. } | Self::Until { parameter, .. } => {
                name == *parameter
            }
            Self::After { parameter, .. } | Self::Before { parameter, .. } => name == *parameter,
            Self::Ignored { parameter } => name == *parameter,
        }
    }

    fn is_bound(&self) -> bool {
        match self {
            Self::From { .. } | Self::Until { .. } | Self::After { .. } | Self::Before { .. } => true,
            Self::Is { .. } | Self::Ignored { .. } => false,
        }
    }

    /// Whether the value has the filter's form.
    fn allows(&self, value: &str) -> bool {
        match self {
            Self::Is { .. } | Self::Ignored { .. } => true,
            Self::From { unit, .. }
            | Self::Until { unit, .. }
            | Self::After { unit, .. }
            | Self::Before { unit, .. } => unit.read(value).is_some(),
        }
    }

    fn matches(&self, value: &str, row: &Row) -> bool {
        let bound = |unit: &Unit, keeps: fn(u64, u64) -> bool| {
            unit.read(value).is_some_and(|bound| keeps(unit.of_row(row.dated_ms), bound))
        };
        match self {
            // States are written in upper case in filters and in lower case in rows. Several values have commas between them.
            Self::Is { member, .. } => {
                let stated = row.text(member);
                value.split(',').any(|value| stated.eq_ignore_ascii_case(value))
            }
            Self::Ignored { .. } => true,
            Self::From { unit, .. } => bound(unit, |dated, bound| dated >= bound),
            Self::After { unit, .. } => bound(unit, |dated, bound| dated > bound),
            Self::Before { unit, .. } => bound(unit, |dated, bound| dated < bound),
            Self::Until { unit, .. } => bound(unit, |dated, bound| dated <= bound),
        }
    }
}

impl Unit {
    /// A bound in units of this filter.
    fn read(self, value: &str) -> Option<u64> {
        match self {
            Self::Milliseconds | Self::Seconds => value.parse().ok(),
            Self::Rfc3339 => value.parse().ok().map(crate::connect::unix_ms),
        }
    }

    /// The time of a row in units of this filter.
    fn of_row(self, dated_ms: u64) -> u64 {
        match self {
            Self::Milliseconds | Self::Rfc3339 => dated_ms,
            Self::Seconds => dated_ms / 1000,
        }
    }
}
