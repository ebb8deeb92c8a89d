//! An example of a subscriber to Fundhook's events. It credits a user's account once per deposit with what the event
//! says may be credited, however often and in whatever order SNS and SQS deliver.
//!
//! - [`Instruction`] is what an event requires of the ledger; only a complete event becomes a [`Credit`].
//! - [`Ledger`] writes entry and balance together in one conditional transaction.
//! - [`Subscriber`] handles batches from the queue and acknowledges only finished messages.

mod decimal;
mod event;
mod handler;
mod ledger;
mod port;

pub use decimal::{DecimalError, PositiveDecimal};
pub use event::{Credit, EventError, Hold, HoldReason, Instruction};
pub use handler::Subscriber;
pub use ledger::{ATTEMPTS_MAX, DynamoLedger};
pub use port::{CreditOutcome, HoldOutcome, Ledger, LedgerError};
