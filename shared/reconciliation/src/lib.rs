//! Reconciliation as pure decisions: what is recorded compared with what the provider lists.
//!
//! Guarantees: neither order nor repetition of either side changes a decision; nothing is done about a difference here,
//! no clock is read, nothing is asked of the outside.

mod control_totals;
mod plan;
mod report;
mod watermark;

pub use control_totals::{ConservationLine, Receipt, Tally, conserve, receipt_of};
pub use plan::{
    Discrepancy, SAME_WITHIN, coin_of, credited_twice, is_of_the_coin, is_told_by_its_coin, may_be_the_same,
    names_its_coin, plan,
};
pub use report::Report;
pub use watermark::{Watermark, Window};
