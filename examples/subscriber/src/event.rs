//! Parses an event and determines what it books.

use std::collections::BTreeMap;

use bigdecimal::BigDecimal;
use serde::Deserialize;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::{Decimal, DecimalError};

/// An event as the ledger books it: balanced lines, each to one account in one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    event_id: String,
    event_type: String,
    resource: String,
    time: String,
    tenant: Option<String>,
    lines: Vec<Line>,
}

/// An amount that is booked to one account. Debits are above zero, credits below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    account: String,
    asset: String,
    value: Decimal,
}

/// Why an event cannot be booked. Repeating does not help.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not a CloudEvent of Fundhook. The text names the place without quoting the message.
    #[error("the message is not one of Fundhook's events: {0}")]
    Shape(String),
    #[error("the event has the CloudEvents version {0:?}, expected \"1.0\"")]
    Version(String),
    #[error("the event's time {0:?} is not a date-time such as 2026-01-01T00:00:00Z")]
    Time(String),
    /// A member is empty, or contains what separates the parts of a key.
    #[error("the {0} of the event is empty or contains a #")]
    Name(&'static str),
    #[error("a line of the event cannot be booked")]
    Value(#[from] DecimalError),
    #[error("the lines of the event do not balance: in {asset}, debits and credits differ by {difference}")]
    NotBalanced { asset: String, difference: String },
}

#[derive(Deserialize)]
struct Event {
    specversion: String,
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    time: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    resource: String,
    tenant: Option<String>,
    postings: Vec<Posting>,
}

#[derive(Deserialize)]
struct Posting {
    ledger_account: String,
    direction: Direction,
    value: String,
    asset: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Debit,
    Credit,
}

impl Entry {
    /// Parses an event. One without lines books nothing.
    pub fn from_event(json: &str) -> Result<Self, EventError> {
        let Event { specversion, id, event_type, time, data } = serde_json::from_str(json).map_err(shape)?;
        if specversion != "1.0" {
            return Err(EventError::Version(specversion));
        }
        let Data { resource, tenant, postings } = data;
        let mut lines: BTreeMap<(String, String), BigDecimal> = BTreeMap::new();
        for Posting { ledger_account, direction, value, asset } in postings {
            let value: Decimal = value.parse()?;
            let signed = match direction {
                Direction::Debit => value.into_inner(),
                Direction::Credit => -value.into_inner(),
            };
            let key = (present("ledger account", ledger_account)?, without_separator("asset", asset)?);
            *lines.entry(key).or_default() += signed;
        }
        let lines = lines.into_iter().filter(|(_, value)| *value != 0);
        let line = |((account, asset), value)| Ok(Line { account, asset, value: Decimal::of(value)? });
        let lines: Vec<Line> = lines.map(line).collect::<Result<_, DecimalError>>()?;
        balanced(&lines)?;
        let tenant = tenant.map(|tenant| without_separator("tenant", tenant)).transpose()?;
        Ok(Self { event_id: id, event_type, resource, time: sortable(&time)?, tenant, lines })
    }

    /// The event's id. The same change has the same id however often it is delivered.
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// The event's type: `fundhook.deposit.confirmed`.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// The resource that changed.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// When it happened, according to the provider: with nine digits after the second, so that texts sort as times.
    pub fn time(&self) -> &str {
        &self.time
    }

    /// The organization whose books these are; `None` when there is one.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// What is booked: at most one line for each account and asset. They balance.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

impl Line {
    /// The ledger account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The asset.
    pub fn asset(&self) -> &str {
        &self.asset
    }

    /// The amount in whole units of the asset: above zero for a debit, below for a credit.
    pub fn value(&self) -> &Decimal {
        &self.value
    }
}

/// The time in UTC with nine digits after the second.
fn sortable(time: &str) -> Result<String, EventError> {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z");
    let shown = || EventError::Time(time.chars().take(64).collect());
    let time = OffsetDateTime::parse(time, &Rfc3339).map_err(|_| shown())?;
    time.to_offset(UtcOffset::UTC).format(FORMAT).map_err(|_| shown())
}

/// That debits equal credits in each asset.
fn balanced(lines: &[Line]) -> Result<(), EventError> {
    let mut sums: BTreeMap<&str, BigDecimal> = BTreeMap::new();
    lines.iter().for_each(|line| *sums.entry(&line.asset).or_default() += line.value.inner());
    match sums.into_iter().find(|(_, sum)| *sum != 0) {
        None => Ok(()),
        Some((asset, difference)) => {
            let difference = difference.normalized().to_plain_string();
            Err(EventError::NotBalanced { asset: asset.to_owned(), difference })
        }
    }
}

/// Errors of `serde_json` quote the input, which must not be logged.
fn shape(error: serde_json::Error) -> EventError {
    let what = match error.classify() {
        serde_json::error::Category::Io => "it could not be read",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "it has another shape",
        serde_json::error::Category::Eof => "it ends too early",
    };
    EventError::Shape(format!("{what}, at line {} column {}", error.line(), error.column()))
}

fn present(name: &'static str, value: String) -> Result<String, EventError> {
    if value.trim().is_empty() { Err(EventError::Name(name)) } else { Ok(value) }
}

/// A part of a key that ends before the next `#`. An account may contain one, because it is the last part.
fn without_separator(name: &'static str, value: String) -> Result<String, EventError> {
    let value = present(name, value)?;
    if value.contains('#') { Err(EventError::Name(name)) } else { Ok(value) }
}
