//! The queues between the functions.

use std::collections::HashMap;

use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use serde_json::json;

use crate::{Platform, eventually};

/// A queue of the stack, with its dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Verified webhooks, from the receiver to fan-out.
    Ingress,
    /// Statements about money, from fan-out to the state updater.
    Transfers,
    /// All other statements.
    Accounts,
}

impl Queue {
    /// In the order of the flow.
    pub const ALL: [Self; 3] = [Self::Ingress, Self::Transfers, Self::Accounts];

    fn url(self) -> &'static str {
        match self {
            Self::Ingress => "IngressQueueUrl",
            Self::Transfers => "TransfersQueueUrl",
            Self::Accounts => "AccountsQueueUrl",
        }
    }

    fn dead_letters_url(self) -> &'static str {
        match self {
            Self::Ingress => "IngressDlqUrl",
            Self::Transfers => "TransfersDlqUrl",
            Self::Accounts => "AccountsDlqUrl",
        }
    }
}

impl Platform {
    /// Sends at most 10 `messages` in one call.
    pub async fn put(&self, queue: Queue, messages: &[String]) {
        let entry = |(id, body): (usize, &String)| {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(body);
            entry.build().expect("id and body are set")
        };
        let entries = messages.iter().enumerate().map(entry).collect();
        let call = self.clients().sqs.send_message_batch().queue_url(self.output(queue.url()));
        let sent = call.set_entries(Some(entries)).send().await.expect("the queue answers");
        assert!(sent.failed().is_empty(), "the {queue:?} queue takes all messages: {:?}", sent.failed());
    }

    /// Sends a message to the dead-letter queue, as if it had failed.
    pub async fn bury(&self, queue: Queue, message: &str) {
        self.send_to(self.output(queue.dead_letters_url()), message).await;
    }

    /// Sends a message to the queue at `url`.
    pub async fn send_to(&self, url: &str, message: &str) {
        let sent = self.clients().sqs.send_message().queue_url(url).message_body(message).send().await;
        sent.expect("the queue takes the message");
    }

    /// The number of messages in the queue: visible and in flight.
    pub async fn depth(&self, queue: Queue) -> usize {
        self.messages(self.output(queue.url())).await
    }

    /// The number of dead letters of the queue.
    pub async fn dead_letters(&self, queue: Queue) -> usize {
        self.messages(self.output(queue.dead_letters_url())).await
    }

    /// Receives `count` dead letters of the queue, and waits for them.
    pub async fn take_dead_letters(&self, queue: Queue, count: usize) -> Vec<String> {
        let look = async || self.dead_letters(queue).await;
        eventually(&format!("{count} dead letters of the {queue:?} queue"), look, |dead| *dead >= count).await;
        let url = self.output(queue.dead_letters_url());
        let call = self.clients().sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let received = call.send().await.expect("the dead-letter queue answers");
        received.messages.unwrap_or_default().into_iter().filter_map(|message| message.body).collect()
    }

    /// Waits until every webhook sent so far has reached the table: checks each queue after the preceding one is empty.
    pub async fn settled(&self) {
        for queue in Queue::ALL {
            let look = async || self.depth(queue).await;
            eventually(&format!("the {queue:?} queue is empty"), look, |messages| *messages == 0).await;
        }
    }

    /// Sets the visibility timeout of unfinished messages.
    pub async fn redeliver_after(&self, seconds: u32) {
        for queue in Queue::ALL {
            self.redeliver_from(self.output(queue.url()), seconds).await;
        }
    }

    /// Sets the number of attempts per message, for tests with more failures than usual.
    pub async fn forgive(&self, attempts: u32) {
        for queue in Queue::ALL {
            let dead_letters = self.attributes(self.output(queue.dead_letters_url())).await;
            let dead_letters = &dead_letters[&QueueAttributeName::QueueArn];
            let redrive = json!({ "deadLetterTargetArn": dead_letters, "maxReceiveCount": attempts });
            self.set(self.output(queue.url()), QueueAttributeName::RedrivePolicy, redrive.to_string()).await;
        }
    }

    /// Sets the visibility timeout of the queue at `url`.
    pub(crate) async fn redeliver_from(&self, url: &str, seconds: u32) {
        self.set(url, QueueAttributeName::VisibilityTimeout, seconds.to_string()).await;
    }

    /// The number of messages in the queue at `url`: visible and in flight.
    pub(crate) async fn messages(&self, url: &str) -> usize {
        let attributes = self.attributes(url).await;
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        counts.iter().map(|name| attributes[name].parse::<usize>().expect("a number of messages")).sum()
    }

    async fn set(&self, url: &str, name: QueueAttributeName, value: String) {
        let call = self.clients().sqs.set_queue_attributes().queue_url(url);
        call.attributes(name, value).send().await.expect("the queue takes the attribute");
    }

    async fn attributes(&self, url: &str) -> HashMap<QueueAttributeName, String> {
        let call = self.clients().sqs.get_queue_attributes().queue_url(url);
        let described = call.attribute_names(QueueAttributeName::All).send().await;
        described.expect("the queue answers").attributes.unwrap_or_default()
    }
}
