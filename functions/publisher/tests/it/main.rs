//! The publisher, with fakes of its ports.

mod batches;
mod kinds;
mod pages;
mod receipts;
mod support;
