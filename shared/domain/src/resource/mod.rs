//! One deposit, withdrawal or other thing at a provider: the facts recorded about it, and the view they add up to.
//!
//! Guarantees: [`fold`] is the only way a resource changes, and it is pure and total; the view is a function of the *set* of
//! facts, so the order and the repetition of webhooks cannot be seen in it; a late fact never moves a status backwards.

mod account;
mod details;
mod evidence;
mod facts;
mod fold;
mod overlay;
mod statement;
mod status;
mod transfer;
mod view;

pub use account::{AccountDetails, BalanceDetails, UnrecognizedDetails};
pub use details::Details;
pub use evidence::{Attestation, Evidence, EvidenceClass, EvidencePointer, Scheme};
pub use facts::{Fact, LATEST_FACTS_MAX, Resource, Standing};
pub(crate) use fold::change;
pub use fold::{Change, Outcome, fold};
pub(crate) use overlay::replace;
pub use statement::{Signal, SignalError};
pub use status::{
    DepositStatus, ExternalAccountStatus, FeeStatus, ParticipantStatus, RecoveryStatus, Status, WithdrawalStatus,
};
pub use transfer::{Balances, Conversion, Session, Side, Source, Transaction, TransferDetails};
pub use view::{HistoryEntry, View};
