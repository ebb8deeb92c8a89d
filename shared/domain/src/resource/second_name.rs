//! Second names: a provider names one thing by two ids, and states that they are one only later.
//!
//! zerohash names a payment by its request's id at first, by its own id later, and in between by both [zerohash-payments].
//!
//! Guarantees:
//!
//! - One of the names is the owner: all facts are recorded under it. Every other name has one [`SecondName`] fact, which
//!   says where to look.
//! - A second name stays one, and its owner was none when it was recorded. So following second names ends at one owner.
//! - Which facts the owner has does not depend on the order of arrival. Which of the names is the owner does.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::fact::{Fact, FactContent};
use super::fold::fold;
use super::message::NewFact;
use super::state::Resource;
use crate::{FactId, ResourceId, Timestamp};

/// A relation: the resource that has this fact is the same thing as another one, under which its facts are recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondName {
    /// The id of the fact that it becomes. There is exactly one for each pair of resources.
    pub id: FactId,
    /// The resource under which the facts are recorded.
    pub owner: ResourceId,
    /// When the statement that names both happened, according to the provider.
    pub occurred_at: Timestamp,
    /// The evidence for that statement.
    pub evidence: Evidence,
}

/// The names of one thing, after facts about it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct United {
    /// The resource to record the facts on, as it was read.
    pub owner: Resource,
    /// What is recorded under the second names and must be recorded on the owner too, before the facts.
    pub inherited: Vec<FactContent>,
    /// The resources that become second names of the owner. Each has one fact more than when it was read. They must be
    /// written in one transaction with the owner.
    pub second_names: Vec<Resource>,
}

impl SecondName {
    /// The event's name, which for statements is the provider's.
    pub(super) const EVENT_TYPE: &str = "fundhook.second_name";

    /// `resource` is another name of `owner`, as `fact` states.
    fn new(resource: &ResourceId, owner: &ResourceId, fact: &FactContent) -> Self {
        Self {
            id: FactId::of(resource, Self::EVENT_TYPE, owner.to_string().as_bytes()),
            owner: owner.clone(),
            occurred_at: fact.occurred_at(),
            evidence: fact.evidence().clone(),
        }
    }
}

/// Decides under which name `facts` about one thing are recorded.
///
/// `resources` are those of all its names: the names that the facts state, and the owners that their
/// [second names](Resource::second_name_of) lead to. Of the names that are not second names, the owner is the one under
/// which something is recorded; if that is true of several or of none, the one that the provider states first. The
/// others become second names.
///
/// `None` when every resource is a second name, so that the owner was not read.
pub fn unite(resources: impl IntoIterator<Item = Resource>, facts: &[NewFact]) -> Option<United> {
    let mut roots: Vec<Resource> =
        resources.into_iter().filter(|resource| resource.second_name_of().is_none()).collect();
    let is_stated_first = |id: &ResourceId| facts.iter().any(|fact| fact.resource == *id && fact.names().len() > 1);
    let precedence = |root: &Resource| (root.version() > 0, is_stated_first(root.id()), Reverse(root.id().to_string()));
    let (at, _) = roots.iter().enumerate().max_by_key(|(_, root)| precedence(root))?;
    let owner = roots.remove(at);
    let joining = facts.iter().find(|fact| fact.names().len() > 1).or(facts.first());
    let Some(joining) = joining.filter(|_| !roots.is_empty()) else {
        return Some(United { owner, inherited: Vec::new(), second_names: Vec::new() });
    };
    // Only statements: a notice is about the status that a resource had under its own name.
    let statements = roots.iter().flat_map(Resource::facts).filter(|fact| fact.statement().is_some());
    let inherited = statements.map(|fact| fact.content.clone()).collect();
    let second_names = roots.into_iter().map(|root| {
        let second_name = SecondName::new(root.id(), owner.id(), &joining.content);
        fold(root, FactContent::SecondName(second_name)).into_resource()
    });
    Some(United { second_names: second_names.collect(), owner, inherited })
}

/// The owner that one of `facts` names.
pub(super) fn owner_in(facts: &[Fact]) -> Option<&ResourceId> {
    facts.iter().find_map(|fact| match &fact.content {
        FactContent::SecondName(second_name) => Some(&second_name.owner),
        FactContent::Statement(_) | FactContent::Overdue(_) | FactContent::Relation(_) | FactContent::Decision(_) => {
            None
        }
    })
}
