//! One normalized statement about one resource.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::json_fault;
use crate::{Details, Evidence, FactId, Kind, Resource, ResourceId, Status, Timestamp};

/// What one webhook says about one resource, in Fundhook's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// About which resource.
    pub resource: ResourceId,
    /// Which statement this is, from signed bytes alone.
    pub fact: FactId,
    /// The event's name in the provider's words: `connect.deposits.confirmed`.
    pub event_type: String,
    /// What status it reports. Its kind is the resource's kind.
    pub status: Status,
    /// When the provider says it happened.
    pub occurred_at: Timestamp,
    /// What else it says.
    pub details: Details,
    /// Why it is believed.
    pub evidence: Evidence,
    /// Whether it is no statement of the provider but Fundhook's own, that none came for too long.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub overdue: bool,
}

/// The version of the messages that this code writes about what a provider states.
const VERSION: u8 = 1;

/// That of notices: a reader that does not know them must not take one for a statement.
const VERSION_OF_NOTICES: u8 = 2;

/// Why a message is not a signal.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// It does not have the shape.
    #[error("the message is not a signal: {0}")]
    Shape(String),
    /// It is of a version that this code does not know.
    #[error("the signal is of version {0}, this code reads versions {VERSION} and {VERSION_OF_NOTICES}")]
    Version(u8),
    /// It reports a status that its resource cannot have.
    #[error("a resource of the kind `{0}` cannot have the status `{1}`")]
    Status(Kind, Status),
}

fn version_of(signal: &Signal) -> u8 {
    if signal.overdue { VERSION_OF_NOTICES } else { VERSION }
}

fn shape(error: serde_json::Error) -> SignalError {
    SignalError::Shape(json_fault(&error))
}

/// The event's name in a notice that a further statement is overdue.
pub(crate) const OVERDUE_NOTICE: &str = "fundhook.overdue";

impl Signal {
    /// The notice that `resource` has awaited a further statement for `limit`; `None` when it awaits none.
    ///
    /// One and the same for as long as the resource stands where it does: recorded once, however often it is given.
    pub fn overdue(resource: &Resource, limit: Duration) -> Option<Self> {
        let standing = resource.standing().filter(|standing| standing.status.is_awaited())?;
        Some(Self {
            resource: resource.id().clone(),
            fact: standing.overdue_notice(resource.id()),
            event_type: OVERDUE_NOTICE.to_owned(),
            status: standing.status,
            occurred_at: standing.since.plus(limit),
            // It says nothing further, and no view reads it.
            details: Details::Transfer(Box::default()),
            evidence: resource.view()?.evidence,
            overdue: true,
        })
    }

    /// The signal as a message between functions.
    pub fn to_message(&self) -> Result<String, SignalError> {
        #[derive(Serialize)]
        struct Message<'a> {
            v: u8,
            signal: &'a Signal,
        }
        let v = version_of(self);
        serde_json::to_string(&Message { v, signal: self }).map_err(shape)
    }

    /// The signal in a message that [`Signal::to_message`] wrote.
    pub fn from_message(json: &str) -> Result<Self, SignalError> {
        #[derive(Deserialize)]
        struct Message {
            v: u8,
            signal: Signal,
        }
        let Message { v, signal } = serde_json::from_str(json).map_err(shape)?;
        if v != version_of(&signal) {
            return Err(SignalError::Version(v));
        }
        if signal.status.kind() != signal.resource.kind() {
            return Err(SignalError::Status(signal.resource.kind(), signal.status));
        }
        Ok(signal)
    }
}
