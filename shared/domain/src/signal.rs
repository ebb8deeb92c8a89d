//! One normalized statement about one resource.

use serde::{Deserialize, Serialize};

use crate::port::json_fault;
use crate::{Details, Evidence, FactId, Kind, ResourceId, Status, Timestamp};

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
}

/// The version of the message that this code writes and reads.
const VERSION: u8 = 1;

/// Why a message is not a signal.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// It does not have the shape.
    #[error("the message is not a signal: {0}")]
    Shape(String),
    /// It is of a version that this code does not know.
    #[error("the signal is of version {0}, this code reads version {VERSION}")]
    Version(u8),
    /// It reports a status that its resource cannot have.
    #[error("a resource of the kind `{0}` cannot have the status `{1}`")]
    Status(Kind, Status),
}

fn shape(error: serde_json::Error) -> SignalError {
    SignalError::Shape(json_fault(&error))
}

impl Signal {
    /// The signal as a message between functions.
    pub fn to_message(&self) -> Result<String, SignalError> {
        #[derive(Serialize)]
        struct Message<'a> {
            v: u8,
            signal: &'a Signal,
        }
        serde_json::to_string(&Message { v: VERSION, signal: self }).map_err(shape)
    }

    /// The signal in a message that [`Signal::to_message`] wrote.
    pub fn from_message(json: &str) -> Result<Self, SignalError> {
        #[derive(Deserialize)]
        struct Message {
            v: u8,
            signal: Signal,
        }
        let Message { v, signal } = serde_json::from_str(json).map_err(shape)?;
        if v != VERSION {
            return Err(SignalError::Version(v));
        }
        if signal.status.kind() != signal.resource.kind() {
            return Err(SignalError::Status(signal.resource.kind(), signal.status));
        }
        Ok(signal)
    }
}
