//! Statements: what a provider says about one resource.

use serde::{Deserialize, Serialize};

use super::beside::Reported;
use super::details::Details;
use super::evidence::Evidence;
use crate::{FactId, HoldReason, ResourceId, Status, Timestamp, WebhookFamily};

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
    /// The status that it reports; `None` when it reports none, such as a fee about its withdrawal. Its kind is the
    /// resource's kind.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<Status>,
    /// When it happened, according to the provider; when it was sent, if it is [undated](Self::undated).
    pub occurred_at: Timestamp,
    /// Whether the provider gives no date. Such a statement happened when the earliest of its copies was sent.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub undated: bool,
    /// Its details in addition to the status.
    pub details: Details,
    /// The evidence for it.
    pub evidence: Evidence,
    /// How the bytes were read.
    pub reading: Reading,
}

/// How a webhook's bytes were read: by which revision of the normaliser, and with which settings.
///
/// The same bytes read in another way are a restatement: another fact with the same id. Of several readings, the newest
/// one stands: the one of the latest receipt or replay, then the one of the highest revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reading {
    /// When Fundhook received the bytes that were read, or when an operator replayed them. A provider that sends them again
    /// has them read again.
    pub at: Timestamp,
    /// The revision of the normaliser.
    pub revision: u32,
    /// A digest of the settings that the statement depends on; empty when all have their defaults.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub settings: String,
}

impl Reading {
    /// Whether both read the same bytes in the same way, whenever they did.
    pub(super) fn is_same_way_as(&self, other: &Self) -> bool {
        self.revision == other.revision && self.settings == other.settings
    }
}

impl StatementContent {
    /// Whether a subscriber could not distinguish the two. Two webhooks with the same content in other bytes (a
    /// re-ordered body) are two facts and one statement.
    pub(super) fn has_same_content_as(&self, other: &Self) -> bool {
        let is_same_date = self.undated == other.undated && (self.undated || self.occurred_at == other.occurred_at);
        self.reported() == other.reported()
            && is_same_date
            && self.event_type == other.event_type
            && self.details == other.details
    }

    /// Whether both are the same bytes, however they were read, or have the same content in other bytes.
    pub(super) fn is_copy_of(&self, other: &Self) -> bool {
        self.id == other.id || self.has_same_content_as(other)
    }

    /// Whether both are the same bytes, read in two ways.
    pub(crate) fn is_another_reading_of(&self, other: &Self) -> bool {
        self.id == other.id && !self.reading.is_same_way_as(&other.reading)
    }

    /// Whether the same bytes were sent earlier than all of `copies`, and have no other date.
    pub(super) fn is_an_earlier_copy_of_all(&self, copies: &[&Self]) -> bool {
        self.undated && copies.iter().all(|copy| copy.undated && self.occurred_at < copy.occurred_at)
    }

    /// Whether the provider sent one of the two and listed the other, and they [agree](Self::agrees_with): one
    /// occurrence reported in two ways.
    pub(super) fn corroborates(&self, other: &Self) -> bool {
        self.evidence.is_from_api() != other.evidence.is_from_api() && self.agrees_with(other)
    }

    /// Whether both report the same status, do not contradict each other, and both or neither identify the coin and state
    /// its amount.
    ///
    /// A statement that is the first to identify the coin must publish an event, because the coin may be credited under
    /// another deposit. So must one that is the first to state the amount, because it changes what is booked.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.reported() == other.reported()
            && self.details.identifies_coin() == other.details.identifies_coin()
            && self.details.states_an_amount() == other.details.states_an_amount()
            && self.details.contradictions(&other.details).is_empty()
            && self.details.credits_the_same_as(&other.details)
            && self.details.reports_the_same_return_as(&other.details)
    }

    /// The status that it reports, with the reason for a hold.
    pub(super) fn reported(&self) -> Option<Reported> {
        Some(Reported { status: self.status?, hold: self.hold() })
    }

    /// Why it says that the deposit is held.
    pub(super) fn hold(&self) -> Option<HoldReason> {
        match &self.details {
            Details::Transfer(transfer) => transfer.hold.as_ref().map(|hold| hold.reason),
            Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
        }
    }

    /// The webhook family that reports it.
    pub fn family(&self) -> Option<WebhookFamily> {
        match &self.details {
            Details::Transfer(transfer) => transfer.family,
            Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
        }
    }

    /// What both state about the money that is booked, and state differently: `amount`, `purpose`, `asset`, `account`,
    /// `credit`.
    ///
    /// A transaction may be corrected, and a network is spelled in many ways: neither changes what is booked.
    pub(super) fn different_money(&self, other: &Self) -> Vec<&'static str> {
        let booked = ["amount", "purpose", "asset", "account"];
        let mut different = self.details.contradictions(&other.details);
        different.retain(|name| booked.contains(name));
        if !self.details.credits_the_same_as(&other.details) && !self.details.differs_by_setting(&other.details) {
            different.push("credit");
        }
        different
    }

    /// Whether both state how much leaves an account, in different assets. Then they cannot be added up, whatever their
    /// statuses.
    pub(super) fn has_other_asset_than(&self, other: &Self) -> bool {
        match (self.status, &self.details, &other.details) {
            (Some(Status::Withdrawal(_) | Status::Fee(_)), Details::Transfer(one), Details::Transfer(other)) => {
                one.has_other_asset_than(other)
            }
            (_, _, _) => false,
        }
    }
}
