//! Decisions: what a person decided about a resource that needs review.
//!
//! Guarantees:
//!
//! - A decision is a fact, with who and why. It settles the facts that were known to the person, which it names. What
//!   arrives later and contradicts it is a conflict again.
//! - Of several decisions about a resource, the latest one stands.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::fact::{Fact, FactContent};
use super::statement::StatementContent;
use crate::{FactId, ResourceId, Timestamp};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What the deposit's confirmation states is right: the deposit is credited.
    Accepted,
    /// The deposit is not credited, and another resource counts in its place.
    RejectedInFavourOf(ResourceId),
    /// The deposit is not credited. What was booked for it is undone: it is reversed.
    Rejected,
    /// The conflict is over, and the status that the resource shows stands.
    Resolved,
}

/// What a person decided about a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The id of the fact that it becomes.
    pub id: FactId,
    /// What was decided.
    pub verdict: Verdict,
    /// The facts that the person knew.
    pub settles: BTreeSet<FactId>,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub decided_at: Timestamp,
    /// The evidence: the archived decision.
    pub evidence: Evidence,
    /// What was decided about other resources with it. They are recorded in the same write, and are empty in a stored fact.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub also: BTreeMap<ResourceId, Decision>,
}

/// A decision as a view and an event show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionSummary {
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub decided_at: Timestamp,
}

impl Decision {
    /// The event's name, which for statements is the provider's.
    pub const EVENT_TYPE: &str = "fundhook.decision";

    pub(super) fn summary(&self) -> DecisionSummary {
        let Self { verdict, by, reason, decided_at, .. } = self;
        let (verdict, by, reason) = (verdict.clone(), by.clone(), reason.clone());
        DecisionSummary { verdict, by, reason, decided_at: *decided_at }
    }

    /// Whether the person knew `statement`, in these or in other bytes. `statements` are all that are recorded.
    pub(super) fn settles(&self, statement: &StatementContent, statements: &[&StatementContent]) -> bool {
        let is_known = |other: &&&StatementContent| self.settles.contains(&other.id);
        statements.iter().filter(is_known).any(|known| known.is_copy_of(statement))
    }

    /// Whether the verdict says that the deposit is credited.
    pub(super) fn accepts(&self) -> bool {
        match self.verdict {
            Verdict::Accepted => true,
            Verdict::RejectedInFavourOf(_) | Verdict::Rejected | Verdict::Resolved => false,
        }
    }
}

/// The decision among `facts` that stands: the latest one, and of two at one time the one with the greater id.
pub(super) fn standing(facts: &[Fact]) -> Option<&Decision> {
    let decisions = facts.iter().filter_map(|fact| match &fact.content {
        FactContent::Decision(decision) => Some(&**decision),
        FactContent::Statement(_) | FactContent::Overdue(_) | FactContent::SecondName(_) | FactContent::Relation(_) => {
            None
        }
    });
    decisions.max_by_key(|decision| (decision.decided_at, &decision.id))
}
