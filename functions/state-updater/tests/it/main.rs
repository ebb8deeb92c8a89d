//! The state updater, one file per promise, with a fake of its table.

mod batches;
mod claims;
mod crashes;
mod kinds;
mod overdue;
mod second_names;
mod support;
