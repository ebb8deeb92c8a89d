//! What the reconciler answers to an invocation.

use std::collections::BTreeMap;
use std::fmt;

use fundhook_domain::{ResourceId, Verdict};
use serde::{Deserialize, Serialize};

use crate::Report;

/// The result of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunSummary {
    /// How many pages of lists were read.
    pub pages: u64,
    /// How many rows were on them.
    pub rows: u64,
    /// How many rows were sent to the ingress queue, including rows that were requested by id.
    pub queued: u64,
    /// How many discrepancies need review.
    pub differing: u64,
    /// How many resources were reported overdue.
    pub overdue: u64,
    /// For how many hours control totals were stored.
    pub hours: u64,
    /// Whether the run finished everything before its time ended.
    pub complete: bool,
}

/// The reports of one day, one per organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayReports {
    /// The reports.
    pub reports: Vec<Report>,
    /// Whether every organization's report could be made.
    pub complete: bool,
}

/// The rows that were queued because an operator accepted them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRows {
    /// The deposit that they are about.
    pub accepted: ResourceId,
    /// How many rows were sent to the ingress queue.
    pub queued: u64,
}

/// What a person's decision says about each resource that it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedCase {
    /// The resources and the verdicts, which were sent to the ingress queue.
    pub decided: BTreeMap<ResourceId, Verdict>,
}

impl fmt::Display for RunSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, rows, queued, differing, overdue, hours, complete } = self;
        write!(
            f,
            "Read {rows} rows on {pages} pages; queued {queued} that were missed; {differing} need review. Reported overdue: \
             {overdue}. Hours with control totals: {hours}."
        )?;
        if !complete {
            write!(f, " The run stopped because its time ended; the next one continues from there.")?;
        }
        Ok(())
    }
}

impl fmt::Display for AcceptedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, queued } = self;
        write!(
            f,
            "Queued: {queued} of the listed rows, about {accepted}. They are processed like a webhook. If a row names its \
             transaction, the claim on its coin still protects against a second credit: a coin that other webhooks had \
             credited becomes `deposit.duplicate`."
        )
    }
}
