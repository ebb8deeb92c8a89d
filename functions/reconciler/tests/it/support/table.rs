//! A table in memory: resources made by the real `fold`, its sparse indexes, and what reconciliation stores.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{
    Claim, ClaimKey, Feed, Kind, ListId, NewFact, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp,
};
use fundhook_ports::fakes::{Fake, ReceiptTable, ResourceTable};
use fundhook_ports::{
    AccountResources, Advance, Claims, IndexEntry, IndexPage, MovementsMarks, OpenQuery, OpenResources, PortError,
    Receipts, Reports, SettledResources, Watermarks,
};
use fundhook_reconciliation::{MovementsMark, Receipt, Report, Watermark, last_movement_received, receipt_of};
use serde_json::{Value, json};

/// The table.
#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) resources: Fake<ResourceTable>,
    pub(crate) receipts: Fake<ReceiptTable>,
    pub(crate) contents: Fake<Contents>,
}

impl Table {
    /// Does what the state updater and the publisher do with a message.
    pub(crate) fn record(&self, fact: NewFact, now: Timestamp) {
        let mut table = self.resources.now();
        let versions = |table: &ResourceTable| -> BTreeMap<ResourceId, u64> {
            table.resources.iter().map(|(id, resource)| (id.clone(), resource.version())).collect()
        };
        let (before, published) = (versions(&table), table.published.len());
        table.record(fact);
        // A fact may change others too: the owner of a second name, and the deposits of a coin.
        let changed = versions(&table).into_iter().filter(|(id, version)| before.get(id) != Some(version));
        let changed: Vec<Resource> = changed.map(|(id, _)| table.resource(&id)).collect();
        let receipts = table.published[published..].iter().filter_map(|event| receipt_of(event, now));
        self.receipts.now().stored.extend(receipts.map(|receipt| (receipt.resource.clone(), receipt)));
        let keys = changed.iter().map(|resource| (resource.id().clone(), Keys::of(resource, now)));
        self.contents.now().indexes.extend(keys);
    }
}

/// The indexes, and what reconciliation stores.
pub(crate) struct Contents {
    pub(crate) watermarks: BTreeMap<ListId, Watermark>,
    pub(crate) movements: Option<MovementsMark>,
    /// The reports by the beginning of their hours.
    pub(crate) reports: BTreeMap<(ListId, Timestamp), Report>,
    /// How often a report was stored.
    pub(crate) puts: usize,
    /// How many entries a page of an index has.
    pub(crate) index_page: usize,
    pub(crate) indexes: BTreeMap<ResourceId, Keys>,
    /// The indexes of an earlier time, when they lag behind the table.
    pub(crate) lagging: Option<BTreeMap<ResourceId, Keys>>,
}

impl Default for Contents {
    fn default() -> Self {
        let (watermarks, reports, indexes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { watermarks, movements: None, reports, puts: 0, index_page: 100, indexes, lagging: None }
    }
}

impl Contents {
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

    fn settled(&self, feed: &Feed, kind: Kind, from: Timestamp, before: Timestamp) -> Vec<ResourceId> {
        let is_there = |keys: &Keys| keys.settled.is_some_and(|at| (from..before).contains(&at));
        let there = self.indexed().filter(|(id, keys)| id.feed() == feed && id.kind() == kind && is_there(keys));
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
    /// When a credited deposit or a withdrawal was confirmed.
    settled: Option<Timestamp>,
    account: Option<String>,
    /// When the resource was last written.
    updated_at: Timestamp,
}

impl Keys {
    fn of(resource: &Resource, updated_at: Timestamp) -> Self {
        let current_status = resource.current_status().filter(|current_status| current_status.is_awaited);
        let view = resource.view();
        let settled = view.as_ref().filter(|view| view.is_settled());
        Self {
            open: current_status
                .map(|current_status| (resource.is_overdue(), current_status.since))
                .or_else(|| last_movement_received(resource).map(|received_at| (false, received_at))),
            settled: settled.map(|view| view.occurred_at),
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

impl Watermarks for Table {
    async fn load(&self, list: &ListId) -> Result<Option<Watermark>, PortError> {
        Ok(self.contents.now().watermarks.get(list).cloned())
    }

    async fn advance(&self, list: &ListId, to: &Watermark) -> Result<Advance, PortError> {
        let mut contents = self.contents.now();
        let stored = contents.watermarks.get(list).map_or(0, |stored| stored.revision);
        if to.revision != stored + 1 {
            return Ok(Advance::Lost);
        }
        contents.watermarks.insert(list.clone(), to.clone());
        Ok(Advance::Stored)
    }
}

impl MovementsMarks for Table {
    async fn movements_mark(&self) -> Result<Option<MovementsMark>, PortError> {
        Ok(self.contents.now().movements.clone())
    }

    async fn advance_movements_mark(&self, to: &MovementsMark) -> Result<Advance, PortError> {
        let mut contents = self.contents.now();
        let stored = contents.movements.as_ref().map_or(0, |stored| stored.revision);
        if to.revision != stored + 1 {
            return Ok(Advance::Lost);
        }
        contents.movements = Some(to.clone());
        Ok(Advance::Stored)
    }
}

impl OpenResources for Table {
    async fn open(&self, query: OpenQuery<'_>) -> Result<IndexPage, PortError> {
        Ok(self.contents.now().open(query))
    }
}

impl SettledResources for Table {
    async fn settled(
        &self,
        feed: &Feed,
        kind: Kind,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<ResourceId>, PortError> {
        // The index has a partition for each day.
        assert_eq!(from.day_start(), before.minus(Duration::from_nanos(1)).day_start(), "{from} to {before}");
        Ok(self.contents.now().settled(feed, kind, from, before))
    }
}

impl AccountResources for Table {
    async fn of_account(&self, account: &str, since: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        Ok(self.contents.now().of_account(account, since))
    }
}

impl Claims for Table {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        self.resources.claims(keys).await
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        self.resources.similar(keys).await
    }
}

impl Receipts for Table {
    async fn note(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.receipts.note(receipts).await
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        self.receipts.receipts(resources).await
    }
}

impl Reports for Table {
    async fn put(&self, report: &Report) -> Result<(), PortError> {
        let mut contents = self.contents.now();
        contents.puts += 1;
        contents.reports.insert((report.list_id(), report.from), report.clone());
        Ok(())
    }

    async fn of_day(&self, list: &ListId, day: Timestamp) -> Result<Vec<Report>, PortError> {
        let contents = self.contents.now();
        let of_day =
            contents.reports.values().filter(|report| report.list_id() == *list && report.from.day_start() == day);
        Ok(of_day.cloned().collect())
    }
}
