//! The pure core of Fundhook: what a provider said, and what it adds up to.
//!
//! A [`Signal`] is one normalized statement about one resource. [`fold`] records it as a [`Fact`] and is the only way
//! a [`Resource`] changes; the [`View`] is computed from the *set* of its facts, so neither order nor repetition of
//! webhooks can be seen in it. [`events_after`] turns what was added into CloudEvents.
//!
//! Nothing here reads a clock, the environment, a network or a random number: time is an argument, and every function
//! is total.

mod amount;
mod details;
mod event;
mod evidence;
mod fold;
mod ids;
mod network;
pub mod port;
mod resource;
mod signal;
mod status;
mod timestamp;
mod view;

pub use amount::{Amount, DecimalError, DecimalValue, Quantity, Units};
pub use details::{Details, Session, Source, Transaction, TransferDetails, UnrecognizedDetails};
pub use event::{Event, EventData, events_after};
pub use evidence::{Attestation, Evidence, EvidenceClass, EvidencePointer, Scheme};
pub use fold::{Change, Outcome, fold};
pub use ids::{FactId, Kind, Provider, ResourceId, ResourceIdError, UnknownName, digest_hex};
pub use network::Network;
pub use resource::{Fact, Resource};
pub use signal::{Signal, SignalError};
pub use status::{DepositStatus, Status, WithdrawalStatus};
pub use timestamp::{Timestamp, TimestampError};
pub use view::{HistoryEntry, View};
