//! SQS queues.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    MessageSystemAttributeNameForSends as SystemAttribute, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use fundhook_ports::{Disposition, PortError, QueueMessage, SendMessage, SendMessages};

use crate::Aws;
use crate::batches::in_batches;
use crate::why::{QUEUE, why};

/// The limits of one `SendMessageBatch`: 10 messages, and 1 MiB in total (SQS quotas).
const BATCH_MESSAGES_MAX: usize = 10;
const BATCH_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    pub fn new(aws: &Aws, url: String) -> Self {
        Self { client: Client::new(aws.sdk_config()), url }
    }

    async fn send_batch(&self, messages: &[QueueMessage]) -> Vec<Result<(), PortError>> {
        let failed = |disposition, why: String| PortError::new("send a message to a queue", disposition, why);
        let count = messages.len();
        let entries = messages.iter().cloned().enumerate().map(|(index, QueueMessage { body, trace })| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
            let traced = trace.and_then(tracing_header);
            traced.into_iter().fold(entry, |entry, (name, value)| entry.message_system_attributes(name, value)).build()
        });
        let entries: Vec<_> = match entries.collect() {
            Ok(entries) => entries,
            Err(error) => {
                let why = error.to_string();
                return (0..count).map(|_| Err(failed(Disposition::DeadLetter, why.clone()))).collect();
            }
        };
        match self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await {
            Err(error) => {
                let why = why(&error, QUEUE);
                (0..count).map(|_| Err(failed(Disposition::Retry, why.clone()))).collect()
            }
            Ok(answer) => (0..count)
                .map(|index| match answer.failed().iter().find(|entry| entry.id() == index.to_string()) {
                    None => Ok(()),
                    Some(entry) => {
                        let disposition =
                            if entry.sender_fault() { Disposition::DeadLetter } else { Disposition::Retry };
                        Err(failed(disposition, format!("{}: {}", entry.code(), entry.message().unwrap_or_default())))
                    }
                })
                .collect(),
        }
    }
}

impl SendMessage for Queue {
    async fn send(&self, message: QueueMessage) -> Result<(), PortError> {
        let QueueMessage { body, trace } = message;
        let send = self.client.send_message().queue_url(&self.url).message_body(escape_noncharacters(body));
        let traced = trace.and_then(tracing_header);
        let send = traced.into_iter().fold(send, |send, (name, value)| send.message_system_attributes(name, value));
        send.send().await.map(|_| ()).map_err(|error| {
            let why = why(&error, QUEUE);
            PortError::new("send a message to a queue", Disposition::Retry, why)
        })
    }
}

impl SendMessages for Queue {
    async fn send_all(&self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::with_capacity(messages.len());
        // Escape first: the limits apply to the bodies as they are sent.
        let escaped = |message: QueueMessage| QueueMessage { body: escape_noncharacters(message.body), ..message };
        let messages: Vec<QueueMessage> = messages.into_iter().map(escaped).collect();
        for batch in in_batches(&messages, BATCH_MESSAGES_MAX, BATCH_BYTES_MAX, |message| message.body.len()) {
            outcomes.extend(self.send_batch(batch).await);
        }
        outcomes
    }
}

/// The attribute from which SQS and Lambda continue a trace. It does not count towards a message's size.
fn tracing_header(trace: String) -> Option<(SystemAttribute, MessageSystemAttributeValue)> {
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build().ok()?;
    Some((SystemAttribute::AwsTraceHeader, value))
}

/// Escapes U+FFFE and U+FFFF, which SQS and SNS reject because XML 1.0 does not allow them. In JSON they occur only inside
/// strings, where the escapes have the same meaning.
pub(crate) fn escape_noncharacters(json: String) -> String {
    if json.contains(['\u{FFFE}', '\u{FFFF}']) {
        json.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff")
    } else {
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_queues_reject_are_escaped_and_keep_their_meaning() {
        let text = "a\u{FFFF}b\u{FFFE}ü\u{1F4B6}";
        let json = serde_json::to_string(text).expect("json");
        let sent = escape_noncharacters(json);
        assert!(!sent.contains(['\u{FFFE}', '\u{FFFF}']));
        assert_eq!(serde_json::from_str::<String>(&sent).expect("json"), text);
    }
}
