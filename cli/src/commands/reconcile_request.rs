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
    Report { day: Timestamp, output: Output },
    /// Queue the row of this deposit.
    Accept(ResourceId),
    /// Record a decision: the event to invoke it with.
    Decide(Value),
}

/// How reports are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Text,
    Json,
}

impl Output {
    pub(super) fn of(is_json: bool) -> Self {
        if is_json { Self::Json } else { Self::Text }
    }
}

pub(super) fn print(reports: &[Report], output: Output) -> serde_json::Result<()> {
    match output {
        Output::Text => reports.iter().flat_map(report_lines).for_each(|line| println!("{line}")),
        Output::Json => println!("{}", serde_json::to_string_pretty(reports)?),
    }
    Ok(())
}

pub(super) fn ending(is_balanced: bool) -> ExitCode {
    if is_balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
