//! SQS queues.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use fundhook_ports::{Disposition, PortError, SendMessage, SendMessages};

use crate::Aws;

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

    async fn send_batch(&self, bodies: Vec<String>) -> Vec<Result<(), PortError>> {
        let failed = |disposition, why: String| PortError::new("send a message to a queue", disposition, why);
        let count = bodies.len();
        let entries = bodies.into_iter().enumerate().map(|(index, body)| {
            SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build()
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
                let why = DisplayErrorContext(&error).to_string();
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
    async fn send(&self, body: String) -> Result<(), PortError> {
        let sent =
            self.client.send_message().queue_url(&self.url).message_body(escape_noncharacters(body)).send().await;
        sent.map(|_| ()).map_err(|error| {
            let why = DisplayErrorContext(&error).to_string();
            PortError::new("send a message to a queue", Disposition::Retry, why)
        })
    }
}

impl SendMessages for Queue {
    async fn send_all(&self, bodies: Vec<String>) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::with_capacity(bodies.len());
        // Escape first: the limits apply to the bodies as they are sent.
        for batch in batches(bodies.into_iter().map(escape_noncharacters).collect()) {
            outcomes.extend(self.send_batch(batch).await);
        }
        outcomes
    }
}

/// Splits `bodies` into batches within the limits of one call. A body that exceeds them by itself is a batch of its own,
/// so that only this body fails.
fn batches(bodies: Vec<String>) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for body in bodies {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_MESSAGES_MAX && bytes + body.len() <= BATCH_BYTES_MAX => {
                bytes += body.len();
                batch.push(body);
            }
            _ => {
                bytes = body.len();
                batches.push(vec![body]);
            }
        }
    }
    batches
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
    fn a_batch_has_at_most_ten_messages_and_one_mebibyte_and_keeps_the_order() {
        let bodies: Vec<String> = (0..23).map(|n| n.to_string()).collect();
        let sizes: Vec<usize> = batches(bodies.clone()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [10, 10, 3]);
        assert_eq!(batches(bodies.clone()).concat(), bodies);

        let large = vec!["x".repeat(400 * 1024); 5];
        assert_eq!(batches(large).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        let oversized = vec!["a".into(), "x".repeat(2 * 1024 * 1024), "b".into()];
        assert_eq!(batches(oversized).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
        assert!(batches(Vec::new()).is_empty());
    }

    #[test]
    fn characters_that_queues_reject_are_escaped_and_keep_their_meaning() {
        let text = "a\u{FFFF}b\u{FFFE}ü\u{1F4B6}";
        let json = serde_json::to_string(text).expect("json");
        let sent = escape_noncharacters(json);
        assert!(!sent.contains(['\u{FFFE}', '\u{FFFF}']));
        assert_eq!(serde_json::from_str::<String>(&sent).expect("json"), text);
    }
}
