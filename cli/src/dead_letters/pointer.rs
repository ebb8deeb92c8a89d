//! Pointers to changes that a publisher gave up on, as Lambda writes them [aws-streams-lambda].

use fundhook_domain::{Timestamp, json_fault};
use serde::{Deserialize, Serialize};

/// A pointer to the records of one batch of the table's stream. It has no record itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pointer {
    /// The name of the function that gave up.
    pub function: String,
    /// Why Lambda gave up, such as `RetryAttemptsExhausted`.
    pub condition: String,
    /// About how often the function was invoked with the batch.
    pub invocations: u64,
    /// The error of the last invocation; `None` when it named records that it did not finish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_error: Option<String>,
    pub shard: String,
    pub first_sequence_number: String,
    pub last_sequence_number: String,
    /// When the first and the last record were written, to the second.
    pub first_written_at: Timestamp,
    pub last_written_at: Timestamp,
    /// How many records the batch has.
    pub records: u64,
}

/// Why a message is not a pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPointer {
    #[error("the message is not a pointer to records of the stream: {0}")]
    Shape(String),
    #[error("the message names no function: {0:?} is not the ARN of one")]
    Function(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    request_context: RequestContext,
    #[serde(default)]
    response_context: Option<ResponseContext>,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: Batch,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    function_arn: String,
    condition: String,
    /// Missing if the function was never invoked.
    #[serde(default)]
    approximate_invoke_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    #[serde(default)]
    function_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
    approximate_arrival_of_first_record: Timestamp,
    approximate_arrival_of_last_record: Timestamp,
    batch_size: u64,
}

impl Pointer {
    /// Reads the message that Lambda sent to the failure queue.
    pub fn from_message(json: &str) -> Result<Self, InvalidPointer> {
        let message: Message = serde_json::from_str(json).map_err(|error| InvalidPointer::Shape(json_fault(&error)))?;
        let Message { request_context, response_context, batch } = message;
        // arn:aws:lambda:<region>:<account>:function:<name>, and an alias or a version after it
        let function = request_context.function_arn.split(':').nth(6).filter(|name| !name.is_empty());
        let function = function.ok_or_else(|| InvalidPointer::Function(request_context.function_arn.clone()))?;
        Ok(Self {
            function: function.to_owned(),
            condition: request_context.condition,
            invocations: request_context.approximate_invoke_count,
            function_error: response_context.and_then(|response| response.function_error),
            shard: batch.shard_id,
            first_sequence_number: batch.start_sequence_number,
            last_sequence_number: batch.end_sequence_number,
            first_written_at: batch.approximate_arrival_of_first_record,
            last_written_at: batch.approximate_arrival_of_last_record,
            records: batch.batch_size,
        })
    }
}
