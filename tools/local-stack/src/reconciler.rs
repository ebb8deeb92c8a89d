//! Invokes the local stack's reconciler.

use fundhook_domain::ResourceId;
use fundhook_reconciliation::{AcceptedRows, DayReports, DecidedCase, RunSummary};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;

use crate::{CallError, Deployment, Function};

/// Why the reconciler did not do what was requested.
#[derive(Debug, Error)]
pub enum ReconcilerError {
    /// It could not be invoked.
    #[error("the reconciler could not be invoked")]
    Call(#[from] CallError),
    /// It failed with this message.
    #[error("the reconciler failed: {0}")]
    Failed(String),
    /// Its answer does not belong to the request.
    #[error("the reconciler's answer does not fit the request")]
    Answer(#[source] serde_json::Error),
    /// It queued nothing.
    #[error("no row about {0} was queued; the reconciler's log says why")]
    NothingQueued(ResourceId),
}

/// Starts a run, as the schedule does every 15 minutes.
pub async fn run(stack: &Deployment) -> Result<RunSummary, ReconcilerError> {
    ask(stack, &json!({})).await
}

/// Requests the reports of a day such as `2026-11-21`, as far as it has passed.
pub async fn report(stack: &Deployment, day: &str) -> Result<DayReports, ReconcilerError> {
    ask(stack, &json!({ "report_of": day })).await
}

/// Has what the provider lists about `deposit` queued, even if it is ambiguous.
pub async fn accept(stack: &Deployment, deposit: &ResourceId) -> Result<AcceptedRows, ReconcilerError> {
    let accepted: AcceptedRows = ask(stack, &json!({ "accept": deposit })).await?;
    if accepted.queued == 0 { Err(ReconcilerError::NothingQueued(accepted.accepted)) } else { Ok(accepted) }
}

/// Has what an operator decided recorded: `decision` is the event with the member `decide`.
pub async fn decide(stack: &Deployment, decision: &Value) -> Result<DecidedCase, ReconcilerError> {
    ask(stack, decision).await
}

async fn ask<T: DeserializeOwned>(stack: &Deployment, event: &Value) -> Result<T, ReconcilerError> {
    let invoked = stack.invoke(Function::Reconciler, event).await?;
    if invoked.failed {
        let why = invoked.payload["errorMessage"].as_str().unwrap_or("it gave no reason");
        return Err(ReconcilerError::Failed(why.to_owned()));
    }
    serde_json::from_value(invoked.payload).map_err(ReconcilerError::Answer)
}
