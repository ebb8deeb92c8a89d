//! Batches from queues, of which a part may fail.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

/// One message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of it, which names it in the answer.
    pub id: String,
    /// Its text.
    pub body: String,
}

/// The messages of a batch, in order. Lambda always sends an id and a body; a record without one is an empty message,
/// which no function can read, so that it ends in the dead-letter queue like any other poison.
pub fn messages(event: SqsEvent) -> Vec<Message> {
    let message = |record: aws_lambda_events::sqs::SqsMessage| Message {
        id: record.message_id.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
    };
    event.records.into_iter().map(message).collect()
}

/// The messages of a batch that were not finished. The queue keeps them and delivers them again; what is not named here
/// is acknowledged and gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures(BTreeSet<String>);

impl Failures {
    /// Notes that the message `id` was not finished.
    pub fn add(&mut self, id: &str) {
        self.0.insert(id.to_owned());
    }

    /// Whether the message `id` was noted.
    pub fn contains(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    /// How many messages were noted.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every message was finished.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer that Lambda expects of a function with `ReportBatchItemFailures`.
    pub fn into_response(self) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        self.0.into_iter().for_each(|id| response.add_failure(id));
        response
    }
}
