//! The end: everything that is on its way arrives, and dead letters are redriven, as an operator would.

use std::error::Error;
use std::time::Duration;

use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::QueueAttributeName;
use fundhook::dead_letters::{DeadLetterQueue, Desk, Limits, Selection};
use fundhook::target::Target;
use fundhook_adapters::Queue;
use fundhook_local_stack::{Deployment, reconciler};
use fundhook_ports::{WaitingMessages as _, chain};
use fundhook_runtime::now;
use tokio::time::{Instant, sleep};

use super::{Shared, progress, stored};

/// The outputs with the URLs of the queues between the functions.
const QUEUES: [&str; 3] = ["IngressQueueUrl", "TransfersQueueUrl", "AccountsQueueUrl"];

/// How long the queues may take to become empty: a message is delivered five times, and hidden after each.
const EMPTY_WITHIN: Duration = Duration::from_secs(180);

/// How long the next event may take.
const NEXT_EVENT_WITHIN: Duration = Duration::from_secs(60);

/// For how long the queues must be empty: a function may be about to send to the next one.
const QUIET_FOR: Duration = Duration::from_secs(3);

/// How often the reconciler runs until it finds nothing more.
const RUNS_MAX: usize = 6;

/// How often dead letters are redriven.
const REDRIVES_MAX: usize = 3;

const REDRIVE_LIMITS: Limits = Limits { messages: 10_000, time: Duration::from_secs(30) };

type Drained<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Sets for how long a queue hides a message that was received.
pub(super) async fn hide_for(target: &Target, seconds: &str) -> Drained {
    let sqs = aws_sdk_sqs::Client::new(target.aws.sdk_config());
    for queue in QUEUES {
        let set = sqs.set_queue_attributes().queue_url(target.output(queue)?);
        let set = set.attributes(QueueAttributeName::VisibilityTimeout, seconds).send().await;
        set.map_err(|error| DisplayErrorContext(&error).to_string())?;
    }
    Ok(())
}

/// Waits until nothing is on its way, has the lists read, and redrives dead letters. What is left then is a broken promise.
pub(super) async fn drain(target: &Target, deployment: &Deployment, shared: &Shared) -> Drained {
    empty(target, shared).await?;
    reconcile(target, deployment, shared).await?;
    redrive(target, shared).await?;
    publish(target, shared).await
}

/// Waits until the queues are empty.
async fn empty(target: &Target, shared: &Shared) -> Drained {
    let deadline = Instant::now() + EMPTY_WITHIN;
    let mut empty_since = None;
    loop {
        let waiting = waiting(target).await?;
        let now = Instant::now();
        if waiting > 0 {
            empty_since = None;
        } else if now - *empty_since.get_or_insert(now) >= QUIET_FOR {
            return Ok(());
        }
        if now > deadline {
            shared.soak().broke(format!("{waiting} messages are still in the queues"));
            return Ok(());
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// How many messages are in the queues: visible, and received.
async fn waiting(target: &Target) -> Drained<u64> {
    let sqs = aws_sdk_sqs::Client::new(target.aws.sdk_config());
    let counted =
        [QueueAttributeName::ApproximateNumberOfMessages, QueueAttributeName::ApproximateNumberOfMessagesNotVisible];
    let mut waiting = 0;
    for queue in QUEUES {
        let described = sqs.get_queue_attributes().queue_url(target.output(queue)?);
        let described = described.set_attribute_names(Some(counted.to_vec())).send().await;
        let described = described.map_err(|error| DisplayErrorContext(&error).to_string())?;
        for (name, value) in described.attributes.unwrap_or_default() {
            waiting += value.parse::<u64>().map_err(|_| format!("{} of a queue is {value:?}", name.as_str()))?;
        }
    }
    Ok(waiting)
}

/// Runs the reconciler until it finds nothing that was missed.
async fn reconcile(target: &Target, deployment: &Deployment, shared: &Shared) -> Drained {
    for _ in 0..RUNS_MAX {
        let run = reconciler::run(deployment).await;
        empty(target, shared).await?;
        match run {
            Ok(run) if run.queued == 0 && run.complete => return Ok(()),
            Ok(run) => shared.counts.rows_queued.add(run.queued),
            Err(error) => {
                shared.counts.runs_failed.add(1);
                progress(&format!("a run of the reconciler failed: {}", chain(&error)));
            }
        }
    }
    shared.soak().broke(format!("after {RUNS_MAX} more runs, the reconciler has not finished"));
    Ok(())
}

/// Redrives the dead letters of each queue.
async fn redrive(target: &Target, shared: &Shared) -> Drained {
    let desk = Desk::of(target, REDRIVE_LIMITS).await;
    for _ in 0..REDRIVES_MAX {
        let mut redriven = 0;
        for queue in DeadLetterQueue::ALL {
            let letters = desk.redrive(queue, &Selection::All { before: now() }, false).await?.letters;
            redriven += letters.iter().filter(|letter| letter.kept.is_none()).count();
        }
        if redriven == 0 {
            break;
        }
        shared.counts.redriven.add(u64::try_from(redriven)?);
        empty(target, shared).await?;
    }
    for queue in DeadLetterQueue::ALL {
        let left = Queue::new(&target.aws, target.output(queue.output())?.to_owned()).count().await?;
        if left > 0 {
            shared.soak().broke(format!("{left} messages are in the dead-letter queue {queue} after redrives"));
        }
    }
    Ok(())
}

/// Waits until every event of every resource was received, as long as more are.
async fn publish(target: &Target, shared: &Shared) -> Drained {
    let resources = stored::resources(target).await?;
    let (mut missing, mut since) = (usize::MAX, Instant::now());
    loop {
        let left = shared.soak().missing(&resources);
        if left < missing {
            (missing, since) = (left, Instant::now());
        }
        if left == 0 {
            return Ok(());
        }
        if since.elapsed() > NEXT_EVENT_WITHIN {
            progress(&format!("{left} events were not received"));
            return Ok(());
        }
        sleep(Duration::from_millis(250)).await;
    }
}
