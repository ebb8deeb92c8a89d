//! What recording facts would change, on what is stored, without writing anything.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{
    Claim, ClaimKey, Kind, Missing, NewFact, NotRecorded, Recording, Resource, ResourceId, SeveralFamiliesCredit,
    SimilarDeposits, Stored, Write, fold,
};
use fundhook_ports::{Claims, PortError, Resources};

/// How many items one transaction writes (DynamoDB quota).
const TRANSACTION_ITEMS_MAX: usize = 100;

/// Records facts as the state updater does, in memory: it reads what is stored, and writes nothing.
#[derive(Debug)]
pub struct Rehearsal<R> {
    resources: R,
    stored: Stored,
    /// Every resource that changed, as it is stored.
    before: BTreeMap<ResourceId, Resource>,
    /// The claims of which it is known whether something is missing.
    checked: BTreeSet<ClaimKey>,
}

/// What recording a fact would do.
#[derive(Clone, Debug, PartialEq)]
pub enum Rehearsed {
    /// It would be written.
    Written(Write),
    /// It is known already, or older than everything that is kept. Nothing would be written.
    Unchanged,
    /// Each name of its resource is a second name, so that none has the facts.
    NoOwner,
}

/// Why DynamoDB cannot do this write as a whole; `None` if it can.
pub(crate) fn too_large(write: &Write) -> Option<String> {
    let items = write.resources.len() + write.claims.len() + write.similar.len();
    let is_too_large = items > TRANSACTION_ITEMS_MAX;
    is_too_large.then(|| {
        format!("recording it changes {items} items, and DynamoDB writes at most {TRANSACTION_ITEMS_MAX} together")
    })
}

impl<R: Resources + Claims> Rehearsal<R> {
    /// A rehearsal on what is stored in `resources`. In these organizations, deposits that may be one coin are held.
    pub fn on(resources: R, several: SeveralFamiliesCredit) -> Self {
        Self { resources, stored: Stored::remembering(several), before: BTreeMap::new(), checked: BTreeSet::new() }
    }

    /// What recording `fact` would do, after everything that was recorded here before.
    pub async fn record(&mut self, fact: &NewFact) -> Result<Rehearsed, PortError> {
        let fact = std::slice::from_ref(fact);
        // Each round reads something that was not read before. A decision takes one for each resource that it concerns.
        loop {
            let mut recording = Recording::on(&self.stored);
            match recording.record(0, fact) {
                Ok(()) => {
                    // One group is one write.
                    let write = recording.into_writes().pop().map(|(_, write)| write);
                    return Ok(write.map_or(Rehearsed::Unchanged, |write| self.written(write)));
                }
                Err(NotRecorded::NoOwner) => return Ok(Rehearsed::NoOwner),
                Err(NotRecorded::Missing(missing)) => self.read(missing).await?,
            }
        }
    }

    fn written(&mut self, write: Write) -> Rehearsed {
        for changed in &write.resources {
            let id = changed.item.id();
            let stored = self.stored.resource(id);
            let before = || stored.cloned().unwrap_or_else(|| Resource::unknown(id.clone()));
            self.before.entry(id.clone()).or_insert_with(before);
        }
        write.resources.iter().for_each(|resource| self.stored.know(resource.item.clone()));
        write.claims.iter().for_each(|claim| self.stored.know_claim(claim.item.clone()));
        write.similar.iter().for_each(|similar| self.stored.know_similar(similar.item.clone()));
        Rehearsed::Written(write)
    }

    /// What is stored about the coins that `fact` concerns and was not written together: each a claim, and a resource that
    /// says something else. Each claim is checked once. Empty unless a part of a transaction is missing, as in a backup that
    /// was made while the transaction was on its way there.
    pub async fn torn(&mut self, fact: &NewFact) -> Result<Vec<(ClaimKey, ResourceId)>, PortError> {
        let id = &fact.resource;
        if id.kind() != Kind::Deposit {
            return Ok(Vec::new());
        }
        self.know_resources([id]).await?;
        let resource = self.stored.resource(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()));
        let said = resource.claim_entries();
        let folded = fold(resource, fact.content.clone()).into_resource();
        let keys = said.into_keys().chain(folded.claim_entries().into_keys());
        let keys: BTreeSet<ClaimKey> = keys.filter(|key| !self.checked.contains(key)).collect();
        let unknown = keys.iter().filter(|key| self.stored.claim(key).is_none()).cloned();
        self.read(Missing { claims: unknown.collect(), ..Missing::default() }).await?;
        let mut torn = Vec::new();
        for key in keys {
            if let Some(claim) = self.stored.claim(&key).cloned() {
                let resources = claim.resources();
                self.know_resources(resources.iter().copied().chain([id])).await?;
                let known = resources.into_iter().chain([id]).filter_map(|id| self.stored.resource(id));
                let others: BTreeSet<&ResourceId> =
                    known.filter(|resource| !resource.agrees_with(&claim)).map(Resource::id).collect();
                torn.extend(others.into_iter().map(|other| (key.clone(), other.clone())));
            }
            self.checked.insert(key);
        }
        Ok(torn)
    }

    /// Reads those that were not read yet.
    async fn know_resources(&mut self, ids: impl IntoIterator<Item = &ResourceId>) -> Result<(), PortError> {
        let unknown = ids.into_iter().filter(|id| self.stored.resource(id).is_none()).cloned();
        let resources = unknown.collect();
        self.read(Missing { resources, ..Missing::default() }).await
    }

    /// The resources that would change: as stored, and as they would be.
    pub fn changes(&self) -> impl Iterator<Item = (&Resource, &Resource)> {
        self.before.iter().filter_map(|(id, before)| Some((before, self.stored.resource(id)?)))
    }

    async fn read(&mut self, missing: Missing) -> Result<(), PortError> {
        let Missing { resources, claims, similar } = missing;
        let ids = Vec::from_iter(resources);
        if !ids.is_empty() {
            let read = self.resources.read(&ids).await?;
            ids.into_iter().map(Resource::unknown).chain(read).for_each(|resource| self.stored.know(resource));
        }
        let keys = Vec::from_iter(claims);
        if !keys.is_empty() {
            let read = self.resources.claims(&keys).await?;
            keys.into_iter().map(Claim::unclaimed).chain(read).for_each(|claim| self.stored.know_claim(claim));
        }
        let keys = Vec::from_iter(similar);
        if !keys.is_empty() {
            let read = self.resources.similar(&keys).await?;
            let known = keys.into_iter().map(SimilarDeposits::none).chain(read);
            known.for_each(|similar| self.stored.know_similar(similar));
        }
        Ok(())
    }
}
