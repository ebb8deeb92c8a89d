//! Recoveries: unexpected deposits and the payments that return them.
//!
//! Guarantees:
//!
//! - What is outstanding is the sum of the deposits less the sum of the settled payments, whatever order they are
//!   reported in.
//! - A coin that several webhook families report counts once.
//! - Only a settled payment counts as returned; a payment in transit does not.

mod details;

pub use details::{RecoveryDetails, RecoveryKey, ReturnPayment, UnexpectedDeposit};
