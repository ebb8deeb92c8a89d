//! Whether the webhooks of a feed still come: what its lists contain, and which of it a webhook told too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use fundhook_domain::{Fact, Kind, Resource, ResourceId, Statement, Timestamp};
use serde::{Deserialize, Serialize};

use crate::plan::Recorded;

/// How many rows make a feed busy. Fewer may be webhooks that were lost one by one.
pub const BUSY_ROWS: usize = 5;

/// Within which time a feed that is busy has so many rows.
pub const BUSY_WITHIN: Duration = Duration::from_secs(86_400);

/// Which rows of a list no webhook told. It is stored with the list's watermark, so that it spans the runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsWithoutWebhook {
    /// Rows that are dated earlier are not counted: their webhooks may have been sent before there was a URL to send to.
    /// `None` if an older version stored the watermark, which had read those rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    counted_from: Option<Timestamp>,
    /// When the last webhook was received that is about a row of the list.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    last_webhook_at: Option<Timestamp>,
    /// The date of the first row without a webhook that is later than that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    since: Option<Timestamp>,
    /// The dates of the latest such rows, in order: [`BUSY_ROWS`] at most.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    latest: Vec<Timestamp>,
}

/// How many rows were read for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// All of them.
    pub listed: u64,
    /// Those that no webhook told.
    pub without_webhook: u64,
}

/// No webhook tells what the lists of a busy feed contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The date of the first row without a webhook.
    pub since: Timestamp,
    /// When the last webhook about a listed row was received, if there was one.
    pub last_webhook_at: Option<Timestamp>,
}

/// A row, with the date by which it is counted.
#[derive(Clone, Copy, Debug)]
pub struct DatedRow<'a> {
    /// The date; `None` if the row has none that the list was asked for.
    pub dated: Option<Timestamp>,
    /// What the row states.
    pub statement: &'a Statement,
}

impl RowCounts {
    /// Adds the counts of other rows.
    pub fn add(&mut self, other: Self) {
        self.listed += other.listed;
        self.without_webhook += other.without_webhook;
    }
}

impl RowsWithoutWebhook {
    /// No rows, of a list whose rows are counted if they are dated `from` or later.
    pub fn counted_from(from: Timestamp) -> Self {
        Self { counted_from: Some(from), ..Self::default() }
    }

    /// When the last webhook was received that is about a row of the list.
    pub fn last_webhook_at(&self) -> Option<Timestamp> {
        self.last_webhook_at
    }

    /// Adds a page. `recorded` is what is recorded of its rows. A row is counted if it is dated in `new`: the others were
    /// read before. Of those, only webhooks that have been received since count.
    pub fn add_page(&mut self, rows: &[DatedRow<'_>], recorded: &[Resource], new: &Range<Timestamp>) -> RowCounts {
        let recorded = Recorded::of(recorded);
        let understood = rows.iter().filter(|row| row.statement.resource.kind() != Kind::Unrecognized);
        let by_resource: BTreeMap<&ResourceId, DatedRow<'_>> =
            understood.map(|row| (&row.statement.resource, *row)).collect();
        let told: Vec<(Timestamp, Option<Timestamp>)> = by_resource
            .into_values()
            .filter_map(|row| {
                let known = recorded.matching(row.statement);
                let webhook = known.and_then(last_webhook);
                let stated = row.statement.content.occurred_at;
                let dated = match (row.dated, known) {
                    (Some(dated), _) => dated,
                    // Without a date of its own, it is new if nothing is recorded of it yet, whatever time it states.
                    (None, None) => stated.min(new.end.minus(Duration::from_secs(1))).max(new.start),
                    (None, Some(_)) if webhook.is_none() => return None,
                    (None, Some(_)) => stated,
                };
                Some((dated, webhook))
            })
            .collect();
        self.webhook_received(told.iter().filter_map(|(_, webhook)| *webhook).max());

        let is_counted = |dated: &Timestamp| new.contains(dated) && Some(*dated) >= self.counted_from;
        let counted: Vec<_> = told.into_iter().filter(|(dated, _)| is_counted(dated)).collect();
        let without: BTreeSet<(Timestamp, usize)> = counted
            .iter()
            .enumerate()
            .filter_map(|(nth, (dated, webhook))| webhook.is_none().then_some((*dated, nth)))
            .collect();
        let counts = RowCounts { listed: counted.len() as u64, without_webhook: without.len() as u64 };
        without.into_iter().for_each(|(dated, _)| self.add_row(dated));
        counts
    }

    fn webhook_received(&mut self, at: Option<Timestamp>) {
        if at > self.last_webhook_at {
            self.last_webhook_at = at;
            self.latest.retain(|dated| Some(*dated) > at);
            self.since = self.latest.first().copied();
        }
    }

    fn add_row(&mut self, dated: Timestamp) {
        if Some(dated) <= self.last_webhook_at {
            return;
        }
        // After a quiet time, a row begins a new silence.
        let is_alone = self.latest.last().is_none_or(|latest| dated.since(*latest) > BUSY_WITHIN);
        self.since = self.since.filter(|_| !is_alone).map(|since| since.min(dated)).or(Some(dated));
        let place = self.latest.partition_point(|known| *known <= dated);
        self.latest.insert(place, dated);
        let too_many = self.latest.len().saturating_sub(BUSY_ROWS);
        self.latest.drain(..too_many);
    }
}

/// The silence of a feed with these lists at `now`; `None` if it is not busy, or a webhook told one of the latest rows.
///
/// It is busy if its lists had [`BUSY_ROWS`] rows or more within [`BUSY_WITHIN`], and silent if none of them was told by a
/// webhook, nor any other row after them. The lists of a feed are taken together, because a provider may send no webhooks
/// about what one of them contains.
pub fn silence<'a>(lists: impl IntoIterator<Item = &'a RowsWithoutWebhook>, now: Timestamp) -> Option<Silence> {
    let lists: Vec<&RowsWithoutWebhook> = lists.into_iter().collect();
    let last_webhook_at = lists.iter().filter_map(|list| list.last_webhook_at).max();
    let is_recent = |dated: &&Timestamp| Some(**dated) > last_webhook_at && now.since(**dated) <= BUSY_WITHIN;
    let of_busy_list = |list: &&&RowsWithoutWebhook| list.latest.iter().any(|dated| is_recent(&dated));
    if lists.iter().flat_map(|list| &list.latest).filter(is_recent).count() < BUSY_ROWS {
        return None;
    }
    let since = lists.iter().filter(of_busy_list).filter_map(|list| list.since).min()?;
    Some(Silence { since: since.max(last_webhook_at.unwrap_or(since)), last_webhook_at })
}

/// When the last webhook about the resource was received.
fn last_webhook(resource: &Resource) -> Option<Timestamp> {
    let statements = resource.facts().iter().filter_map(Fact::statement);
    let webhooks = statements.filter(|statement| statement.evidence.is_from_webhook());
    webhooks.map(|statement| statement.evidence.received_at).max()
}
