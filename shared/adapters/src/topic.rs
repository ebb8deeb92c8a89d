//! The SNS topic.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use fundhook_domain::Event;
use fundhook_ports::{Disposition, PortError, PublishEvents};

use crate::Aws;
use crate::batches::{Made, in_batches};
use crate::queue::escape_noncharacters;
use crate::why::{TOPIC, why};

/// The limits of one `PublishBatch`: 10 messages, and 256 KiB in total including attributes (SNS quotas).
const ITEMS_MAX: usize = 10;
const BYTES_MAX: usize = 256 * 1024;

/// One SNS topic. When its name ends in `.fifo`, the events of each resource are a message group.
#[derive(Clone, Debug)]
pub struct Topic {
    client: Client,
    arn: String,
}

/// An event as it is published.
struct Message {
    json: String,
    attributes: Vec<(&'static str, String)>,
    group: String,
    id: String,
}

impl Topic {
    pub fn new(aws: &Aws, arn: String) -> Self {
        Self { client: Client::new(aws.sdk_config()), arn }
    }

    fn is_fifo(&self) -> bool {
        self.arn.ends_with(".fifo")
    }

    async fn publish_batch(&self, messages: &[Message]) -> Vec<Result<(), PortError>> {
        let failed = |disposition, why: String| PortError::new("publish an event to the topic", disposition, why);
        let entries: Result<Vec<_>, _> =
            messages.iter().enumerate().map(|(index, message)| self.entry(index, message)).collect();
        let sent = match entries {
            Ok(entries) => {
                let call = self.client.publish_batch().topic_arn(&self.arn);
                let call = call.set_publish_batch_request_entries(Some(entries));
                call.send().await.map_err(|error| (Disposition::Retry, why(&error, TOPIC.called(&self.arn))))
            }
            Err(error) => Err((Disposition::DeadLetter, error.to_string())),
        };
        let outcome = |index: usize| match &sent {
            Err((disposition, why)) => Err(failed(*disposition, why.clone())),
            Ok(answer) => match answer.failed().iter().find(|entry| entry.id() == index.to_string()) {
                None => Ok(()),
                Some(entry) => {
                    let disposition = if entry.sender_fault() { Disposition::DeadLetter } else { Disposition::Retry };
                    Err(failed(disposition, format!("{}: {}", entry.code(), entry.message().unwrap_or_default())))
                }
            },
        };
        (0..messages.len()).map(outcome).collect()
    }

    fn entry(
        &self,
        index: usize,
        message: &Message,
    ) -> Result<PublishBatchRequestEntry, aws_sdk_sns::error::BuildError> {
        let mut entry = PublishBatchRequestEntry::builder().id(index.to_string()).message(&message.json);
        for (name, value) in &message.attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build()?;
            entry = entry.message_attributes(*name, value);
        }
        if self.is_fifo() {
            entry = entry.message_group_id(&message.group).message_deduplication_id(&message.id);
        }
        entry.build()
    }
}

impl PublishEvents for Topic {
    fn keeps_order(&self) -> bool {
        self.is_fifo()
    }

    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let made = Made::of(events.iter().map(Message::of));
        let mut sent = Vec::with_capacity(made.items.len());
        for batch in in_batches(&made.items, ITEMS_MAX, BYTES_MAX, Message::bytes) {
            sent.extend(self.publish_batch(batch).await);
        }
        made.outcomes(sent)
    }
}

/// The event as SNS, SQS and EventBridge accept it.
pub(crate) fn json_of(event: &Event) -> Result<String, PortError> {
    let json = serde_json::to_string(event)
        .map_err(|error| PortError::new("write an event as JSON", Disposition::DeadLetter, error))?;
    Ok(escape_noncharacters(json))
}

impl Message {
    fn of(event: &Event) -> Result<Self, PortError> {
        let attributes = event.attributes().into_iter().map(|(name, value)| (name, value.to_owned()));
        // Group and deduplication ids have at most 128 characters, so digests are sent: a provider's id may be longer.
        let digest = |text: &str| fundhook_domain::digest_hex(text.as_bytes());
        Ok(Self {
            json: json_of(event)?,
            attributes: attributes.collect(),
            group: digest(&event.data.resource.to_string()),
            id: digest(&event.id),
        })
    }

    /// The size as SNS counts it: the message, and each attribute's name, type and value.
    fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + "String".len() + value.len());
        self.json.len() + attributes.sum::<usize>()
    }
}
