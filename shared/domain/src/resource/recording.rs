//! Recording facts: on top of what was read, in memory, until everything that changes together is known.
//!
//! A fact changes its resource. A payment's other names, the claims on a deposit's coins and the deposits that report the
//! same coins may change with it, and all of that must be written in one transaction or not at all.
//!
//! Guarantees:
//!
//! - Nothing is decided on something that was not read: what is missing is returned.
//! - Two groups of facts that change the same thing are one [`Write`].

use std::collections::{BTreeMap, BTreeSet};

use super::fact::FactContent;
use super::fold::fold;
use super::message::NewFact;
use super::relation::Relation;
use super::second_name::{United, unite};
use super::state::Resource;
use super::stored::{Missing, NotRecorded, Stored, Versioned, Write};
use crate::{
    Claim, ClaimEntry, ClaimKey, CoinRelation, DueRelation, Fate, ResourceId, Sighting, SimilarDeposits, SimilarKey,
};

/// What one group of facts changed.
#[derive(Clone, Debug, Default)]
struct Touched {
    resources: BTreeSet<ResourceId>,
    claims: BTreeSet<ClaimKey>,
    similar: BTreeSet<SimilarKey>,
}

/// Groups of facts, recorded one after the other on top of what was read.
#[derive(Debug)]
pub struct Recording<'a> {
    stored: &'a Stored,
    resources: BTreeMap<ResourceId, Resource>,
    claims: BTreeMap<ClaimKey, Claim>,
    similar: BTreeMap<SimilarKey, SimilarDeposits>,
    /// For each group that changed something: its number, and what it changed.
    touched: Vec<(usize, Touched)>,
    conflicting: Vec<ResourceId>,
}

impl<'a> Recording<'a> {
    /// Nothing is recorded yet on top of `stored`.
    pub fn on(stored: &'a Stored) -> Self {
        let (resources, claims, similar) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { stored, resources, claims, similar, touched: Vec::new(), conflicting: Vec::new() }
    }

    /// Records the facts of the group `number`, which are about one thing, and what decisions among them say about others.
    /// When something must be read first, the recording is of no use any more.
    pub fn record(&mut self, number: usize, facts: &[NewFact]) -> Result<(), NotRecorded> {
        let named = self.named(facts)?;
        let United { owner, inherited, second_names } = unite(named, facts).ok_or(NotRecorded::NoOwner)?;
        let mut contents: Vec<FactContent> =
            inherited.into_iter().chain(facts.iter().map(|fact| fact.content.clone())).collect();
        let also = taken_from(&mut contents);
        let change = Change { owner, contents };
        let folded = change.with_relations(&[]);
        let (claims, mut due) = self.claiming(&change.owner, &folded)?;
        let similar = self.remembering(&change, &mut due)?;
        let others = self.related(&change, &due)?;
        let recorded = if due.is_empty() { folded } else { change.with_relations(&due) };
        let is_changed = recorded.version() != change.owner.version();
        let resources: Vec<Resource> =
            is_changed.then_some(recorded).into_iter().chain(second_names).chain(others).collect();
        if !resources.is_empty() {
            self.keep(number, resources, claims, similar);
        }
        also.into_iter().try_for_each(|fact| self.record(number, &[fact]))
    }

    fn keep(
        &mut self,
        number: usize,
        resources: Vec<Resource>,
        claims: Vec<Claim>,
        similar: BTreeMap<SimilarKey, SimilarDeposits>,
    ) {
        self.touched.push((
            number,
            Touched {
                resources: resources.iter().map(|resource| resource.id().clone()).collect(),
                claims: claims.iter().map(|claim| claim.key().clone()).collect(),
                similar: similar.keys().cloned().collect(),
            },
        ));
        let is_conflicting = |resource: &Resource| resource.view().is_some_and(|view| view.conflict.is_some());
        let conflicting = resources.iter().filter(|resource| is_conflicting(resource));
        self.conflicting.extend(conflicting.map(|resource| resource.id().clone()));
        self.resources.extend(resources.into_iter().map(|resource| (resource.id().clone(), resource)));
        self.claims.extend(claims.into_iter().map(|claim| (claim.key().clone(), claim)));
        self.similar.extend(similar);
    }

    /// The recorded state of a resource that changed.
    pub fn changed(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.get(id)
    }

    /// The resources that changed and whose statements conflict.
    pub fn conflicting(&self) -> &[ResourceId] {
        &self.conflicting
    }

