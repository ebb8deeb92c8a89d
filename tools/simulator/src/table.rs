//! The table of resources: conditional writes, and a record of each in the stream.

use fundhook_domain::{
    Claim, ClaimKey, Fact, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp, Versioned, Write,
};
use fundhook_ports::fakes::{Fake, ResourceTable};
use fundhook_ports::{Claims, FactPages, PortError, Resources, WriteOutcome};

use crate::stream::Stream;

/// The table, under the conditions of the port. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) resources: Fake<ResourceTable>,
    pub(crate) stream: Stream,
}

impl Table {
    /// Forgets what tests observe and nothing needs here.
    fn forget_calls(&self) {
        let mut table = self.resources.now();
        table.published.clear();
        table.reads.clear();
        table.writes.clear();
    }
}

impl Resources for Table {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        self.resources.read(ids).await
    }

    async fn write(&self, writes: Vec<Write>, now: Timestamp) -> Vec<WriteOutcome> {
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            let ids = write.resources.iter().map(|written| written.item.id().clone());
            let before: Vec<Resource> = ids.map(|id| self.resources.resource(&id)).collect();
            let written = write.resources.clone();
            let stored = self.resources.write(vec![write], now).await;
            if matches!(stored.as_slice(), [WriteOutcome::Written]) {
                for (old, Versioned { item, .. }) in before.iter().zip(&written) {
                    self.stream.add(Some(old).filter(|old| old.version() > 0), item);
                }
            }
            outcomes.extend(stored);
        }
        self.forget_calls();
        outcomes
    }
}

impl FactPages for Table {
    async fn paged_facts(&self, id: &ResourceId, pages: u32) -> Result<Vec<Fact>, PortError> {
        self.resources.paged_facts(id, pages).await
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
