//! The messages of a dead-letter queue.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::Timestamp;

use super::{Fail, Fake};
use crate::{PortError, WaitingMessage, WaitingMessages};

/// How many messages one call returns at most, as in SQS.
const RECEIVED_MAX: usize = 10;

/// A queue whose messages are received, given back and deleted. A received message stays hidden until it is given back.
#[derive(Clone, Debug, Default)]
pub struct DeadLetters {
    /// The messages in it, the oldest first.
    pub messages: Vec<WaitingMessage>,
    /// The ids of those that were received and not given back.
    pub hidden: BTreeSet<String>,
    /// Which calls to receive fail.
    pub on_receive: Fail,
    /// Which calls to delete fail.
    pub on_delete: Fail,
    /// Which calls to give back fail.
    pub on_give_back: Fail,
}

impl Fake<DeadLetters> {
    /// A queue with these bodies, sent at `sent_at`; their ids are `m0`, `m1` and so on.
    pub fn with_bodies<T: Into<String>>(bodies: impl IntoIterator<Item = T>, sent_at: Timestamp) -> Self {
        let message = |(number, body): (usize, T)| WaitingMessage {
            id: format!("m{number}"),
            body: body.into(),
            trace: None,
            sent_at,
            receive_count: 5,
            receipt: format!("receipt of m{number}"),
        };
        let messages = bodies.into_iter().enumerate().map(message).collect();
        Self::new(DeadLetters { messages, ..DeadLetters::default() })
    }

    /// The ids of the messages that are visible.
    pub fn visible(&self) -> Vec<String> {
        let queue = self.now();
        let visible = queue.messages.iter().filter(|message| !queue.hidden.contains(&message.id));
        visible.map(|message| message.id.clone()).collect()
    }
}

impl WaitingMessages for Fake<DeadLetters> {
    async fn receive(&self, _hidden: Duration) -> Result<Vec<WaitingMessage>, PortError> {
        let mut queue = self.now();
        queue.on_receive.outcome("receive messages")?;
        let DeadLetters { messages, hidden, .. } = &mut *queue;
        let mut received = Vec::new();
        for message in messages.iter_mut().filter(|message| !hidden.contains(&message.id)).take(RECEIVED_MAX) {
            message.receive_count += 1;
            received.push(message.clone());
        }
        hidden.extend(received.iter().map(|message| message.id.clone()));
        Ok(received)
    }

    async fn give_back(&self, messages: &[WaitingMessage]) -> Result<(), PortError> {
        let mut queue = self.now();
        queue.on_give_back.outcome("give messages back")?;
        messages.iter().for_each(|message| {
            queue.hidden.remove(&message.id);
        });
        Ok(())
    }

    async fn delete(&self, message: &WaitingMessage) -> Result<(), PortError> {
        let mut queue = self.now();
        queue.on_delete.outcome("delete a message")?;
        queue.messages.retain(|waiting| waiting.id != message.id);
        Ok(())
    }

    async fn count(&self) -> Result<u64, PortError> {
        Ok(self.now().messages.len() as u64)
    }
}
