//! The table: conditional writes, a record of each in the stream, and indexes that lag behind.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fundhook_domain::{
    Claim, ClaimKey, Fact, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp, Versioned, Write,
};
use fundhook_ports::fakes::ReconciliationTable;
use fundhook_ports::{Claims, FactPages, PortError, Resources, WriteOutcome};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::chance::Chance;
use crate::stream::Stream;

/// The table, under the conditions of the port. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) store: ReconciliationTable,
    pub(crate) stream: Stream,
    index: Arc<Index>,
}

/// What was written and is not indexed yet.
#[derive(Default)]
struct Index {
    written: Mutex<VecDeque<(Resource, Timestamp)>>,
    changed: Notify,
}

impl Table {
    fn unindexed(&self) -> MutexGuard<'_, VecDeque<(Resource, Timestamp)>> {
        self.index.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Indexes what is written, each a moment later.
    pub(crate) async fn keep_indexes(self, chance: Chance) {
        loop {
            self.index.changed.notified().await;
            sleep(chance.ms(10..2_000)).await;
            for (resource, now) in std::mem::take(&mut *self.unindexed()) {
                self.store.index(&resource, now);
            }
        }
    }

    /// Whether everything is indexed, and every record of the stream is finished.
    pub(crate) fn is_quiet(&self) -> bool {
        self.stream.is_empty() && self.unindexed().is_empty()
    }

    /// Forgets what tests observe and nothing needs here.
    fn forget_calls(&self) {
        let mut table = self.store.resources.now();
        table.published.clear();
        table.reads.clear();
        table.writes.clear();
        self.store.receipts.now().calls.clear();
    }
}

impl Resources for Table {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        self.store.resources.read(ids).await
    }

    async fn write(&self, writes: Vec<Write>, now: Timestamp) -> Vec<WriteOutcome> {
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            let ids = write.resources.iter().map(|written| written.item.id().clone());
            let before: Vec<Resource> = ids.map(|id| self.store.resources.resource(&id)).collect();
            let written = write.resources.clone();
            let stored = self.store.resources.write(vec![write], now).await;
            if matches!(stored.as_slice(), [WriteOutcome::Written]) {
                for (old, Versioned { item, .. }) in before.iter().zip(written) {
                    self.stream.add(Some(old).filter(|old| old.version() > 0), &item);
                    self.unindexed().push_back((item, now));
                }
                self.index.changed.notify_one();
            }
            outcomes.extend(stored);
        }
        self.forget_calls();
        outcomes
    }
}

impl FactPages for Table {
    async fn paged_facts(&self, id: &ResourceId, pages: u32) -> Result<Vec<Fact>, PortError> {
        self.store.resources.paged_facts(id, pages).await
    }
}

impl Claims for Table {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        self.store.resources.claims(keys).await
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        self.store.resources.similar(keys).await
    }
}
