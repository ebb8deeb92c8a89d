//! Unexpected deposits and the payments that return them.
//!
//! Guarantees: what is outstanding is the sum of the deposits less the sum of the settled payments, whatever order they
//! are reported in; one coin reported by several webhook families counts once.

mod details;

pub use details::{RecoveryDetails, ReturnPayment, UnexpectedDeposit};
