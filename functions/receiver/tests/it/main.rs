//! The receiver, one file per promise, with everything around it in memory.

mod ages;
mod answers;
mod cold_starts;
mod floods;
mod key_cache;
mod rotations;
mod secret_cache;
mod support;
mod verifiers;
