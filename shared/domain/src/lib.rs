//! The pure core of Fundhook: what a provider said, and what it adds up to.
//!
//! A [`Statement`] is one normalized statement about one resource. [`fold`] records it as a [`Fact`] and is the only way
//! a [`Resource`] changes; the [`View`] is computed from the *set* of its facts, so neither order nor repetition of
//! webhooks can be seen in it. [`events_after`] turns what was added into CloudEvents.
//!
//! Nothing here reads a clock, the environment, a network or a random number: time is an argument, and every function
//! is total.

#![warn(missing_docs)]

mod coin;
mod event;
mod identity;
mod json_fault;
mod money;
mod recovery;
mod resource;
mod schema;
mod timestamp;

pub use coin::{Claim, Network, Ownership, is_chain_hash};
pub use event::{
    BalanceBody, Event, EventBody, EventData, RecoveryBody, RecoveryDeposit, RecoveryPayment, TransferBody,
    attributes_schema, event_schema, event_types, events_after,
};
pub use identity::{
    FactId, Feed, FeedError, Kind, Provider, ResourceId, ResourceIdError, StatusRule, Tenant, TenantError, UnknownName,
    digest_hex,
};
pub use json_fault::json_fault;
pub use money::{Amount, DecimalError, DecimalValue, Quantity, Units};
pub use recovery::{RecoveryDetails, ReturnPayment, UnexpectedDeposit};
pub use resource::{
    AccountDetails, Attestation, BalanceDetails, Balances, Change, Conversion, CurrentStatus, DepositStatus, Details,
    Evidence, EvidenceClass, EvidencePointer, ExternalAccountStatus, Fact, FeeStatus, HistoryEntry, LATEST_FACTS_MAX,
    Outcome, ParticipantStatus, RecoveryStatus, Resource, Scheme, Session, Side, Source, Statement, StatementError,
    Status, Transaction, TransferDetails, UnrecognizedDetails, View, WithdrawalStatus, fold,
};
pub use timestamp::{CLOCK_SKEW_MAX, Timestamp, TimestampError};
