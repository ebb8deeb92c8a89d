//! Resources and the claims on their coins.

use std::collections::{BTreeMap, VecDeque};

use fundhook_domain::{
    Claim, ClaimKey, Event, Fact, NewFact, Resource, ResourceId, SeveralFamiliesCredit, SimilarDeposits, SimilarKey,
    Stored, Timestamp, Versioned, Write, events_after,
};

use super::{Fail, Fake, down};
use crate::{
    Claims, Disposition, FactPages, ItemPage, ItemsOf, PortError, Resources, StoredItem, StoredItems, UnreadableItem,
    WriteOutcome,
};

const WRITE: &str = "write a resource";

/// What happens to one write of one resource.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The conditions decide.
    Honest,
    /// Another writer records this first. The write loses, and is answered with the resource as it then is.
    LosesTo(NewFact),
    /// The same, but the answer does not contain the resource, so that it must be read.
    LosesBlindlyTo(NewFact),
    /// Nothing is stored, and the answer is an error.
    Fails(Disposition),
    /// The resource is stored, and the answer is an error.
    FailsStored,
    /// The resource is stored, and the answer is that it lost to itself: the SDK repeated a write whose answer was
    /// lost.
    LosesToItself,
}

/// The table of resources. A write is stored if everything in it is still at the version at which it was read; all of it is
/// stored together or not at all.
#[derive(Clone, Debug, Default)]
pub struct ResourceTable {
    /// Every resource that was written.
    pub resources: BTreeMap<ResourceId, Resource>,
    /// The claims on coins.
    pub claims: BTreeMap<ClaimKey, Claim>,
    /// What is remembered of similar deposits.
    pub similar: BTreeMap<SimilarKey, SimilarDeposits>,
    /// Where [`record`](Self::record) remembers similar deposits.
    pub several: SeveralFamiliesCredit,
    /// The events that the publisher derives from each write, in the order of the writes.
    pub published: Vec<Event>,
    /// What happens to the next writes of a resource; those after them are honest.
    pub fates: BTreeMap<ResourceId, VecDeque<Fate>>,
    /// Which reads fail.
    pub on_read: Fail,
    /// The resources of each read, in the order in which they were asked for.
    pub reads: Vec<Vec<ResourceId>>,
    /// The resources of each write.
    pub writes: Vec<Vec<ResourceId>>,
    /// The items that a scan finds and cannot read.
    pub unreadable: Vec<UnreadableItem>,
}

impl ResourceTable {
    /// The resource as it is stored; at version 0 if it never was.
    pub fn resource(&self, id: &ResourceId) -> Resource {
        self.resources.get(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()))
    }

    /// The claim as it is stored; at version 0 if it never was.
    pub fn claim(&self, key: &ClaimKey) -> Claim {
        self.claims.get(key).cloned().unwrap_or_else(|| Claim::unclaimed(key.clone()))
    }

    /// What is remembered under `key`; at version 0 if nothing ever was.
    pub fn similar(&self, key: &SimilarKey) -> SimilarDeposits {
        self.similar.get(key).cloned().unwrap_or_else(|| SimilarDeposits::none(key.clone()))
    }

    /// One conditional write. All conditions are checked before anything is stored, those of the resources first.
    pub fn write(&mut self, write: Write) -> WriteOutcome {
        let Write { resources, claims, similar } = write;
        for Versioned { item, read_version } in &resources {
            let current = self.resource(item.id());
            if current.version() != *read_version {
                return WriteOutcome::Lost(Some(current));
            }
        }
        if claims.iter().any(|claim| self.claim(claim.item.key()).version() != claim.read_version) {
            return WriteOutcome::Lost(None);
        }
        if similar.iter().any(|similar| self.similar(similar.item.key()).version() != similar.read_version) {
            return WriteOutcome::Lost(None);
        }
        self.similar.extend(similar.into_iter().map(|similar| (similar.item.key().clone(), similar.item)));
        self.claims.extend(claims.into_iter().map(|claim| (claim.item.key().clone(), claim.item)));
        for Versioned { item, read_version } in resources {
            self.published.extend(events_after(&item, read_version));
            self.resources.insert(item.id().clone(), item);
        }
        WriteOutcome::Written
    }

    /// Records `fact` as the state updater does when it has no rival: in one write, with everything that changes with it.
    ///
    /// # Panics
    ///
    /// If a second name in the table leads to itself.
    pub fn record(&mut self, fact: NewFact) {
        let mut stored = Stored::remembering(self.several.clone());
        self.resources.values().cloned().for_each(|resource| stored.know(resource));
        self.claims.values().cloned().for_each(|claim| stored.know_claim(claim));
        self.similar.values().cloned().for_each(|similar| stored.know_similar(similar));
        if let Some(write) = stored.record(std::slice::from_ref(&fact)).expect("a name with an owner") {
            self.store(write);
        }
    }

    fn fated_write(&mut self, write: Write) -> WriteOutcome {
        // The fate of a write is that of the first resource in it that has one.
        let ids: Vec<ResourceId> = write.resources.iter().map(|resource| resource.item.id().clone()).collect();
        let fated = ids.iter().find(|id| self.fates.get(*id).is_some_and(|fates| !fates.is_empty()));
        let Some(id) = fated.cloned() else {
            return self.write(write);
        };
        match self.fates.get_mut(&id).and_then(VecDeque::pop_front) {
            None | Some(Fate::Honest) => self.write(write),
            Some(Fate::LosesTo(fact)) => {
                self.record(fact);
                self.write(write)
            }
            Some(Fate::LosesBlindlyTo(fact)) => {
                self.record(fact);
                assert!(matches!(self.write(write), WriteOutcome::Lost(_)), "the rival changed nothing");
                WriteOutcome::Lost(None)
            }
            Some(Fate::Fails(disposition)) => {
                WriteOutcome::Failed(PortError::new(WRITE, disposition, "the test rejects this write"))
            }
            Some(Fate::FailsStored) => {
                self.store(write);
                WriteOutcome::Failed(down(WRITE))
            }
            Some(Fate::LosesToItself) => {
                self.store(write);
                WriteOutcome::Lost(Some(self.resource(&id)))
            }
        }
    }

    fn store(&mut self, write: Write) {
        assert!(matches!(self.write(write), WriteOutcome::Written), "the write met its conditions");
    }
}

