//! Invokes the local stack's reconciler.

use std::fmt;

use fundhook_domain::ResourceId;
use fundhook_reconciliation::Report;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;

use crate::{CallError, Deployment, Function};

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// How many pages of lists were read.
    pub pages: u64,
    /// How many rows were on them.
    pub rows: u64,
    /// How many of them went on the ingress queue.
    pub queued: u64,
    /// How many need review.
    pub differing: u64,
    /// How many resources were reported overdue.
    pub overdue: u64,
    /// How many hours were added up.
    pub hours: u64,
    /// Whether the run did not end because its time did.
    pub complete: bool,
}

/// The reports of a day, one for each organization.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DayReports {
    pub reports: Vec<Report>,
    /// Whether there is a report for every organization.
    pub complete: bool,
}

/// A row of the provider's list that was queued because the operator accepted it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AcceptedRow {
    pub accepted: ResourceId,
    pub queued: u64,
}

/// Why the reconciler did not do what was requested.
#[derive(Debug, Error)]
pub enum ReconcilerError {
    #[error("the reconciler was not invoked")]
    Call(#[from] CallError),
    #[error("the reconciler failed: {0}")]
    Failed(String),
    #[error("the reconciler's answer has an unexpected form")]
    Answer(#[source] serde_json::Error),
    #[error("no row of {0} was queued; the reconciler's log says why")]
    NothingQueued(ResourceId),
}

/// One run, as scheduled every 15 minutes.
pub async fn run(stack: &Deployment) -> Result<Summary, ReconcilerError> {
    ask(stack, &json!({})).await
}

/// The report of a day such as `2026-11-21`, up to now.
pub async fn report(stack: &Deployment, day: &str) -> Result<DayReports, ReconcilerError> {
    ask(stack, &json!({ "report_of": day })).await
}

/// Queues the provider's row of `deposit`, even if it is ambiguous.
pub async fn accept(stack: &Deployment, deposit: &ResourceId) -> Result<AcceptedRow, ReconcilerError> {
    let accepted: AcceptedRow = ask(stack, &json!({ "accept": deposit })).await?;
    if accepted.queued == 0 { Err(ReconcilerError::NothingQueued(accepted.accepted)) } else { Ok(accepted) }
}

async fn ask<T: DeserializeOwned>(stack: &Deployment, event: &Value) -> Result<T, ReconcilerError> {
    let invoked = stack.invoke(Function::Reconciler, event).await?;
    if invoked.failed {
        let why = invoked.payload["errorMessage"].as_str().unwrap_or("it gave no reason");
        return Err(ReconcilerError::Failed(why.to_owned()));
    }
    serde_json::from_value(invoked.payload).map_err(ReconcilerError::Answer)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, rows, queued, differing, overdue, hours, complete } = self;
        write!(
            f,
            "Read {rows} rows on {pages} pages: {queued} missed statements queued, {differing} differing. Reported overdue: \
             {overdue}. Hours added up: {hours}."
        )?;
        if !complete {
            write!(f, " The run ended because its time did; the next one goes on where it ended.")?;
        }
        Ok(())
    }
}

impl fmt::Display for AcceptedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, queued } = self;
        write!(
            f,
            "Queued: {queued} of the listed rows, about {accepted}. It becomes an event as a webhook does. If the row names its \
             transaction, the claim on its coin still protects against a second credit: if other webhooks have credited the \
             coin, the event is `deposit.duplicate`."
        )
    }
}
