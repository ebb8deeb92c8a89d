//! Exact amounts of money.
//!
//! Guarantees:
//!
//! - A value is a decimal of any length that is read, added and written exactly; there are no floats.
//! - Units are explicit, and quantities in different units are never added.

mod amount;
mod outflow;

pub use amount::{Amount, DecimalError, DecimalValue, Quantity, Units};
pub use outflow::Outflow;
pub(crate) use outflow::replace_amount;
