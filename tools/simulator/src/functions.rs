//! The functions as Lambda runs them: batches from queues and from the stream, several at a time, killed at any await.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::dynamodb::Event;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_lambda_events::streams::DynamoDbEventResponse;
use fundhook_domain::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::calls::Calls;
use crate::clock::Clock;
use crate::log::Log;
use crate::queue::Queue;
use crate::stream::Stream;

/// The time limit of a function.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a function once. `None` if it was killed, or took too long.
pub(crate) async fn invoke<T>(calls: &Calls, log: &Log, name: &'static str, run: impl Future<Output = T>) -> Option<T> {
    let ran = timeout(calls.killed_after().unwrap_or(TIMEOUT), run).await;
    if ran.is_err() {
        log.note("function killed", name);
    }
    ran.ok()
}

/// What a function runs with.
#[derive(Clone)]
pub(crate) struct Lambda {
    pub(crate) name: &'static str,
    pub(crate) clock: Clock,
    pub(crate) calls: Calls,
    pub(crate) log: Log,
    /// How many of it run at a time.
    pub(crate) concurrency: usize,
}

impl Lambda {
    /// Handles the messages of a queue, for ever.
    pub(crate) async fn serve_queue<H, F>(self, queue: Queue, handle: H)
    where
        H: Fn(SqsEvent, Timestamp) -> F,
        F: Future<Output = SqsBatchResponse> + 'static,
    {
        let slots = Arc::new(Semaphore::new(self.concurrency));
        while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
            let (places, event) = queue.receive().await.into_parts();
            let handling = handle(event, self.clock.now());
            let (lambda, queue) = (self.clone(), queue.clone());
            spawn_local(async move {
                if let Some(response) = invoke(&lambda.calls, &lambda.log, lambda.name, handling).await {
                    let failed = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str());
                    queue.acknowledge(&places, &failed.collect::<Vec<_>>());
                }
                drop(slot);
            });
        }
    }

    /// Handles the records of a part of the stream, for ever: each batch until it is finished, and a failed one in halves.
    pub(crate) async fn serve_stream<H, F>(self, stream: Stream, part: usize, handle: H)
    where
        H: Fn(Event, Timestamp) -> F,
        F: Future<Output = DynamoDbEventResponse>,
    {
        let mut limit = usize::MAX;
        loop {
            let event = stream.batch(part, limit).await;
            let count = event.records.len();
            let handled = invoke(&self.calls, &self.log, self.name, handle(event, self.clock.now())).await;
            let finished = handled.map_or(0, |response| {
                let failed = response.batch_item_failures.first();
                let failed = failed.and_then(|failure| failure.item_identifier.as_deref());
                stream.finish(part, count, failed)
            });
            if finished == count {
                limit = usize::MAX;
            } else {
                limit = count.div_ceil(2);
                sleep(Duration::from_millis(500)).await;
            }
        }
    }
}
