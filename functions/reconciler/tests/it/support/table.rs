//! A table in memory: resources made by the real `fold`, its sparse indexes, and what reconciliation stores.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{Claim, Event, Feed, NewFact, Ownership, Resource, ResourceId, Timestamp, events_after, fold};
use fundhook_ports::{
    AccountResources, Advance, Claims, IndexEntry, IndexPage, OpenQuery, OpenResources, PortError, Receipts, Reports,
    Resources, SettledDeposits, Watermarks, Write, WriteOutcome,
};
use fundhook_reconciliation::{Receipt, receipt_of};
use fundhook_reconciliation::{Report, Watermark};
use serde_json::{Value, json};

use super::steps::Steps;
use super::{Shared, failure};

/// Everything that is stored, and what was published.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) resources: BTreeMap<ResourceId, Resource>,
    pub(crate) claims: BTreeMap<String, Claim>,
    pub(crate) receipts: BTreeMap<ResourceId, Receipt>,
    pub(crate) watermarks: BTreeMap<Feed, Watermark>,
    /// The reports by the beginning of their hours.
    pub(crate) reports: BTreeMap<(Feed, Timestamp), Report>,
    /// How often a report was stored.
    pub(crate) puts: usize,
    pub(crate) published: Vec<Event>,
    /// How many entries a page of an index has.
    pub(crate) index_page: usize,
    pub(crate) indexes: BTreeMap<ResourceId, Keys>,
    /// The indexes of an earlier time, when they lag behind the table.
    pub(crate) lagging: Option<BTreeMap<ResourceId, Keys>>,
}

impl Contents {
    /// Does what the state updater and the publisher do with a message.
    pub(crate) fn record(&mut self, fact: NewFact, now: Timestamp) {
        let id = fact.resource.clone();
        let current = self.resources.get(&id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()));
        let read_version = current.version();
        let folded = fold(current, fact).into_resource();
        if folded.version() == read_version {
            return;
        }
        let due = folded.claim_due();
        let taken = due.and_then(|claim| self.claims.get(&claim.coin).cloned());
        let (resource, claim) = folded.claiming(taken.as_ref(), read_version);
        self.claims.extend(claim.map(|claim| (claim.coin.clone(), claim)));
        let events = events_after(&resource, read_version);
        let receipts = events.iter().filter_map(|event| receipt_of(event, now));
        self.receipts.extend(receipts.map(|receipt| (receipt.resource.clone(), receipt)));
        self.published.extend(events);
        self.indexes.insert(id.clone(), Keys::of(&resource, now));
        self.resources.insert(id, resource);
    }

    fn indexed(&self) -> impl Iterator<Item = (&ResourceId, &Keys)> {
        self.lagging.as_ref().unwrap_or(&self.indexes).iter()
    }

    fn open(&self, query: OpenQuery<'_>) -> IndexPage {
        let keys = self.indexed().filter_map(|(id, keys)| {
            let is_wanted = |since: Timestamp| query.from.is_none_or(|from| since >= from) && since < query.before;
            let (_, since) = keys.open.filter(|(is, since)| *is == query.overdue && is_wanted(*since))?;
            (id.kind() == query.kind).then(|| (format!("{} {id}", since.sortable()), id.clone()))
        });
        let keys: BTreeMap<String, ResourceId> = keys.collect();
        let mut left = keys.into_iter().filter(|(key, _)| query.after.is_none_or(|after| key.as_str() > after));
        let page_size = self.index_page.min(query.limit.into());
        let entries = left.by_ref().take(page_size).map(|(cursor, resource)| IndexEntry { resource, cursor }).collect();
        IndexPage { entries, is_last: left.next().is_none() }
    }

    fn settled(&self, feed: &Feed, from: Timestamp, before: Timestamp) -> Vec<ResourceId> {
        let is_there = |keys: &Keys| keys.settled.is_some_and(|at| (from..before).contains(&at));
        let there = self.indexed().filter(|(id, keys)| id.feed() == feed && is_there(keys));
        there.map(|(id, _)| id.clone()).collect()
    }

    fn of_account(&self, account: &str, since: Timestamp) -> Vec<ResourceId> {
        let is_about = |keys: &Keys| keys.account.as_deref() == Some(account) && keys.updated_at >= since;
        let there = self.indexed().filter(|(_, keys)| is_about(keys));
        there.map(|(id, _)| id.clone()).collect()
    }
}

/// The keys of a resource in the sparse indexes.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// Of a resource that awaits a further status: whether it was reported overdue, and since when it has its status.
    open: Option<(bool, Timestamp)>,
    /// When a credited deposit was confirmed.
    settled: Option<Timestamp>,
    account: Option<String>,
    /// When the resource was last written.
    updated_at: Timestamp,
}

