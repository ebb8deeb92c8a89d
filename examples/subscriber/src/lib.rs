//! An example of what a platform writes to receive Fundhook's events: it credits a user's account once per deposit,
//! however often and in whatever order SNS and SQS deliver.
//!
//! - [`Instruction`] says what an event asks for; only a complete one becomes a [`Credit`].
//! - [`Ledger`] keeps the promise: one conditional write for the entry and the balance together.
//! - [`Subscriber`] takes batches from the queue and acknowledges exactly what is finished.

mod amount;
mod event;
mod handler;
mod ledger;
mod port;

pub use amount::{AmountError, Coins, Units};
pub use event::{Credit, EventError, Hold, HoldReason, Instruction};
pub use handler::Subscriber;
pub use ledger::{ATTEMPTS_MAX, DynamoLedger};
pub use port::{CreditOutcome, HoldOutcome, Ledger, LedgerError};
