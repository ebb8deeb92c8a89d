//! What is generated from the code, for `cargo xtask` and for the tests that check it.

pub mod generated;
