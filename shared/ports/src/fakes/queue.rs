//! A queue.

use super::{Fail, Fake, down};
use crate::{Disposition, PortError, QueueMessage, SendMessage, SendMessages};

const SEND: &str = "send a message";

/// A queue that keeps the accepted messages in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// The messages that it took.
    pub sent: Vec<String>,
    /// The tracing headers of all messages that had one, in order, including the rejected ones.
    pub traces: Vec<String>,
    /// The messages of each call, in order, including the rejected ones.
    pub calls: Vec<Vec<String>>,
    /// Which calls fail, with all their messages.
    pub on_send: Fail,
    /// Rejects the messages that contain this text, and accepts the others of the same call.
    pub refuses: Option<String>,
    /// Rejects the messages that contain this text for good, as if they were too large.
    pub rejects: Option<String>,
}

impl Queue {
    fn take(&mut self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        self.traces.extend(messages.iter().filter_map(|message| message.trace.clone()));
        let bodies: Vec<String> = messages.into_iter().map(|message| message.body).collect();
        self.calls.push(bodies.clone());
        let is_down = self.on_send.outcome(SEND).is_err();
        let mut outcomes = Vec::with_capacity(bodies.len());
        for body in bodies {
            let contains = |text: &Option<String>| text.as_ref().is_some_and(|text| body.contains(text));
            let outcome = if is_down || contains(&self.refuses) {
                Err(down(SEND))
            } else if contains(&self.rejects) {
                Err(PortError::new(SEND, Disposition::DeadLetter, "the fake rejects it"))
            } else {
                Ok(())
            };
            self.sent.extend(outcome.is_ok().then_some(body));
            outcomes.push(outcome);
        }
        outcomes
    }
}

impl Fake<Queue> {
    /// A queue that rejects the messages that contain `text`.
    pub fn refusing(text: &str) -> Self {
        Self::new(Queue { refuses: Some(text.to_owned()), ..Queue::default() })
    }

    /// The messages that it took.
    pub fn sent(&self) -> Vec<String> {
        self.now().sent.clone()
    }

    /// Every message that was sent to it, accepted or rejected.
    pub fn offered(&self) -> Vec<String> {
        self.now().calls.concat()
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.now().calls.len()
    }
}

impl SendMessage for Fake<Queue> {
    async fn send(&self, message: QueueMessage) -> Result<(), PortError> {
        self.now().take(vec![message]).pop().unwrap_or_else(|| Err(down(SEND)))
    }
}

impl SendMessages for Fake<Queue> {
    async fn send_all(&self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        self.now().take(messages)
    }
}
