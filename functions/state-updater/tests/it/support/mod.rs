//! Batches of statements.

pub(crate) mod disturbed;
#[path = "../../../../../shared/credentials/tests/it/support/logs.rs"]
pub(crate) mod logs;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{
    Attestation, CorrelationId, Details, Evidence, EvidenceClass, EvidencePointer, FactId, Kind, NewFact, Provider,
    Reading, Resource, ResourceId, Scheme, Statement, StatementContent, Status, Timestamp, fold,
};
use fundhook_ports::fakes::{Fake, ResourceTable};
use serde_json::{Value, json};

/// The instant this many seconds after 2025-10-07T19:44:50Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_759_866_290 + seconds).expect("in range")
}

/// The deposit with the provider's id `native`.
pub(crate) fn deposit(native: &str) -> ResourceId {
    ResourceId::new(Kind::Deposit, Provider::Connect, native).expect("a valid id")
}

/// The deposit `native` reached the status `name` this many seconds after the start.
pub(crate) fn statement(native: &str, name: &str, seconds: i64) -> Statement {
    statement_of(deposit(native), name, seconds, Details::Transfer(Box::default()))
}

/// `resource` reached the status `name` this many seconds after the start.
pub(crate) fn statement_of(resource: ResourceId, name: &str, seconds: i64, details: Details) -> Statement {
    let event_type = format!("connect.deposits.{name}");
    let attestation = Attestation {
        scheme: Scheme::ConnectRsaSha256,
        class: EvidenceClass::Asymmetric,
        key: "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA".to_owned(),
        signed_at: Some(at(seconds)),
        token_verified: false,
    };
    let archived = EvidencePointer { object: "evidence/v1/2025/10/07/x.ndjson.gz".to_owned(), line: 0 };
    let content = StatementContent {
        id: FactId::of(&resource, &event_type, seconds.to_string().as_bytes()),
        event_type,
        status: Some(Status::named(resource.kind(), name).expect("a status of the kind")),
        occurred_at: at(seconds),
        undated: false,
        details,
        evidence: Evidence {
            received_at: at(seconds),
            attestation,
            archived,
            correlation_id: CorrelationId::of([seconds.to_string().as_bytes()]),
            backfilled: None,
        },
        reading: Reading { at: at(seconds), revision: 1, settings: String::new() },
    };
    Statement { resource, content }
}

/// The resource after `statements`, folded one after the other.
pub(crate) fn folded(statements: &[impl Clone + Into<NewFact>]) -> Resource {
    let facts: Vec<NewFact> = statements.iter().cloned().map(Into::into).collect();
    let unknown = Resource::unknown(facts.first().expect("at least one fact").resource.clone());
    facts.into_iter().fold(unknown, |resource, fact| fold(resource, fact).into_resource())
}

pub(crate) fn message(fact: &(impl Clone + Into<NewFact>)) -> String {
    fact.clone().into().to_message().expect("a message")
}

/// A batch as Lambda receives it; the ids of its messages are `message-0`, `message-1` and so on.
pub(crate) fn batch<T: AsRef<str>>(bodies: &[T]) -> SqsEvent {
    let record = |(index, body): (usize, &T)| {
        json!({
            "messageId": format!("message-{index}"),
            "receiptHandle": "AQEB",
            "body": body.as_ref(),
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1759866291000" },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:transfers",
            "awsRegion": "us-east-1",
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("an SQS event")
}

/// A batch of statements or overdue notices.
pub(crate) fn batch_of(statements: &[impl Clone + Into<NewFact>]) -> SqsEvent {
    batch(&statements.iter().map(message).collect::<Vec<_>>())
}

/// The ids of the messages that are delivered again.
pub(crate) fn failed(response: &SqsBatchResponse) -> Vec<String> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect()
}

/// The ids of the messages with these numbers.
pub(crate) fn messages(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("message-{number}")).collect()
}

pub(crate) type Table = Fake<ResourceTable>;