    /// The writes that are due, each with the numbers of the groups that it is for.
    pub fn into_writes(self) -> Vec<(Vec<usize>, Write)> {
        let Self { stored, resources, claims, similar, touched, conflicting: _ } = self;
        let mut joined: Vec<(Vec<usize>, Touched)> = Vec::new();
        for (number, touched) in touched {
            let overlaps = |(numbers, other): &(Vec<usize>, Touched)| {
                numbers.contains(&number)
                    || !other.resources.is_disjoint(&touched.resources)
                    || !other.claims.is_disjoint(&touched.claims)
                    || !other.similar.is_disjoint(&touched.similar)
            };
            let (same, others): (Vec<_>, Vec<_>) = joined.into_iter().partition(|other| overlaps(other));
            joined = others;
            let mut together = (vec![number], touched);
            for (numbers, touched) in same {
                together.0.extend(numbers.into_iter().filter(|other| *other != number));
                together.1.resources.extend(touched.resources);
                together.1.claims.extend(touched.claims);
                together.1.similar.extend(touched.similar);
            }
            joined.push(together);
        }
        let write = |touched: &Touched| Write {
            resources: versioned(&touched.resources, &resources, |id| stored.resource(id).map_or(0, Resource::version)),
            claims: versioned(&touched.claims, &claims, |key| stored.claim(key).map_or(0, Claim::version)),
            similar: versioned(&touched.similar, &similar, |key| {
                stored.similar(key).map_or(0, SimilarDeposits::version)
            }),
        };
        joined.into_iter().map(|(numbers, touched)| (numbers, write(&touched))).collect()
    }

    /// The resources of all names of the thing that `facts` are about: the stated ones, and those that they lead to.
    fn named(&self, facts: &[NewFact]) -> Result<Vec<Resource>, NotRecorded> {
        let mut known: BTreeMap<ResourceId, Resource> = BTreeMap::new();
        let mut missing = Missing::default();
        let mut unread: Vec<ResourceId> = facts.iter().flat_map(NewFact::names).collect();
        while let Some(id) = unread.pop() {
            if known.contains_key(&id) {
                continue;
            }
            match self.resource(&id) {
                None => {
                    missing.resources.insert(id);
                }
                Some(resource) => {
                    unread.extend(resource.second_name_of().cloned());
                    known.insert(id, resource);
                }
            }
        }
        missing.or_else(known.into_values().collect())
    }

    /// The claims that change when `folded` takes the place of `owner`, and the relations that are due.
    fn claiming(&self, owner: &Resource, folded: &Resource) -> Result<(Vec<Claim>, Vec<DueRelation>), NotRecorded> {
        let (before, after) = (owner.claim_entries(), folded.claim_entries());
        let withdrawn = before.iter().filter(|(key, _)| !after.contains_key(*key)).map(|(key, entry)| {
            let withdrawn = ClaimEntry { fate: Fate::Withdrawn, credit: None, ..entry.clone() };
            (key.clone(), withdrawn)
        });
        let withdrawn: Vec<(ClaimKey, ClaimEntry)> = withdrawn.collect();
        let changed = after.into_iter().filter(|(key, entry)| before.get(key) != Some(entry));
        let (mut claims, mut due, mut missing) = (Vec::new(), Vec::new(), Missing::default());
        for (key, entry) in changed.chain(withdrawn) {
            match self.claim(&key) {
                None => {
                    missing.claims.insert(key);
                }
                Some(mut claim) => {
                    due.extend(claim.record(entry));
                    claims.push(claim);
                }
            }
        }
        missing.or_else((claims, due))
    }

    /// What is remembered of similar deposits, after what changes with the relations that are `due`. Adds the relations that
    /// are due because of it.
    ///
    /// A deposit is not remembered where a single webhook family credits: no other can report it.
    fn remembering(
        &self,
        change: &Change,
        due: &mut Vec<DueRelation>,
    ) -> Result<BTreeMap<SimilarKey, SimilarDeposits>, NotRecorded> {
        let (mut similar, mut missing) = (BTreeMap::new(), Missing::default());
        if !self.stored.remembers(change.owner.id()) {
            return Ok(similar);
        }
        let others = self.related(change, due)?;
        let own = (change.owner.sighting(), change.with_relations(due).sighting());
        let of_others = others.iter().map(|other| {
            let before = self.resource(other.id());
            (before.and_then(|before| before.sighting()), other.sighting())
        });
        for (before, after) in [own].into_iter().chain(of_others.collect::<Vec<_>>()) {
            if before == after {
                continue;
            }
            let is_moved = |(key, _): &(SimilarKey, Sighting)| after.as_ref().is_none_or(|(other, _)| other != key);
            let keys: Vec<SimilarKey> = [&before, &after].into_iter().flatten().map(|(key, _)| key.clone()).collect();
            for key in keys {
                if similar.contains_key(&key) {
                    continue;
                }
                match self.similar.get(&key).or_else(|| self.stored.similar(&key)) {
                    None => {
                        missing.similar.insert(key);
                    }
                    Some(known) => {
                        similar.insert(key, known.clone());
                    }
                }
            }
            if let Some((key, sighting)) = before.filter(is_moved)
                && let Some(known) = similar.get_mut(&key)
            {
                due.extend(known.withdraw(&sighting.resource));
            }
            if let Some((key, sighting)) = after
                && let Some(known) = similar.get_mut(&key)
            {
                due.extend(known.record(sighting));
            }
        }
        missing.or_else(similar)
    }

