//! The table at one moment, and what a write makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use fundhook_domain::{ClaimKey, DecimalValue, Resource, ResourceId, SimilarKey, Versioned, Write};
use fundhook_ports::WriteOutcome;
use fundhook_ports::fakes::ResourceTable;

use super::call::{Answer, digest, digest_of};
use super::promises;

/// The table at one moment: the fake of the ports, whose conditions the tests of the adapters share.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    items: ResourceTable,
    /// A digest of what is stored of each item.
    resources: BTreeMap<ResourceId, u64>,
    claims: BTreeMap<ClaimKey, u64>,
    similar: BTreeMap<SimilarKey, u64>,
    digest: u64,
}

/// A resource that was written, as the stream has it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) before: Option<Resource>,
    pub(super) after: Resource,
    /// A digest of both.
    pub(super) digest: u64,
}

/// What a write made of a table.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) table: Arc<Table>,
    pub(super) answer: Answer,
    pub(super) answer_digest: u64,
    pub(super) changes: Vec<Arc<Change>>,
    pub(super) broken: Vec<String>,
}

impl Table {
    pub(super) fn items(&self) -> &ResourceTable {
        &self.items
    }

    /// A digest of everything that is stored.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn digest_of_resources(&self, ids: &[ResourceId]) -> u64 {
        digest(ids.iter().map(|id| self.resources.get(id)).collect::<Vec<_>>())
    }

    pub(super) fn digest_of_claims(&self, keys: &[ClaimKey]) -> u64 {
        digest(keys.iter().map(|key| self.claims.get(key)).collect::<Vec<_>>())
    }

    pub(super) fn digest_of_similar(&self, keys: &[SimilarKey]) -> u64 {
        digest(keys.iter().map(|key| self.similar.get(key)).collect::<Vec<_>>())
    }

    /// The resources of an account.
    pub(super) fn of_account(&self, account: &str) -> Vec<ResourceId> {
        let is_of = |resource: &&Resource| resource.view().is_some_and(|view| view.details.account() == Some(account));
        self.items.resources.values().filter(is_of).map(|resource| resource.id().clone()).collect()
    }

    /// What one conditional write makes of it. No more than one `coin` arrived.
    pub(super) fn written(self: &Arc<Self>, write: &Write, coin: Option<&DecimalValue>) -> Made {
        let mut table = Self::clone(self);
        let outcome = table.items.write(write.clone());
        table.items.published.clear();
        let unchanged = |answer, answer_digest| Made {
            table: Arc::clone(self),
            answer,
            answer_digest,
            changes: Vec::new(),
            broken: Vec::new(),
        };
        match outcome {
            WriteOutcome::Written => {}
            WriteOutcome::Lost(None) => return unchanged(Answer::Lost(None), 1),
            WriteOutcome::Lost(Some(current)) => {
                let known = digest((2, self.resources.get(current.id())));
                return unchanged(Answer::Lost(Some(Box::new(current))), known);
            }
            WriteOutcome::Failed(_) => return unchanged(Answer::Failed, 3),
        }
        let (mut changes, mut broken) = (Vec::new(), Vec::new());
        for Versioned { item: after, .. } in &write.resources {
            let before = self.items.resource(after.id());
            broken.extend(promises::of_resource(&before, after));
            let stored = digest_of(&after.facts());
            table.resources.insert(after.id().clone(), stored);
            let change = digest((before.version(), stored));
            let before = Some(before).filter(|before| before.version() > 0);
            changes.push(Arc::new(Change { before, after: after.clone(), digest: change }));
        }
        for Versioned { item: claim, .. } in &write.claims {
            broken.extend(promises::of_claim(&self.items.claim(claim.key()), claim));
            table.claims.insert(claim.key().clone(), digest_of(claim));
        }
        for Versioned { item: similar, .. } in &write.similar {
            table.similar.insert(similar.key().clone(), digest_of(similar));
        }
        broken.extend(promises::of_coin(&table.items, coin));
        table.digest = digest((&table.resources, &table.claims, &table.similar));
        Made { table: Arc::new(table), answer: Answer::Done, answer_digest: 0, changes, broken }
    }
}
