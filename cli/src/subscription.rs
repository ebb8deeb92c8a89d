//! Receives events as a platform does, through a queue that is subscribed to the topic.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_sns::error::DisplayErrorContext as SnsError;
use aws_sdk_sqs::error::{DisplayErrorContext as SqsError, SdkError};
use aws_sdk_sqs::operation::delete_message::DeleteMessageError;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use fundhook_adapters::Aws;
use serde_json::{Value, json};

/// How long one request waits for the first message.
const WAIT_SECONDS: i32 = 1;
const MESSAGES_MAX: i32 = 10;

/// A queue and its subscription to the topic. [`Subscription::close`] removes both.
#[derive(Debug)]
pub struct Subscription {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    queue_url: String,
    arn: String,
}

/// An event as a subscriber receives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub event: Value,
    /// The message as it was received.
    pub body: String,
    /// The message attributes, which filter policies match.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot {what}: {why}")]
pub struct SubscriptionError {
    what: &'static str,
    why: String,
}

impl Subscription {
    /// Creates a queue and subscribes it to the topic.
    pub async fn open(aws: &Aws, topic_arn: &str) -> Result<Self, SubscriptionError> {
        let sqs = aws_sdk_sqs::Client::new(aws.sdk_config());
        let sns = aws_sdk_sns::Client::new(aws.sdk_config());
        let failed = |what| move |why: String| SubscriptionError { what, why };

        let fifo = topic_arn.ends_with(".fifo");
        let name = format!("fundhook-listen-{:016x}{}", fastrand::u64(..), if fifo { ".fifo" } else { "" });
        let mut create = sqs.create_queue().queue_name(name);
        if fifo {
            create = create.attributes(QueueAttributeName::FifoQueue, "true");
        }
        let created = create.send().await.map_err(|error| SqsError(&error).to_string());
        let queue_url = created.map_err(failed("create a queue"))?.queue_url.unwrap_or_default();
        let described = sqs.get_queue_attributes().queue_url(&queue_url);
        let described = described.attribute_names(QueueAttributeName::QueueArn).send().await;
        let described =
            described.map_err(|error| SqsError(&error).to_string()).map_err(failed("read the queue's ARN"))?;
        let queue_arn = described.attributes().and_then(|all| all.get(&QueueAttributeName::QueueArn)).cloned();
        let queue_arn = queue_arn.unwrap_or_default();

        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "sns.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": { "ArnEquals": { "aws:SourceArn": topic_arn } },
            }],
        });
        let allowed = sqs.set_queue_attributes().queue_url(&queue_url);
        let allowed = allowed.attributes(QueueAttributeName::Policy, policy.to_string()).send().await;
        allowed
            .map_err(|error| SqsError(&error).to_string())
            .map_err(failed("allow the topic to send to the queue"))?;
        let subscribed = sns.subscribe().topic_arn(topic_arn).protocol("sqs").endpoint(queue_arn);
        let subscribed = subscribed.attributes("RawMessageDelivery", "true").return_subscription_arn(true);
        let subscribed = subscribed.send().await.map_err(|error| SnsError(&error).to_string());
        let arn = subscribed.map_err(failed("subscribe to the topic"))?.subscription_arn.unwrap_or_default();
        Ok(Self { sqs, sns, queue_url, arn })
    }

    /// The deliveries of about a second, in order of arrival.
    pub async fn next(&self) -> Result<Vec<Delivery>, SubscriptionError> {
        let failed = |what| move |why: String| SubscriptionError { what, why };
        let received = self.sqs.receive_message().queue_url(&self.queue_url).message_attribute_names("All");
        let received = received.max_number_of_messages(MESSAGES_MAX).wait_time_seconds(WAIT_SECONDS).send().await;
        let received = received.map_err(|error| SqsError(&error).to_string());
        let messages = received.map_err(failed("receive events"))?.messages.unwrap_or_default();
        for message in &messages {
            let deleted = self.sqs.delete_message().queue_url(&self.queue_url);
            let deleted = deleted.set_receipt_handle(message.receipt_handle.clone()).send().await;
            // It was received again meanwhile, or a first attempt has deleted it: at worst it comes once more.
            let is_expired = |error: &SdkError<DeleteMessageError>| {
                error.as_service_error().is_some_and(DeleteMessageError::is_receipt_handle_is_invalid)
            };
            if deleted.as_ref().is_err_and(is_expired) {
                continue;
            }
            deleted.map_err(|error| SqsError(&error).to_string()).map_err(failed("acknowledge an event"))?;
        }
        Ok(messages.into_iter().map(Delivery::of).collect())
    }

    /// Collects deliveries until `enough` returns true or `timeout` has passed.
    pub async fn until(
        &self,
        timeout: Duration,
        mut enough: impl FnMut(&[Delivery]) -> bool,
    ) -> Result<Vec<Delivery>, SubscriptionError> {
        let deadline = Instant::now() + timeout;
        let mut all = Vec::new();
        while !enough(&all) && Instant::now() < deadline {
            all.extend(self.next().await?);
        }
        Ok(all)
    }

    /// Deletes the subscription and the queue.
    pub async fn close(self) -> Result<(), SubscriptionError> {
        let ended = self.sns.unsubscribe().subscription_arn(&self.arn).send().await;
        ended.map_err(|error| SubscriptionError { what: "unsubscribe", why: SnsError(&error).to_string() })?;
        let deleted = self.sqs.delete_queue().queue_url(&self.queue_url).send().await;
        deleted.map_err(|error| SubscriptionError { what: "delete the queue", why: SqsError(&error).to_string() })?;
        Ok(())
    }
}

impl Delivery {
    fn of(message: Message) -> Self {
        let body = message.body.unwrap_or_default();
        let attributes = message.message_attributes.unwrap_or_default().into_iter();
        Self {
            // A message that is not JSON is shown as text.
            event: serde_json::from_str(&body).unwrap_or_else(|_| Value::String(body.clone())),
            body,
            attributes: attributes.filter_map(|(name, value)| Some((name, value.string_value?))).collect(),
        }
    }

    /// The text at a JSON pointer in the event, or an empty text.
    pub fn text(&self, pointer: &str) -> &str {
        self.event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.text("/id")
    }
}
