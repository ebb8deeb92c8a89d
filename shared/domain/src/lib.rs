//! The pure core of Fundhook: what a provider said, and what it adds up to.
//!
//! A [`Signal`] is one normalized statement about one resource. [`fold`] records it as a [`Fact`] and is the only way
//! a [`Resource`] changes; the [`View`] is computed from the *set* of its facts, so neither order nor repetition of
//! webhooks can be seen in it. [`events_after`] turns what was added into CloudEvents.
//!
//! Nothing here reads a clock, the environment, a network or a random number: time is an argument, and every function
//! is total.

mod account;
mod amount;
mod coin;
mod details;
mod event;
mod evidence;
mod feed;
mod fold;
mod ids;
mod names;
mod network;
mod overlay;
pub mod port;
mod reconciliation;
mod recovery;
mod resource;
mod schema;
mod signal;
mod status;
mod timestamp;
mod transfer;
mod view;

pub use account::{AccountDetails, BalanceDetails, UnrecognizedDetails};
pub use amount::{Amount, DecimalError, DecimalValue, Quantity, Units};
pub use coin::{Claim, Ownership};
pub use details::Details;
pub use event::{
    BalanceBody, Event, EventBody, EventData, RecoveryBody, RecoveryDeposit, RecoveryPayment, TransferBody,
    attributes_schema, event_schema, event_types, events_after,
};
pub use evidence::{Attestation, Evidence, EvidenceClass, EvidencePointer, Scheme};
pub use feed::{Feed, FeedError, Tenant, TenantError};
pub use fold::{Change, Outcome, fold};
pub use ids::{FactId, ResourceId, ResourceIdError, digest_hex};
pub use names::{Course, Kind, Provider, UnknownName};
pub use network::Network;
pub use reconciliation::{
    ConservationLine, Discrepancy, Receipt, SAME_WITHIN, Tally, coin_of, conserve, credited_twice, is_of_the_coin,
    is_told_by_its_coin, may_be_the_same, names_its_coin, plan, receipt_of,
};
pub use recovery::{RecoveryDetails, ReturnPayment, UnexpectedDeposit};
pub use resource::{Fact, LATEST_FACTS_MAX, Resource, Standing};
pub use signal::{Signal, SignalError};
pub use status::{
    DepositStatus, ExternalAccountStatus, FeeStatus, ParticipantStatus, RecoveryStatus, Status, WithdrawalStatus,
};
pub use timestamp::{Timestamp, TimestampError};
pub use transfer::{Balances, Conversion, Session, Side, Source, Transaction, TransferDetails};
pub use view::{HistoryEntry, View};
