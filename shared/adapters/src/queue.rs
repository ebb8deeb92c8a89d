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

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
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
                let why = why(&error, QUEUE.called(&self.url));
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
            let why = why(&error, QUEUE.called(&self.url));
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
    let header = well_formed(&trace)?;
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header).build().ok()?;
    Some((SystemAttribute::AwsTraceHeader, value))
}

/// The parts of an X-Ray tracing header that SQS accepts: the trace, and the segment and the decision about sampling if they
/// are known [aws-xray-headers]. `None` for anything else, since SQS refuses a message with a malformed header, and no webhook
/// may be refused because of its trace.
fn well_formed(trace: &str) -> Option<String> {
    let is_hex = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = || trace.split(';').filter_map(|part| part.split_once('='));
    let part = |name: &str| parts().find(|(known, _)| *known == name).map(|(_, value)| value);
    let root = part("Root").filter(|root| {
        let mut numbers = root.split('-');
        let is_known = numbers.next() == Some("1");
        let (time, id) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        is_known && is_hex(time, 8) && is_hex(id, 24) && numbers.next().is_none()
    })?;
    let mut header = format!("Root={root}");
    if let Some(parent) = part("Parent").filter(|parent| is_hex(parent, 16)) {
        header = format!("{header};Parent={parent}");
    }
    if let Some(sampled) = part("Sampled").filter(|sampled| matches!(*sampled, "0" | "1")) {
        header = format!("{header};Sampled={sampled}");
    }
    Some(header)
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
    fn only_a_well_formed_tracing_header_is_sent() {
        const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let full = format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1");
        assert_eq!(well_formed(&full).as_deref(), Some(full.as_str()));
        assert_eq!(well_formed(&format!("{full};Lineage=1:a:0")).as_deref(), Some(full.as_str()), "not for SQS");
        assert_eq!(well_formed(&format!("Sampled=0;{ROOT}")), Some(format!("{ROOT};Sampled=0")));
        assert_eq!(well_formed(&format!("{ROOT};Parent=x;Sampled=?")).as_deref(), Some(ROOT));
        for malformed in [
            "",
            "Root=1-2-3",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a994272793-0",
        ] {
            assert_eq!(well_formed(malformed), None, "{malformed:?}");
            assert!(tracing_header(malformed.to_owned()).is_none(), "{malformed:?}");
        }
        let (_, sent) = tracing_header(format!("{full};Lineage=1:a:0")).expect("an attribute");
        assert_eq!(sent.string_value(), Some(full.as_str()));
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
