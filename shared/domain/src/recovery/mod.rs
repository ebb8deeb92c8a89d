//! Recoveries: unexpected deposits and the payments that return them.
//!
//! Guarantees:
//!
//! - What is outstanding follows from the set of deposits and payments on the provider's time line, whatever order they
//!   are reported in.
//! - A payment returns only what was there before it. What it returns beyond that is a surplus, and never offsets a
//!   deposit that comes later.
//! - A coin that several webhook families report counts once.
//! - Only a settled payment counts as returned; a payment in transit does not.

mod details;
mod time_line;

pub use details::{PaymentStep, RecoveryDetails, RecoveryKey, ReturnPayment, UnexpectedDeposit};
pub use time_line::RecoverySums;
