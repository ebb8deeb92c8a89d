//! The publisher, with a topic in memory.

mod batches;
mod kinds;
mod receipts;
mod support;
