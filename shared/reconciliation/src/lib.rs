//! Reconciliation as pure decisions: what is recorded compared with what the provider lists.
//!
//! Guarantees:
//! - Nothing here reads a clock or calls anything: time, records and the provider's rows are arguments. What is still
//!   unknown is returned as a question, and the caller asks it.
//! - Neither the order nor the repetition of rows or records changes a decision.
//! - A row that may describe a coin that is already credited is never chosen for the queue.
//! - A row, a deposit and a receipt count once in a report, however often they are seen.

mod ambiguity;
mod answers;
mod backfill;
mod backfill_part;
mod coin;
mod control_totals;
mod credit;
mod discrepancy;
mod hours;
mod list_order;
mod lists;
mod moved;
mod movements;
mod plan;
mod receipt;
mod report;
mod report_builder;
mod silence;
mod watermark;
mod window;

pub use ambiguity::{
    Ambiguity, AmbiguityStep, ConfirmedRow, KnownAboutRow, OrganizationFeeds, Question, SIMILAR_DEPOSITS_MAX, Verdict,
    next,
};
pub use answers::{AcceptedRows, DayReports, DecidedCase, RunSummary};
pub use backfill::{BackfillMode, BackfillPlan, BackfillPosition, BackfillRequest, parse_day_or_time};
pub use backfill_part::{BackfillPart, BackfilledList};
pub use coin::{
    SAME_DEPOSIT_WITHIN, claim_of, has_coin_of, identifies_its_coin, is_identified_by_its_coin, may_be_the_same, names,
};
pub use control_totals::{ControlTotalsLine, Total, Totals, control_totals};
pub use credit::is_credit;
pub use discrepancy::Discrepancy;
pub use hours::TotalsPass;
pub use list_order::all_older_and_newest_first;
pub use lists::{is_listed_by, lists_of};
pub use moved::{Flow, Moved, moved_by, moved_by_row};
pub use movements::{
    BegunCheck, MOVEMENT_SETTLES_WITHIN, Movement, MovementsMark, RecordedCauses, ToldMovements, Unrecorded,
    claims_of_cause, ids_of_cause, last_movement_received, movements_of, settles_movement,
};
pub use plan::{History, credited_twice, plan, untold};
pub use receipt::{Receipt, receipt_of};
pub use report::Report;
pub use report_builder::ReportBuilder;
pub use silence::{BUSY_ROWS, BUSY_WITHIN, DatedRow, RowCounts, RowsWithoutWebhook, Silence, silence};
pub use watermark::{PageKey, ReadWindow, ReadableRange, WHOLE_LIST_EVERY, Watermark};
pub use window::{ClosedWindow, HOUR};
