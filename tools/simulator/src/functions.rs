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
use crate::cloudwatch::CloudWatch;
use crate::log::Log;
use crate::queue::Queue;
use crate::stream::Stream;

/// How long a function may run.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Its time limit.
    pub(crate) timeout: Duration,
    /// One that is killed is killed within this time.
    pub(crate) killed_within: Duration,
}

impl Limits {
    /// Of a function that handles a request or a batch.
    pub(crate) const SHORT: Self = Self { timeout: Duration::from_secs(10), killed_within: Duration::from_millis(60) };

    /// Of a function that runs on a schedule, with many calls.
    pub(crate) const LONG: Self = Self { timeout: Duration::from_secs(300), killed_within: Duration::from_secs(3) };
}

/// What a function runs with.
#[derive(Clone)]
pub(crate) struct Lambda {
    pub(crate) name: &'static str,
    pub(crate) calls: Calls,
    pub(crate) log: Log,
    pub(crate) cloudwatch: CloudWatch,
    /// How many of it run at a time.
    pub(crate) concurrency: usize,
}

impl Lambda {
    /// Runs the function once. `None` if it was killed, or took too long.
    pub(crate) async fn invoke<T>(&self, limits: Limits, run: impl Future<Output = T>) -> Option<T> {
        let killed_after = self.calls.killed_after(limits.killed_within);
        let ran = timeout(killed_after.unwrap_or(limits.timeout), run).await;
        if ran.is_err() {
            self.log.note("function killed", self.name);
            self.cloudwatch.function_failed(self.name);
        }
        ran.ok()
    }

    /// Handles the messages of a queue, for ever.
    pub(crate) async fn serve_queue<H, F>(self, queue: Queue, handle: H)
    where
        H: Fn(SqsEvent, Timestamp) -> F,
        F: Future<Output = SqsBatchResponse> + 'static,
    {
        let slots = Arc::new(Semaphore::new(self.concurrency));
        while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
            let (places, event) = queue.receive().await.into_parts();
            let handling = handle(event, self.calls.now());
            let (lambda, queue) = (self.clone(), queue.clone());
            spawn_local(async move {
                let handled = lambda.invoke(Limits::SHORT, handling).await;
                if let Some(response) = handled {
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
            sleep(self.calls.poll_pause(self.name)).await;
            let (event, waited) = stream.batch(part, limit).await;
            let count = event.records.len();
            self.cloudwatch.batch_waited(self.name, waited);
            let handling = handle(event, self.calls.now());
            let handled = self.invoke(Limits::SHORT, handling).await;
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

    /// Runs on a schedule, for ever: `every` so often, and now and then twice at a time.
    pub(crate) async fn serve_schedule<F>(self, every: Duration, run: impl Fn() -> F)
    where
        F: Future + 'static,
    {
        loop {
            sleep(every).await;
            for _ in 0..self.calls.invocations() {
                let (lambda, running) = (self.clone(), run());
                spawn_local(async move {
                    let ran = lambda.invoke(Limits::LONG, running).await;
                    lambda
                        .log
                        .note(if ran.is_some() { "scheduled run" } else { "scheduled run cut short" }, lambda.name);
                });
            }
        }
    }
}
