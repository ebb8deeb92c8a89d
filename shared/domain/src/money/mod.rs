//! Exact amounts of money.
//!
//! Guarantees: a value is a decimal of any length, read and written exactly; its units are explicit; two assets are
//! never added.

mod amount;

pub use amount::{Amount, DecimalError, DecimalValue, Quantity, Units};
