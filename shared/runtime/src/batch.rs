//! Batches from queues with partial failures.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

/// One message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of the message, which names it in the response.
    pub id: String,
    pub body: String,
    /// The tracing header that the sender of the message gave it.
    pub trace: Option<String>,
}

/// The messages of a batch, in order. Lambda always sends an id and a body. A record without them becomes an empty message,
/// which no function can parse, so it ends in the dead-letter queue like any other invalid message.
pub fn messages(event: SqsEvent) -> Vec<Message> {
    let message = |record: aws_lambda_events::sqs::SqsMessage| Message {
        id: record.message_id.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        trace: record.attributes.get("AWSTraceHeader").cloned(),
    };
    event.records.into_iter().map(message).collect()
}

/// The messages of a batch that failed. The queue delivers them again; all others are acknowledged and deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures(BTreeSet<String>);

impl Failures {
    pub fn add(&mut self, id: &str) {
        self.0.insert(id.to_owned());
    }

    pub fn contains(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The response that Lambda expects from a function with `ReportBatchItemFailures`.
    pub fn into_response(self) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        self.0.into_iter().for_each(|id| response.add_failure(id));
        response
    }
}
