//! Records statements in a given order: the deployed state updater is invoked with them, one batch after another.
//!
//! Queues keep no order, and the number of an event follows from the order in which facts are recorded. So a replay that
//! must number events as they were numbered before goes past the queues.

use std::collections::BTreeMap;

use fundhook_domain::{NewFact, NewFactError, ResourceId, Write};
use serde_json::{Value, json};

use crate::invocation::{Invocation, InvocationError, invoke};
use crate::target::{Target, TargetError};

/// How many statements one invocation has at most: each may be a write of its own, and the function has 10 s.
const STATEMENTS_MAX: usize = 50;
/// How many bytes they have at most. Lambda takes 6 MB, and one statement has less than 256 KB.
const REQUEST_BYTES_MAX: usize = 1_000_000;

/// Invokes a stack's state updater.
pub trait InvokeStateUpdater {
    /// Its answer to a batch of a queue.
    fn invoke(&self, event: Value) -> impl Future<Output = Result<Invocation, InvocationError>>;
}

/// The state updater of a stack.
#[derive(Clone, Copy, Debug)]
pub struct StackStateUpdater<'a> {
    target: &'a Target,
    function: &'a str,
}

impl<'a> StackStateUpdater<'a> {
    pub fn of(target: &'a Target) -> Result<Self, TargetError> {
        Ok(Self { target, function: target.output("StateUpdaterFunctionName")? })
    }
}

impl InvokeStateUpdater for StackStateUpdater<'_> {
    async fn invoke(&self, event: Value) -> Result<Invocation, InvocationError> {
        invoke(self.target, self.function, event.to_string().into_bytes()).await
    }
}

/// A function in place of a state updater.
impl<F: AsyncFn(Value) -> Result<Invocation, InvocationError>> InvokeStateUpdater for F {
    async fn invoke(&self, event: Value) -> Result<Invocation, InvocationError> {
        self(event).await
    }
}

/// Why a statement was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Invocation(#[from] InvocationError),
    #[error("a statement about {0} cannot be written as a message")]
    Message(ResourceId, #[source] NewFactError),
    #[error("the state updater failed: {0}")]
    Failed(String),
    #[error("the state updater did not record a statement about {0}; its log says why")]
    NotRecorded(ResourceId),
    #[error("the answer of the state updater is not one of Fundhook's: {0}")]
    Answer(String),
}

/// Records statements in the order in which it gets them.
#[derive(Debug)]
pub struct Recorder<I> {
    invoke: I,
    waiting: Vec<Waiting>,
    bytes: usize,
    /// The items that the waiting statements write, each with the resource of the statement.
    touched: BTreeMap<String, ResourceId>,
    recorded: usize,
}

#[derive(Debug)]
struct Waiting {
    resource: ResourceId,
    message: String,
}

impl<I: InvokeStateUpdater> Recorder<I> {
    pub fn new(invoke: I) -> Self {
        Self { invoke, waiting: Vec::new(), bytes: 0, touched: BTreeMap::new(), recorded: 0 }
    }

    /// How many statements the state updater has recorded.
    pub fn recorded(&self) -> usize {
        self.recorded
    }

    /// Records `fact`, which changes the items of `write`, with the next batch.
    ///
    /// The state updater keeps the order of a batch for each resource only. So statements about two resources that write one
    /// item, such as the claim on a coin, are never in one batch.
    pub async fn record(&mut self, fact: &NewFact, write: &Write) -> Result<(), RecordError> {
        let resource = &fact.resource;
        let message = fact.to_message().map_err(|error| RecordError::Message(resource.clone(), error))?;
        let items = items(write);
        let shares_an_item = items.iter().any(|item| self.touched.get(item).is_some_and(|other| other != resource));
        let is_full = self.waiting.len() >= STATEMENTS_MAX || self.bytes + message.len() > REQUEST_BYTES_MAX;
        if shares_an_item || is_full {
            self.flush().await?;
        }
        self.bytes += message.len();
        self.touched.extend(items.into_iter().map(|item| (item, resource.clone())));
        self.waiting.push(Waiting { resource: resource.clone(), message });
        Ok(())
    }

    /// Records what waits. Fails when a statement was not recorded, because later ones about its resource would then get
    /// its number.
    pub async fn flush(&mut self) -> Result<(), RecordError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.touched.clear();
        self.bytes = 0;
        if waiting.is_empty() {
            return Ok(());
        }
        let answer = self.invoke.invoke(batch(&waiting)).await?;
        if answer.failed {
            let why = answer.payload["errorMessage"].as_str().unwrap_or("it gave no reason");
            return Err(RecordError::Failed(why.to_owned()));
        }
        let unknown = || RecordError::Answer(answer.payload.to_string());
        let failures = answer.payload["batchItemFailures"].as_array().ok_or_else(unknown)?;
        if let Some(first) = failures.first() {
            let number = first["itemIdentifier"].as_str().and_then(|number| number.parse::<usize>().ok());
            let failed = number.and_then(|number| waiting.get(number)).ok_or_else(unknown)?;
            return Err(RecordError::NotRecorded(failed.resource.clone()));
        }
        self.recorded += waiting.len();
        Ok(())
    }
}

/// The keys of the items that a write changes.
fn items(write: &Write) -> Vec<String> {
    let resources = write.resources.iter().map(|written| written.item.id().to_string());
    let claims = write.claims.iter().map(|written| format!("claim#{}", written.item.key()));
    let similar = write.similar.iter().map(|written| format!("similar#{}", written.item.key()));
    resources.chain(claims).chain(similar).collect()
}

/// The batch that a queue would deliver. The ids of the messages are their positions.
fn batch(waiting: &[Waiting]) -> Value {
    let record = |(position, waiting): (usize, &Waiting)| {
        json!({
            "messageId": position.to_string(),
            "receiptHandle": "replay",
            "body": waiting.message,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        })
    };
    json!({ "Records": waiting.iter().enumerate().map(record).collect::<Vec<Value>>() })
}
