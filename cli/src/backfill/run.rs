//! Invoking the reconciler until a backfill is complete.

use std::future::Future;

use fundhook_reconciliation::{BackfillPart, BackfillPosition, BackfillRequest};
use serde_json::{Value, json};

use crate::invocation::{Invocation, InvocationError, invoke};
use crate::target::Target;

/// Invokes the reconciler.
pub trait InvokeReconciler {
    /// Invokes it with `event`, and waits for its answer.
    fn invoke(&self, event: &Value) -> impl Future<Output = Result<Invocation, InvocationError>> + Send;
}

/// The reconciler of a stack.
#[derive(Debug)]
pub struct StackReconciler<'a> {
    /// The stack.
    pub target: &'a Target,
    /// The function's name.
    pub function: &'a str,
}

impl InvokeReconciler for StackReconciler<'_> {
    async fn invoke(&self, event: &Value) -> Result<Invocation, InvocationError> {
        invoke(self.target, self.function, event.to_string().into_bytes()).await
    }
}

/// Why a backfill ended before everything was read. What was done by then is recorded.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    #[error(transparent)]
    Invocation(#[from] InvocationError),
    #[error("the reconciler answers: {0}")]
    Refused(String),
    #[error("the reconciler's answer is not that of a backfill; is the deployed version older than this command?")]
    Answer(#[source] serde_json::Error),
    #[error("the reconciler did not finish a page of {list} within the time of an invocation, {TRIES} times in a row")]
    Stuck { list: String },
    #[error("the reconciler stopped: {0}")]
    Stopped(String),
}

/// How often a part may end at the page with which it began. In the second attempt, what the first one queued is recorded.
const TRIES: u32 = 3;

/// Reads everything that `request` asks for. Calls `progress` with what was found so far, after each invocation. What was found
/// before a failure comes with the error.
pub async fn backfill(
    request: BackfillRequest,
    reconciler: &impl InvokeReconciler,
    progress: impl Fn(&BackfillPart),
) -> (Option<BackfillPart>, Result<(), BackfillError>) {
    let mut request = request;
    let mut whole: Option<BackfillPart> = None;
    let mut tries = 0;
    loop {
        let part = match part(&request, reconciler).await {
            Ok(part) => part,
            Err(failed) => return (whole, Err(failed)),
        };
        let (next, failed) = (part.next.clone(), part.failed.clone());
        // The later parts end where the first one ended, however long the reading takes.
        request.to = Some(part.to);
        let so_far = match &mut whole {
            None => whole.insert(part),
            Some(whole) => {
                whole.add(part);
                whole
            }
        };
        progress(so_far);
        if let Some(failed) = failed {
            return (whole, Err(BackfillError::Stopped(failed)));
        }
        let Some(next) = next else {
            return (whole, Ok(()));
        };
        tries = if request.after.as_ref() == Some(&next) { tries + 1 } else { 0 };
        if tries == TRIES {
            return (whole, Err(stuck(&next)));
        }
        request.after = Some(next);
    }
}

fn stuck(at: &BackfillPosition) -> BackfillError {
    BackfillError::Stuck { list: at.list_id().to_string() }
}

async fn part(request: &BackfillRequest, reconciler: &impl InvokeReconciler) -> Result<BackfillPart, BackfillError> {
    let Invocation { payload, failed } = reconciler.invoke(&json!({ "backfill": request })).await?;
    if failed {
        let message = payload.get("errorMessage").and_then(Value::as_str).map(str::to_owned);
        return Err(BackfillError::Refused(message.unwrap_or_else(|| payload.to_string())));
    }
    serde_json::from_value(payload).map_err(BackfillError::Answer)
}
