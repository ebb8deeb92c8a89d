//! What reconciliation reads of the table, and what it stores there.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{
    Claim, ClaimKey, Feed, Kind, ListId, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp,
};
use fundhook_reconciliation::{MovementsMark, Receipt, Report, Watermark};

use super::{Fake, Indexes, ReceiptTable, ResourceTable};
use crate::{
    AccountResources, Advance, Claims, IndexPage, MovementsMarks, OpenQuery, OpenResources, PortError, Receipts,
    Reports, SettledResources, Watermarks,
};

/// The table: resources and receipts with their indexes, and what reconciliation stores. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ReconciliationTable {
    /// The resources and claims.
    pub resources: Fake<ResourceTable>,
    /// The receipts.
    pub receipts: Fake<ReceiptTable>,
    /// The indexes, and what reconciliation stores.
    pub contents: Fake<ReconciliationItems>,
}

impl ReconciliationTable {
    /// Indexes a resource that was written at `now`.
    pub fn index(&self, resource: &Resource, now: Timestamp) {
        self.contents.now().indexes.index(resource, now);
    }
}

/// The indexes, and what reconciliation stores.
#[derive(Debug)]
pub struct ReconciliationItems {
    /// How far each list was read.
    pub watermarks: BTreeMap<ListId, Watermark>,
    /// How far movements were checked.
    pub movements: Option<MovementsMark>,
    /// The reports by the beginning of their hours.
    pub reports: BTreeMap<(ListId, Timestamp), Report>,
    /// How often a report was stored.
    pub puts: usize,
    /// How many entries a page of an index has.
    pub index_page: usize,
    /// The indexes.
    pub indexes: Indexes,
    /// The indexes of an earlier time, when they lag behind the table.
    pub lagging: Option<Indexes>,
}

impl Default for ReconciliationItems {
    fn default() -> Self {
        let (watermarks, reports, indexes) = (BTreeMap::new(), BTreeMap::new(), Indexes::default());
        Self { watermarks, movements: None, reports, puts: 0, index_page: 100, indexes, lagging: None }
    }
}

impl ReconciliationItems {
    fn indexed(&self) -> &Indexes {
        self.lagging.as_ref().unwrap_or(&self.indexes)
    }
}

impl Watermarks for ReconciliationTable {
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

impl MovementsMarks for ReconciliationTable {
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

impl OpenResources for ReconciliationTable {
    async fn open(&self, query: OpenQuery<'_>) -> Result<IndexPage, PortError> {
        let contents = self.contents.now();
        Ok(contents.indexed().open(query, contents.index_page))
    }
}

impl SettledResources for ReconciliationTable {
    /// # Panics
    ///
    /// If the range is not within one day: the index has a partition for each day.
    async fn settled(
        &self,
        feed: &Feed,
        kind: Kind,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<ResourceId>, PortError> {
        assert_eq!(from.day_start(), before.minus(Duration::from_nanos(1)).day_start(), "{from} to {before}");
        Ok(self.contents.now().indexed().settled(feed, kind, from, before))
    }
}

impl AccountResources for ReconciliationTable {
    async fn of_account(&self, account: &str, since: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        Ok(self.contents.now().indexed().of_account(account, since))
    }
}

impl Claims for ReconciliationTable {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        self.resources.claims(keys).await
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        self.resources.similar(keys).await
    }
}

impl Receipts for ReconciliationTable {
    async fn note(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.receipts.note(receipts).await
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        self.receipts.receipts(resources).await
    }
}

impl Reports for ReconciliationTable {
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
