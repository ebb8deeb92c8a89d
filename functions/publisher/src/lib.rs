//! Turns the facts that a write added into CloudEvents, and publishes them.
//!
//! The table's stream is the outbox. A write and a publication cannot be one transaction, so the write records the facts and
//! the stream delivers each write at least once. An event that is published again has the same id.

mod handler;
mod in_order;

pub use handler::Publisher;
