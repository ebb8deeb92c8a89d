//! Folds statements into resources: usually one read call and one call of conditional writes per batch.

mod group;
mod handler;

pub use handler::{ATTEMPTS_MAX, StateUpdater};
