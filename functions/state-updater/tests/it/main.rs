//! The state-updater, one file per promise, with a table in memory.

mod batches;
mod claims;
mod crashes;
mod kinds;
mod overdue;
mod support;
