//! An example of a subscriber to Fundhook's events. It keeps a double-entry ledger from their `postings`, however often
//! and in whatever order SNS and SQS deliver.
//!
//! - [`Entry`] is what an event books: balanced lines.
//! - [`Ledger`] books an event once, all its lines or none, in one conditional transaction.
//! - [`Subscriber`] handles batches from the queue and acknowledges only finished messages.
//! - [`Statement`] is what the ledger says about an account.

mod decimal;
mod event;
mod handler;
mod ledger;
mod port;
mod statement;

pub use decimal::{Decimal, DecimalError};
pub use event::{Entry, EventError, Line};
pub use handler::{Subscriber, chain};
pub use ledger::{ATTEMPTS_MAX, DynamoLedger};
pub use port::{BookOutcome, Ledger, LedgerError};
pub use statement::{Statement, StatementEntry, TrialBalance, ledger_account, trial_balance_lines};
