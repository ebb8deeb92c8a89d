//! Holds what is recorded against what the provider lists, and heals it.
//!
//! A provider drops a webhook after a few attempts, and says so nowhere. Its list says what was missed: each row that is
//! missing or further along goes on the ingress queue, and takes the road of a webhook from there. What stands in one status
//! for too long is asked for by its id, and published once as overdue when the provider has nothing to say. Each hour is
//! added up, asset by asset.
//!
//! Nothing here writes a resource. A run may end at any point and be repeated from any page: what is queued twice is
//! recorded once, and the watermark moves only past what was queued.

mod ambiguity;
mod control_totals;
mod handler;
mod hours;
mod list_reader;
mod overdue;
mod reading;
mod request;

pub use handler::{Ports, ReconcileError, Reconciler, ReconciliationStore, Summary};
pub use list_reader::{ListReadError, ListReader};
pub use request::{Answer, Request};
