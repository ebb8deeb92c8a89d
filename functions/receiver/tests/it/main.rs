//! The receiver with in-memory ports, one file per promise.

mod ages;
mod answers;
mod cold_starts;
mod floods;
mod key_cache;
mod rotations;
mod secret_changes;
mod support;
mod verifiers;