    /// The other resources, with the relations that are due on them.
    fn related(&self, change: &Change, due: &[DueRelation]) -> Result<Vec<Resource>, NotRecorded> {
        let ids: BTreeSet<&ResourceId> = due.iter().map(|due| &due.on).filter(|on| *on != change.owner.id()).collect();
        let (mut others, mut missing) = (Vec::new(), Missing::default());
        for id in ids {
            match (self.resource(id), change.contents.last()) {
                (None, _) => {
                    missing.resources.insert(id.clone());
                }
                (Some(resource), Some(cause)) => {
                    let cause = Cause { fact: cause, is_of_another: true };
                    let held = related(resource, due, Effect::Holds, cause);
                    others.push(related(held, due, Effect::Releases, cause));
                }
                (Some(_), None) => {}
            }
        }
        missing.or_else(others)
    }

    fn resource(&self, id: &ResourceId) -> Option<Resource> {
        self.resources.get(id).or_else(|| self.stored.resource(id)).cloned()
    }

    fn claim(&self, key: &ClaimKey) -> Option<Claim> {
        self.claims.get(key).or_else(|| self.stored.claim(key)).cloned()
    }
}

/// Facts about one resource, on top of what is known of it.
struct Change {
    owner: Resource,
    contents: Vec<FactContent>,
}

impl Change {
    /// The resource with the facts, and with those of the relations `due` that are on it: those that hold it come before the
    /// statements that they qualify, and those that release it come after the decision or statement that they follow from.
    fn with_relations(&self, due: &[DueRelation]) -> Resource {
        let Some(cause) = self.contents.last() else {
            return self.owner.clone();
        };
        let record = |resource: Resource, fact: &FactContent| fold(resource, fact.clone()).into_resource();
        let cause = Cause { fact: cause, is_of_another: false };
        let held = related(self.owner.clone(), due, Effect::Holds, cause);
        let mut resource = related(self.contents.iter().fold(held, record), due, Effect::Releases, cause);
        resource.publish_what_is_unsaid();
        resource
    }
}

/// What a relation does to the resource that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It may end its being creditable.
    Holds,
    /// It may make it creditable.
    Releases,
}

/// The fact that a relation follows from.
#[derive(Clone, Copy)]
struct Cause<'a> {
    fact: &'a FactContent,
    is_of_another: bool,
}

/// `resource` with those of the relations `due` that are on it and have this effect.
fn related(resource: Resource, due: &[DueRelation], effect: Effect, cause: Cause<'_>) -> Resource {
    let effect_of = |relation: &CoinRelation| match relation {
        CoinRelation::Resembles { deposit: Some(_), .. }
        | CoinRelation::DuplicateOf { owner: Some(_), .. }
        | CoinRelation::AlsoReported(_) => Effect::Holds,
        CoinRelation::Resembles { deposit: None, .. } | CoinRelation::DuplicateOf { owner: None, .. } => {
            Effect::Releases
        }
    };
    let own: Vec<&CoinRelation> = due
        .iter()
        .filter(|due| due.on == *resource.id() && effect_of(&due.relation) == effect)
        .map(|due| &due.relation)
        .collect();
    own.into_iter().fold(resource, |resource, relation| {
        let relation =
            Relation::new(resource.id(), relation.clone(), resource.version(), cause.fact, cause.is_of_another);
        fold(resource, FactContent::Relation(Box::new(relation))).into_resource()
    })
}

/// What the decisions among `contents` say about other resources, as facts to be recorded with them.
fn taken_from(contents: &mut [FactContent]) -> Vec<NewFact> {
    let mut also = Vec::new();
    for content in contents {
        if let FactContent::Decision(decision) = content {
            let others = std::mem::take(&mut decision.also).into_iter();
            also.extend(
                others.map(|(resource, decision)| NewFact {
                    resource,
                    content: FactContent::Decision(Box::new(decision)),
                }),
            );
        }
    }
    also
}

/// The items that changed, each with the version at which it was read.
fn versioned<K: Ord, T: Clone>(
    keys: &BTreeSet<K>,
    items: &BTreeMap<K, T>,
    read_version: impl Fn(&K) -> u64,
) -> Vec<Versioned<T>> {
    let item = |key: &K| Some(Versioned { item: items.get(key)?.clone(), read_version: read_version(key) });
    keys.iter().filter_map(item).collect()
}
