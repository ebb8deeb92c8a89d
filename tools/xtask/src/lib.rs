//! What is generated from the code, for `cargo xtask` and for the tests that hold the files against it.

pub mod contract;