impl Keys {
    fn of(resource: &Resource, updated_at: Timestamp) -> Self {
        let current_status = resource.current_status().filter(|current_status| current_status.status.is_awaited());
        let is_duplicate = matches!(resource.ownership(), Ownership::DuplicateOf { .. });
        let view = resource.view();
        let credited = view.as_ref().filter(|view| view.is_confirmed_deposit() && !is_duplicate);
        Self {
            open: current_status.map(|current_status| (resource.is_overdue(), current_status.since)),
            settled: credited.map(|view| view.occurred_at),
            account: view.as_ref().and_then(|view| view.details.account()).map(str::to_owned),
            updated_at,
        }
    }

    /// The keys by name.
    pub(super) fn named(&self) -> Value {
        // Destructured, so that a new index cannot be forgotten here. The time of writing is not compared.
        let Self { open, settled, account, updated_at: _ } = self;
        let (overdue, open_since) = open.unzip();
        json!({ "overdue": overdue, "open_since": open_since, "settled": settled, "account": account })
    }
}

/// The table.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) contents: Shared<Contents>,
    pub(crate) steps: Steps,
}

impl Resources for Table {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        self.steps.reach("before resources are read").await?;
        let contents = self.contents.lock();
        let read =
            |id: &ResourceId| contents.resources.get(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()));
        // The port promises no order.
        Ok(ids.iter().rev().map(read).collect())
    }

    async fn write(&self, writes: Vec<Write>, _now: Timestamp) -> Vec<WriteOutcome> {
        writes.iter().map(|_| WriteOutcome::Failed(failure("the reconciler writes no resources"))).collect()
    }
}

impl Watermarks for Table {
    async fn load(&self, feed: &Feed) -> Result<Option<Watermark>, PortError> {
        self.steps.reach("before the watermark is read").await?;
        Ok(self.contents.lock().watermarks.get(feed).cloned())
    }

    async fn advance(&self, feed: &Feed, to: &Watermark) -> Result<Advance, PortError> {
        self.steps.reach("before the watermark is moved").await?;
        {
            let mut contents = self.contents.lock();
            let stored = contents.watermarks.get(feed).map_or(0, |stored| stored.revision);
            if to.revision != stored + 1 {
                return Ok(Advance::Lost);
            }
            contents.watermarks.insert(feed.clone(), to.clone());
        }
        self.steps.reach("after the watermark is moved").await?;
        Ok(Advance::Stored)
    }
}

impl OpenResources for Table {
    async fn open(&self, query: OpenQuery<'_>) -> Result<IndexPage, PortError> {
        self.steps.reach("before open resources are read").await?;
        Ok(self.contents.lock().open(query))
    }
}

impl SettledDeposits for Table {
    async fn settled(&self, feed: &Feed, from: Timestamp, before: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        // The index has a partition for each day.
        assert_eq!(from.day_start(), before.minus(Duration::from_nanos(1)).day_start(), "{from} to {before}");
        self.steps.reach("before confirmed deposits are read").await?;
        Ok(self.contents.lock().settled(feed, from, before))
    }
}

impl AccountResources for Table {
    async fn of_account(&self, account: &str, since: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        self.steps.reach("before a user's deposits are read").await?;
        Ok(self.contents.lock().of_account(account, since))
    }
}

impl Claims for Table {
    async fn claims(&self, coins: &[String]) -> Result<Vec<Claim>, PortError> {
        self.steps.reach("before claims are read").await?;
        let contents = self.contents.lock();
        Ok(coins.iter().filter_map(|coin| contents.claims.get(coin).cloned()).collect())
    }
}

impl Receipts for Table {
    async fn note(&self, _receipts: &[Receipt]) -> Result<(), PortError> {
        Err(failure("the reconciler stores no receipts"))
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        self.steps.reach("before receipts are read").await?;
        let contents = self.contents.lock();
        Ok(resources.iter().filter_map(|id| contents.receipts.get(id).cloned()).collect())
    }
}

impl Reports for Table {
    async fn put(&self, report: &Report) -> Result<(), PortError> {
        self.steps.reach("before a report is stored").await?;
        {
            let mut contents = self.contents.lock();
            contents.puts += 1;
            contents.reports.insert((report.feed.clone(), report.from), report.clone());
        }
        self.steps.reach("after a report is stored").await
    }

    async fn of_day(&self, feed: &Feed, day: Timestamp) -> Result<Vec<Report>, PortError> {
        let contents = self.contents.lock();
        let of_day = contents.reports.values().filter(|report| report.feed == *feed && report.from.day_start() == day);
        Ok(of_day.cloned().collect())
    }
}
