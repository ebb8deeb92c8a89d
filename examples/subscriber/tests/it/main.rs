//! The subscriber, one file per promise, with its ledger in memory.

mod batches;
mod cancellations;
mod ledger;
mod support;
