//! The events of the benchmark.

use std::path::Path;

use serde_json::{Value, json};

use super::BenchError;
use super::process::WEBHOOK_URL;
use fundhook_local_stack::sending::gateway_request;
use fundhook_sandbox::{SandboxClient, SignRequest};

/// The messages in a batch: the template's batch size.
pub(super) const BATCH: usize = 10;

/// The bodies of different webhooks.
pub(super) struct Bodies(Vec<Vec<u8>>);

impl Bodies {
    /// Derives the bodies for `invocations` batches from a sample, each with its own deposit.
    pub(super) fn derive(samples: &Path, invocations: usize) -> Result<Self, BenchError> {
        let path = samples.join("deposits.submitted.json");
        let failed = |source| BenchError::Io { what: "read events/connect/deposits.submitted.json", source };
        let sample = std::fs::read_to_string(path).map_err(failed)?;
        let body = |number| sample.replace("6e735627-f8d1-49ae-93cc", &format!("{number:08x}-f8d1-49ae-93cc"));
        Ok(Self((0..invocations * BATCH).map(|number| body(number).into_bytes()).collect()))
    }

    /// The receiver's events with these bodies, signed now.
    pub(super) async fn requests(&self, sandbox: &SandboxClient) -> Result<Vec<Value>, BenchError> {
        let now = fundhook_runtime::now().unix_seconds();
        let mut requests = Vec::with_capacity(self.0.len());
        for body in &self.0 {
            let headers = sandbox.sign(&SignRequest::connect(WEBHOOK_URL, now, body)).await?;
            requests.push(gateway_request(WEBHOOK_URL, &headers, body));
        }
        Ok(requests)
    }
}

/// Batches of messages, as Lambda passes them from a queue.
pub(super) fn sqs_batches(bodies: Vec<String>) -> Vec<Value> {
    let record = |(index, body): (usize, &String)| {
        json!({
            "messageId": format!("{index:08}-0000-4000-8000-000000000000"),
            "receiptHandle": "handle",
            "body": body,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
            "awsRegion": "us-east-1",
        })
    };
    let batch = |bodies: &[String]| json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() });
    bodies.chunks_exact(BATCH).map(batch).collect()
}

/// Batches of records, as Lambda passes them from the table's stream.
pub(super) fn stream_batches(items: Vec<Value>) -> Vec<Value> {
    let record = |(index, item): (usize, &Value)| {
        json!({
            "eventID": format!("{index:032x}"),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/table/stream/1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_760_484_866,
                "Keys": { "pk": item["pk"] },
                "NewImage": item,
                "SequenceNumber": format!("{:021}", index + 1),
                "SizeBytes": 100,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        })
    };
    let batch = |items: &[Value]| json!({ "Records": items.iter().enumerate().map(record).collect::<Vec<_>>() });
    items.chunks_exact(BATCH).map(batch).collect()
}
