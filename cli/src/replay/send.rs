//! Sends envelopes to the ingress queue at a rate.

use std::future::Future;
use std::time::Duration;

use fundhook_ports::{PortError, QueueMessage, SendMessages};

/// How many envelopes a second are sent unless another rate is asked for: a tenth of the rate at which a provider's webhooks
/// are accepted by default.
pub const PER_SECOND: u32 = 50;

/// How many messages one call sends (SQS quota).
const CALL_MESSAGES_MAX: usize = 10;

/// How to wait between calls.
pub trait Pace {
    /// Waits for this long.
    fn wait(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// Sends envelopes in calls of ten, and waits between them.
#[derive(Debug)]
pub struct Sender<Q, P> {
    queue: Q,
    pace: P,
    /// The time that one message takes at the rate.
    each: Duration,
    waiting: Vec<String>,
    sent: usize,
}

impl<Q: SendMessages, P: Pace> Sender<Q, P> {
    /// What sends `per_second` envelopes a second to `queue`.
    pub fn new(queue: Q, pace: P, per_second: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Self { queue, pace, each, waiting: Vec::new(), sent: 0 }
    }

    /// How many the queue has stored.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Sends `body` with the next call.
    pub async fn send(&mut self, body: String) -> Result<(), PortError> {
        self.waiting.push(body);
        if self.waiting.len() < CALL_MESSAGES_MAX { Ok(()) } else { self.flush().await }
    }

    /// Sends what waits. Fails when the queue did not store all of it; what it stored is sent again then, which is harmless.
    pub async fn flush(&mut self) -> Result<(), PortError> {
        let bodies = std::mem::take(&mut self.waiting);
        if bodies.is_empty() {
            return Ok(());
        }
        let count = u32::try_from(bodies.len()).unwrap_or(u32::MAX);
        let outcomes = self.queue.send_all(bodies.into_iter().map(QueueMessage::from).collect()).await;
        self.sent += outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        outcomes.into_iter().collect::<Result<(), PortError>>()?;
        self.pace.wait(self.each * count).await;
        Ok(())
    }
}