impl Fake<ResourceTable> {
    /// A table that holds these resources.
    pub fn holding(resources: impl IntoIterator<Item = Resource>) -> Self {
        let resources = resources.into_iter().map(|resource| (resource.id().clone(), resource)).collect();
        Self::new(ResourceTable { resources, ..ResourceTable::default() })
    }

    /// Decides what happens to the next writes of a resource.
    #[must_use]
    pub fn with_fates(self, id: ResourceId, fates: impl IntoIterator<Item = Fate>) -> Self {
        self.now().fates.insert(id, fates.into_iter().collect());
        self
    }

    /// The resources of each read.
    pub fn reads(&self) -> Vec<Vec<ResourceId>> {
        self.now().reads.clone()
    }

    /// The resources of each write.
    pub fn writes(&self) -> Vec<Vec<ResourceId>> {
        self.now().writes.clone()
    }

    /// All that is stored.
    pub fn resources(&self) -> Vec<Resource> {
        self.now().resources.values().cloned().collect()
    }

    /// The resource as it is stored; at version 0 if it never was.
    pub fn resource(&self, id: &ResourceId) -> Resource {
        self.now().resource(id)
    }
}

fn ids_of(write: &Write) -> impl Iterator<Item = ResourceId> {
    write.resources.iter().map(|resource| resource.item.id().clone())
}

impl Resources for Fake<ResourceTable> {
    /// Answers in the reverse order: the port promises none.
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        let mut table = self.now();
        table.reads.push(ids.to_vec());
        table.on_read.outcome("read resources")?;
        Ok(ids.iter().rev().map(|id| table.resource(id)).collect())
    }

    async fn write(&self, writes: Vec<Write>, _now: Timestamp) -> Vec<WriteOutcome> {
        let mut table = self.now();
        table.writes.push(writes.iter().flat_map(ids_of).collect());
        writes.into_iter().map(|write| table.fated_write(write)).collect()
    }
}

/// The pages hold the first half of a resource's facts, whatever their number.
impl FactPages for Fake<ResourceTable> {
    async fn paged_facts(&self, id: &ResourceId, _pages: u32) -> Result<Vec<Fact>, PortError> {
        let table = self.now();
        table.on_read.clone().outcome("read pages")?;
        let facts = table.resource(id).facts().to_vec();
        Ok(facts.iter().take(facts.len() / 2).cloned().collect())
    }
}

impl Claims for Fake<ResourceTable> {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        let mut table = self.now();
        table.on_read.outcome("read claims")?;
        Ok(keys.iter().map(|key| table.claim(key)).collect())
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        let mut table = self.now();
        table.on_read.outcome("read similar deposits")?;
        Ok(keys.iter().map(|key| table.similar(key)).collect())
    }
}

/// A stored item, last written when its last fact was received.
fn item_of(resource: &Resource) -> Option<StoredItem> {
    let updated_at = resource.facts().last()?.content.evidence().received_at;
    let facts = resource.facts().iter().map(|fact| serde_json::to_string(fact).expect("a fact is JSON")).collect();
    Some(StoredItem { id: resource.id().clone(), updated_at, pages: 0, facts })
}

/// Every page has one item.
impl StoredItems for Fake<ResourceTable> {
    async fn items(&self, ids: &[ResourceId]) -> Result<ItemPage, PortError> {
        let mut table = self.now();
        table.on_read.outcome("read items")?;
        let items = ids.iter().filter_map(|id| item_of(&table.resource(id))).collect();
        Ok(ItemPage { items, ..ItemPage::default() })
    }

    async fn scan(&self, which: ItemsOf, from: Option<String>) -> Result<ItemPage, PortError> {
        let mut table = self.now();
        table.on_read.outcome("scan the table")?;
        let is_next = |id: &&ResourceId| from.as_ref().is_none_or(|from| id.to_string() > *from);
        let Some(id) = table.resources.keys().filter(is_next).min_by_key(|id| id.to_string()) else {
            return Ok(ItemPage { unreadable: table.unreadable.clone(), ..ItemPage::default() });
        };
        let is_one = |item: &StoredItem| match which {
            ItemsOf::WrittenSince(since) => item.updated_at >= since,
            ItemsOf::Kind(kind) => item.id.kind() == kind,
        };
        let items = item_of(&table.resource(id)).filter(is_one).into_iter().collect();
        Ok(ItemPage { items, next: Some(id.to_string()), ..ItemPage::default() })
    }
}
