//! The facts of a batch, grouped by the resource that they are recorded on.
//!
//! A provider may name one payment by two ids. So a group has a set of names, and two groups that share one are one group:
//! because a statement gives both names, or because what is stored under a name is that it is a second name of another one.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Claim, FactContent, NewFact, Outcome, Resource, ResourceId, United, fold, unite};
use fundhook_ports::Write;
use fundhook_runtime::batch::Failures;
use tracing::{error, info, warn};

/// The statements and overdue notices of a batch about one resource.
pub(crate) struct Group {
    message_ids: Vec<String>,
    facts: Vec<NewFact>,
    /// Every name under which the resource may be recorded.
    names: BTreeSet<ResourceId>,
    /// What is recorded under these names, as it was last read. A name that is missing must be read.
    read: BTreeMap<ResourceId, Resource>,
    /// The claim of another deposit on the coin that this deposit tried to claim.
    claimed: Option<Claim>,
}

/// The groups of a batch. No two of them share a name.
#[derive(Default)]
pub(crate) struct Groups(Vec<Group>);

impl Groups {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the fact of a message.
    pub(crate) fn add_fact(&mut self, message_id: String, fact: NewFact) {
        let names = fact.names();
        let (read, claimed) = (BTreeMap::new(), None);
        self.add(Group { message_ids: vec![message_id], facts: vec![fact], names, read, claimed });
    }

    /// Adds a group to the one that shares a name with it. If several do, they become one.
    pub(crate) fn add(&mut self, group: Group) {
        let is_same = |known: &Group| !known.names.is_disjoint(&group.names);
        let (same, others): (Vec<Group>, Vec<Group>) = self.0.drain(..).partition(is_same);
        self.0 = others;
        self.0.push(same.into_iter().rev().fold(group, |later, earlier| earlier.with(later)));
    }

    /// The names of all groups, in a fixed order.
    pub(crate) fn names(&self) -> BTreeSet<&ResourceId> {
        self.0.iter().flat_map(|group| &group.names).collect()
    }

    /// The names that must be read. Groups whose names turned out to be second names of one resource are one from now on.
    pub(crate) fn unread(&mut self) -> Vec<ResourceId> {
        for mut group in std::mem::take(&mut self.0) {
            let owners: Vec<ResourceId> = group.read.values().filter_map(Resource::second_name_of).cloned().collect();
            group.names.extend(owners);
            self.add(group);
        }
        let unread =
            |group: &Group| group.names.iter().filter(|name| !group.read.contains_key(*name)).cloned().collect();
        let unread: BTreeSet<ResourceId> =
            self.0.iter().flat_map(|group| -> Vec<ResourceId> { unread(group) }).collect();
        unread.into_iter().collect()
    }

    /// Keeps a resource as it was read.
    pub(crate) fn know(&mut self, resource: Resource) {
        if let Some(group) = self.0.iter_mut().find(|group| group.names.contains(resource.id())) {
            group.read.insert(resource.id().clone(), resource);
        }
    }
}

impl IntoIterator for Groups {
    type Item = Group;
    type IntoIter = std::vec::IntoIter<Group>;

    /// The groups in the order of their names.
    fn into_iter(mut self) -> Self::IntoIter {
        self.0.sort_by(|one, other| one.names.cmp(&other.names));
        self.0.into_iter()
    }
}

impl Group {
    /// Both groups as one.
    fn with(mut self, other: Self) -> Self {
        let Self { message_ids, facts, names, read, claimed } = other;
        self.message_ids.extend(message_ids);
        self.facts.extend(facts);
        self.names.extend(names);
        self.read.extend(read);
        self.claimed = self.claimed.or(claimed);
        self
    }

    /// The names, as a text for logs.
    pub(crate) fn described(&self) -> String {
        let names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    /// Delivers the messages again.
    pub(crate) fn fail(&self, failures: &mut Failures) {
        self.message_ids.iter().for_each(|id| failures.add(id));
    }

    /// After `write` lost: keeps `current`, the resource as it is now, and forgets what may have changed.
    pub(crate) fn forget(&mut self, write: &Write, current: Option<Resource>) {
        if !write.second_names.is_empty() {
            self.read.clear();
        }
        self.read.remove(write.resource.id());
        self.read.extend(current.map(|current| (current.id().clone(), current)));
    }

    /// After the coin turned out to be claimed.
    pub(crate) fn claimed_by(&mut self, taken: Claim) {
        self.claimed = Some(taken);
    }

    /// Folds the statements into the resource. `None` if there is nothing to write.
    pub(crate) fn folded(&self, failures: &mut Failures) -> Option<Write> {
        let Some(United { owner, inherited, second_names }) = unite(self.read.values().cloned(), &self.facts) else {
            let names = self.described();
            error!(
                resource.ids = names,
                "{names}: none of these names has the facts; their messages will be delivered again"
            );
            self.fail(failures);
            return None;
        };
        let (id, read_version) = (owner.id().clone(), owner.version());
        let facts = inherited.into_iter().chain(self.facts.iter().map(|fact| fact.content.clone()));
        let resource = facts.fold(owner, recorded);
        if resource.version() == read_version && second_names.is_empty() {
            let statements = self.facts.len();
            info!(resource.id = %id, statements, "{id} unchanged: its {statements} statements add no fact");
            return None;
        }
        for name in &second_names {
            let name = name.id();
            info!(resource.id = %id, %name, "{id} is also named {name}; recording its facts under {id}");
        }
        let (resource, claim) = resource.claiming(self.claimed.as_ref(), read_version);
        Some(Write { resource, read_version, claim, second_names })
    }
}

fn recorded(resource: Resource, fact: FactContent) -> Resource {
    let outcome = fold(resource, fact);
    if let Outcome::Conflicting { resource, conflict, .. } = &outcome {
        let id = resource.id();
        let statuses: Vec<&str> = conflict.statuses.iter().map(|status| status.as_str()).collect();
        let (statuses, about) = (statuses.join(", "), conflict.about.join(", "));
        warn!(resource.id = %id, statuses, about, "{id} has conflicting statements ({statuses}; about: {about}); it needs review");
    }
    outcome.into_resource()
}
