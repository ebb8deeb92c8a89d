//! What the local stack's reconciler is asked to do, and what it answers.

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
    /// How many a person must look at.
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
pub struct Reported {
    /// The reports.
    pub reports: Vec<Report>,
    /// Whether all of them could be made.
    pub complete: bool,
}

/// A row of the provider's list that was queued because a person accepted it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// The deposit that it is about.
    pub accepted: ResourceId,
    /// How many rows were queued.
    pub queued: u64,
}

/// Why the reconciler did not do what it was asked.
#[derive(Debug, Error)]
pub enum AskError {
    /// It was not invoked.
    #[error("the reconciler was not asked")]
    Call(#[from] CallError),
    /// It failed, and said this.
    #[error("the reconciler failed: {0}")]
    Failed(String),
    /// It answered something else.
    #[error("the reconciler's answer is none to what it was asked")]
    Answer(#[source] serde_json::Error),
    /// It queued nothing.
    #[error("nothing about {0} was queued; the reconciler's log says why")]
    NothingQueued(ResourceId),
}

/// Has it do what it does every 15 minutes.
pub async fn run(stack: &Deployment) -> Result<Summary, AskError> {
    ask(stack, &json!({})).await
}

/// Has it add up the day that is called `day`, such as `2026-11-21`, as far as it has passed.
pub async fn report(stack: &Deployment, day: &str) -> Result<Reported, AskError> {
    ask(stack, &json!({ "report_of": day })).await
}

/// Has it queue what the provider lists about `deposit`, whatever there is to doubt about it.
pub async fn accept(stack: &Deployment, deposit: &ResourceId) -> Result<Accepted, AskError> {
    let accepted: Accepted = ask(stack, &json!({ "accept": deposit })).await?;
    if accepted.queued == 0 { Err(AskError::NothingQueued(accepted.accepted)) } else { Ok(accepted) }
}

async fn ask<T: DeserializeOwned>(stack: &Deployment, event: &Value) -> Result<T, AskError> {
    let invoked = stack.invoke(Function::Reconciler, event).await?;
    if invoked.failed {
        let why = invoked.payload["errorMessage"].as_str().unwrap_or("it does not say why");
        return Err(AskError::Failed(why.to_owned()));
    }
    serde_json::from_value(invoked.payload).map_err(AskError::Answer)
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

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, queued } = self;
        write!(
            f,
            "Queued: {queued} of the listed rows, about {accepted}. It becomes an event as a webhook does. Where it names its \
             transaction, the claim on its coin still protects against a second credit: a coin that other webhooks had \
             credited becomes `deposit.duplicate`."
        )
    }
}
