//! Turns what a write added into CloudEvents, and publishes them.
//!
//! The table's stream is the outbox: a write and a publication cannot be made one, so the write records what happened
//! and the stream sees to it that it is said, at least once, with ids that are the same each time.

mod handler;

pub use handler::Publisher;
