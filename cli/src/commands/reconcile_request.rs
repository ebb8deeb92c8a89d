//! What `reconcile` requests of the local stack, and how it shows a report.

use std::process::ExitCode;

use fundhook::report::report_lines;
use fundhook_domain::{ResourceId, Timestamp};
use fundhook_reconciliation::Report;
use serde_json::Value;

/// What the local stack's reconciler is invoked for.
pub(crate) enum LocalRequest {
    /// One run, as scheduled.
    Run,
    /// The report of the day that begins at this time.
    Report { day: Timestamp },
    /// Queue the row of this deposit.
    Accept(ResourceId),
    /// Record a decision: the event to invoke it with.
    Decide(Value),
}

pub(super) fn print(report: &Report) {
    report_lines(report).iter().for_each(|line| println!("{line}"));
}

pub(super) fn ending(is_balanced: bool) -> ExitCode {
    if is_balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
