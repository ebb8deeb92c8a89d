//! What `reconcile` requests of the local stack, and how it shows a report.

use std::process::ExitCode;

use fundhook::report::{is_balanced, report_lines};
use fundhook_domain::{ListId, ResourceId, Timestamp};
use fundhook_reconciliation::Report;
use serde_json::{Value, json};

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

/// What is reported of a list and a day.
pub(crate) struct ReportedList {
    pub(crate) list: ListId,
    /// How many hours are stored; `None` for a report that was made for this.
    pub(crate) hours: Option<usize>,
    /// The gaps between the stored hours: from, and before.
    pub(crate) not_reported: Vec<(Timestamp, Timestamp)>,
    /// The report; `None` if no hour is stored.
    pub(crate) report: Option<Report>,
}

impl ReportedList {
    /// Whether all of it is reported and nothing needs review.
    pub(crate) fn is_well(&self) -> bool {
        self.not_reported.is_empty() && self.report.as_ref().is_none_or(is_balanced)
    }

    fn lines(&self) -> Vec<String> {
        let list = &self.list;
        let mut lines = Vec::new();
        lines.extend(self.hours.map(|hours| format!("{hours} of 24 hours are reported of {list}.")));
        lines.extend(self.not_reported.iter().map(|(from, before)| format!("  ✗ not reported: {from} to {before}")));
        lines.extend(self.report.iter().flat_map(report_lines));
        lines
    }

    fn to_json(&self) -> Value {
        let gap = |(from, before): &(Timestamp, Timestamp)| json!({ "from": from, "before": before });
        let not_reported: Vec<Value> = self.not_reported.iter().map(gap).collect();
        let (feed, list) = (self.list.feed(), self.list.kind());
        json!({ "feed": feed, "list": list, "is_well": self.is_well(), "not_reported": not_reported, "report": self.report })
    }
}

pub(super) fn print(lists: &[ReportedList], output: Output) -> serde_json::Result<()> {
    match output {
        Output::Text => lists.iter().flat_map(ReportedList::lines).for_each(|line| println!("{line}")),
        Output::Json => {
            let all: Vec<Value> = lists.iter().map(ReportedList::to_json).collect();
            println!("{}", serde_json::to_string_pretty(&all)?);
        }
    }
    Ok(())
}

pub(super) fn ending(is_balanced: bool) -> ExitCode {
    if is_balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
