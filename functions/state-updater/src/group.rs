//! The facts of a batch, grouped by the resource that they are recorded on.
//!
//! A provider may name one payment by two ids. So a group has a set of names, and two groups that share one are one group:
//! because a statement gives both names, or because what is stored under a name is that it is a second name of another one.

use std::collections::BTreeSet;

use fundhook_domain::{CorrelationId, NewFact, ResourceId, Stored};
use fundhook_runtime::batch::Failures;

/// The statements and overdue notices of a batch about one resource.
#[derive(Debug)]
pub(crate) struct Group {
    message_ids: Vec<String>,
    facts: Vec<NewFact>,
    /// Every name under which the resource may be recorded.
    names: BTreeSet<ResourceId>,
}

/// The groups of a batch. No two of them share a name.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<Group>);

impl Groups {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These groups, of which no two share a name.
    pub(crate) fn of(groups: Vec<Group>) -> Self {
        Self(groups)
    }

    /// Adds the fact of a message.
    pub(crate) fn add_fact(&mut self, message_id: String, fact: NewFact) {
        let names = fact.names();
        self.add(Group { message_ids: vec![message_id], facts: vec![fact], names });
    }

    /// Adds a group to the one that shares a name with it. If several do, they become one.
    pub(crate) fn add(&mut self, group: Group) {
        let is_same = |known: &Group| !known.names.is_disjoint(&group.names);
        let (same, others): (Vec<Group>, Vec<Group>) = self.0.drain(..).partition(is_same);
        self.0 = others;
        self.0.push(same.into_iter().rev().fold(group, |later, earlier| earlier.with(later)));
    }

    /// Joins the groups whose names turned out to be second names of one resource.
    pub(crate) fn join(&mut self, stored: &Stored) {
        for mut group in std::mem::take(&mut self.0) {
            let known = group.names.iter().filter_map(|name| stored.resource(name));
            let owners: Vec<ResourceId> = known.filter_map(|resource| resource.second_name_of().cloned()).collect();
            group.names.extend(owners);
            self.add(group);
        }
    }

    /// The groups in the order of their names.
    pub(crate) fn sorted(mut self) -> Vec<Group> {
        self.0.sort_by(|one, other| one.names.cmp(&other.names));
        self.0
    }
}

impl Group {
    /// Both groups as one.
    fn with(mut self, other: Self) -> Self {
        let Self { message_ids, facts, names } = other;
        self.message_ids.extend(message_ids);
        self.facts.extend(facts);
        self.names.extend(names);
        self
    }

    /// The statements and notices, in the order of their messages.
    pub(crate) fn facts(&self) -> &[NewFact] {
        &self.facts
    }

    /// The names, as a text for logs.
    pub(crate) fn described(&self) -> String {
        let names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    /// Whether `id` is one of its names.
    pub(crate) fn is_about(&self, id: &ResourceId) -> bool {
        self.names.contains(id)
    }

    /// The ids of the webhooks of its facts.
    pub(crate) fn correlation_ids(&self) -> impl Iterator<Item = &CorrelationId> {
        self.facts.iter().map(|fact| &fact.content.evidence().correlation_id)
    }

    /// Delivers the messages again.
    pub(crate) fn fail(&self, failures: &mut Failures) {
        self.message_ids.iter().for_each(|id| failures.add(id));
    }
}
