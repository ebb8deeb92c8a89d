//! Compares what is recorded with what the providers list, and queues what was missed.
//!
//! A provider gives up on a webhook after a few attempts and does not report it. Its lists show what was missed: each row
//! that is missing or further along is sent to the ingress queue and processed like a webhook. A resource that stays in
//! one status for too long is requested by its id, and published once as overdue if the provider has no news. Every hour
//! gets control totals per asset.
//!
//! Guarantees:
//! - Nothing here writes a resource. What is decided comes from `fundhook_reconciliation`; this crate executes it.
//! - A run may stop at any point and be repeated from any page: what is queued twice is recorded once, and the watermark
//!   moves only past what was queued.
//! - A row that may credit a coin a second time is never queued; it is reported for review.

mod ambiguity;
mod backfill;
mod budget;
mod cases;
mod control_totals;
mod error;
mod handler;
mod hours;
mod list_reader;
mod listed_row;
mod movements;
mod overdue;
mod provider;
mod queueing;
mod reading;
mod recorded;
mod request;
mod run;
mod silence;
mod token_lists;
mod watermark;

pub use budget::run_deadline;
pub use cases::{Choice, DecideCase, NotDecidable};
pub use error::ReconcileError;
pub use handler::{Ports, Reconciler, ReconciliationStore};
pub use list_reader::ListReader;
pub use request::{InvalidRequest, ReconcileRequest, ReconcileResponse};
pub use token_lists::{ListReadError, TokenLists};
