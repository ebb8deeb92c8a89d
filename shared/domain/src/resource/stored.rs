//! What is read before facts are recorded, and what is written afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::message::NewFact;
use super::recording::Recording;
use super::state::Resource;
use crate::{Claim, ClaimKey, ResourceId, SimilarDeposits, SimilarKey, Tenant};

/// What was read: resources and claims as they are stored.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    resources: BTreeMap<ResourceId, Resource>,
    claims: BTreeMap<ClaimKey, Claim>,
    similar: BTreeMap<SimilarKey, SimilarDeposits>,
    several: SeveralFamiliesCredit,
}

/// What must be read before facts can be recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// These resources.
    pub resources: BTreeSet<ResourceId>,
    /// These claims.
    pub claims: BTreeSet<ClaimKey>,
    /// What is remembered under these keys.
    pub similar: BTreeSet<SimilarKey>,
}

/// Why facts cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRecorded {
    /// This must be read first.
    Missing(Missing),
    /// Every name of the resource is a second name, so none of them has the facts.
    NoOwner,
}

/// A resource or a claim to be written, if it is still at the version at which it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// The new state.
    pub item: T,
    /// The version at which it was read; 0 when it was not stored.
    pub read_version: u64,
}

/// A conditional write: everything in it is written, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The resources; never empty.
    pub resources: Vec<Versioned<Resource>>,
    /// The claims on coins.
    pub claims: Vec<Versioned<Claim>>,
    /// What is remembered of similar deposits.
    pub similar: Vec<Versioned<SimilarDeposits>>,
}

/// In which organizations several webhook families credit, so that two of them may credit one coin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeveralFamiliesCredit(BTreeSet<Option<Tenant>>);

impl SeveralFamiliesCredit {
    /// In these organizations; `None` is the one without a name.
    pub fn of(tenants: impl IntoIterator<Item = Option<Tenant>>) -> Self {
        Self(tenants.into_iter().collect())
    }

    fn includes(&self, id: &ResourceId) -> bool {
        self.0.contains(&id.feed().tenant().cloned())
    }
}

impl Stored {
    /// Nothing is read yet. Where several families credit, similar deposits are remembered.
    pub fn remembering(several: SeveralFamiliesCredit) -> Self {
        Self { several, ..Self::default() }
    }

    /// Keeps a resource as it was read.
    pub fn know(&mut self, resource: Resource) {
        self.resources.insert(resource.id().clone(), resource);
    }

    /// Keeps a claim as it was read.
    pub fn know_claim(&mut self, claim: Claim) {
        self.claims.insert(claim.key().clone(), claim);
    }

    /// Keeps similar deposits as they were read.
    pub fn know_similar(&mut self, similar: SimilarDeposits) {
        self.similar.insert(similar.key().clone(), similar);
    }

    /// Records `facts` about one thing when there is no other writer and nothing else is stored than what is in `self`.
    /// Returns what changed, as [`Recording::into_writes`] does.
    pub fn record(&mut self, facts: &[NewFact]) -> Result<Option<Write>, NotRecorded> {
        loop {
            let mut recording = Recording::on(self);
            match recording.record(0, facts) {
                Ok(()) => {
                    let write = recording.into_writes().pop().map(|(_, write)| write);
                    if let Some(write) = &write {
                        write.resources.iter().for_each(|resource| self.know(resource.item.clone()));
                        write.claims.iter().for_each(|claim| self.know_claim(claim.item.clone()));
                        write.similar.iter().for_each(|similar| self.know_similar(similar.item.clone()));
                    }
                    return Ok(write);
                }
                Err(NotRecorded::Missing(missing)) => {
                    missing.resources.into_iter().for_each(|id| self.know(Resource::unknown(id)));
                    missing.claims.into_iter().for_each(|key| self.know_claim(Claim::unclaimed(key)));
                    missing.similar.into_iter().for_each(|key| self.know_similar(SimilarDeposits::none(key)));
                }
                Err(NotRecorded::NoOwner) => return Err(NotRecorded::NoOwner),
            }
        }
    }

    /// The resource `id`, if it is known.
    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.get(id)
    }

    /// The known resources, in the order of their ids. One about which nothing is recorded has version 0.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// The known claims, in the order of their keys.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.values()
    }

    /// The claim with this key, if it is known.
    pub fn claim(&self, key: &ClaimKey) -> Option<&Claim> {
        self.claims.get(key)
    }

    /// Whether similar deposits of the organization of `id` are remembered.
    pub(super) fn remembers(&self, id: &ResourceId) -> bool {
        self.several.includes(id)
    }

    /// What is remembered under this key, if it is known.
    pub(super) fn similar(&self, key: &SimilarKey) -> Option<&SimilarDeposits> {
        self.similar.get(key)
    }

    /// Forgets everything that `write` changes, because it may have changed in the meantime.
    pub fn forget(&mut self, write: &Write) {
        write.resources.iter().for_each(|resource| {
            self.resources.remove(resource.item.id());
        });
        write.claims.iter().for_each(|claim| {
            self.claims.remove(claim.item.key());
        });
        write.similar.iter().for_each(|similar| {
            self.similar.remove(similar.item.key());
        });
    }
}

impl Missing {
    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.claims.is_empty() && self.similar.is_empty()
    }

    /// Adds what else is missing.
    pub fn extend(&mut self, other: Self) {
        self.resources.extend(other.resources);
        self.claims.extend(other.claims);
        self.similar.extend(other.similar);
    }

    pub(super) fn or_else<T>(self, value: T) -> Result<T, NotRecorded> {
        if self.is_empty() { Ok(value) } else { Err(NotRecorded::Missing(self)) }
    }
}

impl Write {
    /// The write of a resource that was read at `read_version`, and of nothing else.
    pub fn of(resource: Resource, read_version: u64) -> Self {
        let resources = vec![Versioned { item: resource, read_version }];
        Self { resources, claims: Vec::new(), similar: Vec::new() }
    }

    /// The resource, when nothing else is written.
    pub fn only_resource(&self) -> Option<&Versioned<Resource>> {
        match (self.resources.as_slice(), self.claims.as_slice(), self.similar.as_slice()) {
            ([only], [], []) => Some(only),
            (_, _, _) => None,
        }
    }
}
