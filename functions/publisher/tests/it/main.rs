//! The publisher, with fakes of its ports.

mod batches;
mod kinds;
mod receipts;
mod support;
