//! Statements: what a provider says about one resource.

use serde::{Deserialize, Serialize};

use super::details::Details;
use super::evidence::Evidence;
use crate::{FactId, ResourceId, Status, Timestamp};

/// What a webhook, or a row of a provider's list, says about one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// The resource that it is about.
    pub resource: ResourceId,
    /// What it says, and the evidence for it.
    pub content: StatementContent,
}

/// What a provider says about a resource, and the evidence for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementContent {
    /// The id of the fact that it becomes. It depends on signed bytes alone.
    pub id: FactId,
    /// The provider's name for the event, such as `connect.deposits.confirmed`; empty when the webhook names none.
    pub event_type: String,
    /// The status that it reports. Its kind is the resource's kind.
    pub status: Status,
    /// When it happened, according to the provider.
    pub occurred_at: Timestamp,
    /// Its details in addition to the status.
    pub details: Details,
    /// The evidence for it.
    pub evidence: Evidence,
}

impl StatementContent {
    /// Whether a subscriber could not distinguish the two. Two webhooks with the same content in other bytes (a
    /// re-ordered body) are two facts and one statement.
    pub(super) fn has_same_content_as(&self, other: &Self) -> bool {
        self.status == other.status
            && self.occurred_at == other.occurred_at
            && self.event_type == other.event_type
            && self.details == other.details
    }

    /// Whether the provider sent one of the two and listed the other, and they [agree](Self::agrees_with): one
    /// occurrence reported in two ways.
    pub(super) fn corroborates(&self, other: &Self) -> bool {
        self.evidence.is_from_api() != other.evidence.is_from_api() && self.agrees_with(other)
    }

    /// Whether both report the same status, do not contradict each other, and both or neither identify the coin.
    ///
    /// A statement that is the first to identify the coin must publish an event, because the coin may be credited under
    /// another deposit.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.status == other.status
            && self.details.identifies_coin() == other.details.identifies_coin()
            && self.details.contradictions(&other.details).is_empty()
    }
}
