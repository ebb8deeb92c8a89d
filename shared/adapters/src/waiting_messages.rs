//! The messages that wait in a queue, for an operator who looks at them.

use std::time::Duration;

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName as Attribute, QueueAttributeName,
};
use fundhook_domain::Timestamp;
use fundhook_ports::{Disposition, PortError, WaitingMessage, WaitingMessages};

use crate::Queue;
use crate::why::{QUEUE, why};

/// How many messages one call returns at most (SQS quota).
const RECEIVED_MAX: i32 = 10;
/// How long a call waits for a message. Any wait above zero asks all of the queue's servers, so that an empty answer means
/// that no message is visible.
const WAIT_SECONDS: i32 = 1;

impl WaitingMessages for Queue {
    async fn receive(&self, hidden: Duration) -> Result<Vec<WaitingMessage>, PortError> {
        const ATTEMPTED: &str = "receive messages of a queue";
        let hidden = i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX);
        let call = self.client().receive_message().queue_url(self.url()).max_number_of_messages(RECEIVED_MAX);
        let call = call.wait_time_seconds(WAIT_SECONDS).visibility_timeout(hidden);
        let call = call.message_system_attribute_names(Attribute::All).send().await;
        let received =
            call.map_err(|error| PortError::new(ATTEMPTED, Disposition::Retry, why(&error, QUEUE.called(self.url()))))?;
        received.messages.unwrap_or_default().into_iter().map(waiting).collect()
    }

    async fn give_back(&self, messages: &[WaitingMessage]) -> Result<(), PortError> {
        let failed = |why: String| PortError::new("make messages of a queue visible again", Disposition::Retry, why);
        let mut outcome = Ok(());
        for messages in messages.chunks(usize::try_from(RECEIVED_MAX).unwrap_or(1)) {
            let entry = |(index, message): (usize, &WaitingMessage)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(&message.receipt).visibility_timeout(0).build()
            };
            let entries: Result<Vec<_>, _> = messages.iter().enumerate().map(entry).collect();
            let entries = entries.map_err(|error| failed(error.to_string()))?;
            let call = self.client().change_message_visibility_batch().queue_url(self.url());
            let answer = call.set_entries(Some(entries)).send().await;
            let given_back = answer.map_err(|error| failed(why(&error, QUEUE.called(self.url())))).and_then(|answer| {
                // What SQS rejects because of the request is a receipt that has ended: the message is visible already.
                match answer.failed().iter().find(|entry| !entry.sender_fault()) {
                    Some(entry) => Err(failed(format!("{}: {}", entry.code(), entry.message().unwrap_or_default()))),
                    None => Ok(()),
                }
            });
            outcome = outcome.and(given_back);
        }
        outcome
    }

    async fn delete(&self, message: &WaitingMessage) -> Result<(), PortError> {
        let call = self.client().delete_message().queue_url(self.url()).receipt_handle(&message.receipt);
        call.send().await.map(|_| ()).map_err(|error| {
            let why = why(&error, QUEUE.called(self.url()));
            PortError::new("delete a message of a queue", Disposition::Retry, why)
        })
    }

    async fn count(&self) -> Result<u64, PortError> {
        let failed = |why: String| PortError::new("count the messages of a queue", Disposition::Retry, why);
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let call = self.client().get_queue_attributes().queue_url(self.url());
        let answer = call.set_attribute_names(Some(counts.to_vec())).send().await;
        let answer = answer.map_err(|error| failed(why(&error, QUEUE.called(self.url()))))?;
        let attributes = answer.attributes.unwrap_or_default();
        let of = |name: &QueueAttributeName| attributes.get(name).and_then(|count| count.parse::<u64>().ok());
        counts.iter().map(of).sum::<Option<u64>>().ok_or_else(|| failed("SQS returned no counts".to_owned()))
    }
}

/// A received message. SQS always returns its id, its body and what was asked for.
fn waiting(message: Message) -> Result<WaitingMessage, PortError> {
    let Message { message_id, receipt_handle, body, attributes, .. } = message;
    let attributes = attributes.unwrap_or_default();
    let attribute = |name: &Attribute| attributes.get(name).map(String::as_str);
    let missing = |what: &str| {
        let why = format!("SQS returned a message without {what}");
        PortError::new("receive messages of a queue", Disposition::DeadLetter, why)
    };
    let sent_at = attribute(&Attribute::SentTimestamp).and_then(|millis| Timestamp::from_unix_digits(millis).ok());
    Ok(WaitingMessage {
        id: message_id.ok_or_else(|| missing("an id"))?,
        body: body.unwrap_or_default(),
        trace: attribute(&Attribute::AwsTraceHeader).map(str::to_owned),
        sent_at: sent_at.ok_or_else(|| missing("the time at which it was sent"))?,
        receive_count: attribute(&Attribute::ApproximateReceiveCount)
            .and_then(|count| count.parse().ok())
            .unwrap_or_default(),
        receipt: receipt_handle.ok_or_else(|| missing("a receipt handle"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_received_message_keeps_its_trace_and_says_since_when_it_waits() {
        let message = Message::builder().message_id("m").receipt_handle("r").body("{}");
        let message = message.attributes(Attribute::SentTimestamp, "1759866291000");
        let message = message.attributes(Attribute::ApproximateReceiveCount, "6");
        let message = message.attributes(Attribute::AwsTraceHeader, "Root=1-5759e988-bd862e3fe1be46a994272793").build();
        let read = waiting(message).expect("a message");
        assert_eq!((read.sent_at.to_string().as_str(), read.receive_count), ("2025-10-07T19:44:51Z", 6));
        assert_eq!(read.trace.as_deref(), Some("Root=1-5759e988-bd862e3fe1be46a994272793"));
        assert!(waiting(Message::builder().message_id("m").build()).is_err());
    }
}
