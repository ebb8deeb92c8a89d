//! Resources and the claims on their coins.

use std::collections::{BTreeMap, VecDeque};

use fundhook_domain::{
    Claim, Event, NewFact, Resource, ResourceId, Timestamp, United, events_after, fold, resources_named, unite,
};

use super::{Fail, Fake, down};
use crate::{Claims, Disposition, PortError, Resources, Write, WriteOutcome};

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

/// The table of resources. A write is stored if the resource and its second names are still at the versions at which
/// they were read and the coin that it claims is free; all of them are stored together or not at all.
#[derive(Clone, Debug, Default)]
pub struct ResourceTable {
    /// Every resource that was written.
    pub resources: BTreeMap<ResourceId, Resource>,
    /// The claims, by coin.
    pub claims: BTreeMap<String, Claim>,
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
}

impl ResourceTable {
    /// The resource as it is stored; at version 0 if it never was.
    pub fn resource(&self, id: &ResourceId) -> Resource {
        self.resources.get(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()))
    }

    /// One conditional write. All conditions are checked before anything is stored, that of the resource first.
    pub fn write(&mut self, write: Write) -> WriteOutcome {
        let Write { resource, read_version, claim, second_names } = write;
        let current = self.resource(resource.id());
        if current.version() != read_version {
            return WriteOutcome::Lost(Some(current));
        }
        if let Some(taken) = claim.as_ref().and_then(|claim| self.claims.get(&claim.coin)) {
            return WriteOutcome::Claimed(taken.clone());
        }
        if second_names.iter().any(|name| self.resource(name.id()).version() + 1 != name.version()) {
            return WriteOutcome::Lost(None);
        }
        self.claims.extend(claim.map(|claim| (claim.coin.clone(), claim)));
        let second_names = second_names.into_iter().map(|name| (name.version() - 1, name));
        for (read_version, resource) in [(read_version, resource)].into_iter().chain(second_names) {
            self.published.extend(events_after(&resource, read_version));
            self.resources.insert(resource.id().clone(), resource);
        }
        WriteOutcome::Written
    }

    /// Records `fact` as the state updater does when it has no rival: in one write, under the name that has the other
    /// facts, and with the claim that it makes due.
    ///
    /// # Panics
    ///
    /// If a second name in the table leads to itself.
    pub fn record(&mut self, fact: NewFact) {
        let resources = resources_named(&fact, |id| self.resource(id));
        let united = unite(resources, std::slice::from_ref(&fact)).expect("a name with an owner");
        let United { owner, inherited, second_names } = united;
        let read_version = owner.version();
        let folded =
            inherited.into_iter().chain([fact.content]).fold(owner, |owner, fact| fold(owner, fact).into_resource());
        let taken = folded.claim_due().and_then(|claim| self.claims.get(&claim.coin));
        let (resource, claim) = folded.claiming(taken, read_version);
        self.store(Write { resource, read_version, claim, second_names });
    }

    fn fated_write(&mut self, write: Write) -> WriteOutcome {
        let id = write.resource.id().clone();
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
        table.writes.push(writes.iter().map(|write| write.resource.id().clone()).collect());
        writes.into_iter().map(|write| table.fated_write(write)).collect()
    }
}

impl Claims for Fake<ResourceTable> {
    async fn claims(&self, coins: &[String]) -> Result<Vec<Claim>, PortError> {
        let table = self.now();
        Ok(coins.iter().filter_map(|coin| table.claims.get(coin).cloned()).collect())
    }
}
