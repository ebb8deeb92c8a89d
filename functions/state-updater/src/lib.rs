//! Folds signals into resources: one read and one conditional write a batch.

mod handler;

pub use handler::{ATTEMPTS_MAX, StateUpdater};
