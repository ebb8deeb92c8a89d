//! Batches of envelopes, and fakes of everything that fan-out writes to.

use std::io::Read;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fan_out::FanOut;
use flate2::read::GzDecoder;
use fundhook_domain::{FactContent, NewFact, Statement, Timestamp};
use fundhook_ports::fakes::{EvidenceBucket, Fake, Queue};
use fundhook_providers::ReadingSettings;
use fundhook_runtime::metrics::Metrics;
use serde_json::{Value, json};

/// Deposits and withdrawals, as the provider sends them.
pub(crate) const MONEY: [&str; 8] = [
    include_str!("../../../../../events/connect/deposits.pending.json"),
    include_str!("../../../../../events/connect/deposits.submitted.json"),
    include_str!("../../../../../events/connect/deposits.on_hold.json"),
    include_str!("../../../../../events/connect/deposits.confirmed.json"),
    include_str!("../../../../../events/connect/deposits.unexpected.json"),
    include_str!("../../../../../events/connect/withdrawal.initiated.json"),
    include_str!("../../../../../events/connect/withdrawal.confirmed.json"),
    include_str!("../../../../../events/connect/odd/non_ascii.json"),
];
/// Verified webhooks of types that no normaliser knows.
pub(crate) const UNRECOGNIZED: [&str; 2] = [
    r#"{"event":"connect.orders.created","order":{"id":"ORDER01"}}"#,
    include_str!("../../../../../events/connect/odd/not_json.txt"),
];

/// When batches are handled.
pub(crate) fn now() -> Timestamp {
    "2025-10-07T19:44:52Z".parse().expect("an instant")
}

/// A message on the ingress queue: an envelope, written by hand because only a verified webhook makes one.
pub(crate) fn envelope_of(body: Value, received_at: &str) -> String {
    envelope_with("connect", &[], body, received_at)
}

/// The envelope of a webhook of zerohash, whose type is in a header.
pub(crate) fn of_zerohash(payload_type: &str, body: &str) -> String {
    let named = [("x-zh-hook-payload-type", payload_type)];
    envelope_with("zerohash", &named, json!({ "text": body }), "2025-10-07T19:44:51Z")
}

/// The envelope of a webhook of any feed.
pub(crate) fn of_feed(feed: &str, body: &str) -> String {
    envelope_with(feed, &[], json!({ "text": body }), "2025-10-07T19:44:51Z")
}

/// The envelope of a test webhook that was sent from Striga's dashboard.
pub(crate) fn ping() -> String {
    let mut envelope: Value = serde_json::from_str(&of_feed("striga", "{}")).expect("JSON");
    envelope["url"] = json!("https://hooks.example.com/webhooks/striga/ping");
    envelope.to_string()
}

fn envelope_with(feed: &str, named: &[(&str, &str)], body: Value, received_at: &str) -> String {
    let headers = [&[("timestamp", "1759866290"), ("signature", "c2lnbmVk")], named].concat();
    let attestation = json!({
        "scheme": "connect-rsa-sha256",
        "class": "asymmetric",
        "key": "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA",
        "signed_at": "2025-10-07T19:44:50Z",
        "token_verified": false,
    });
    json!({
        "v": 1,
        "feed": feed,
        "received_at": received_at,
        "url": "https://hooks.example.com/webhooks/connect",
        "headers": headers,
        "body": body,
        "attestation": attestation,
    })
    .to_string()
}

pub(crate) fn envelope(body: &str) -> String {
    envelope_of(json!({ "text": body }), "2025-10-07T19:44:51Z")
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
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:ingress",
            "awsRegion": "us-east-1",
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("an SQS event")
}

/// The envelopes of all samples: money first.
pub(crate) fn ten() -> Vec<String> {
    MONEY.iter().chain(&UNRECOGNIZED).map(|body| envelope(body)).collect()
}

/// The ids of the messages that are delivered again.
pub(crate) fn failed(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

/// The ids of the messages with these numbers.
pub(crate) fn messages(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("message-{number}")).collect()
}

/// The one object that was stored: its key and its lines.
pub(crate) fn object(evidence: &Fake<EvidenceBucket>) -> (String, Vec<String>) {
    let bucket = evidence.now();
    assert_eq!(bucket.objects.len(), 1, "a batch is one object");
    let (key, content) = &bucket.objects[0];
    let mut text = String::new();
    GzDecoder::new(content.as_slice()).read_to_string(&mut text).expect("gzip of UTF-8");
    assert!(text.ends_with('\n'), "each line ends with a line break");
    (key.clone(), text.lines().map(str::to_owned).collect())
}

/// Every statement that was sent to `queue`, taken or refused.
pub(crate) fn statements(queue: &Fake<Queue>) -> Vec<Statement> {
    let statement_in = |body: &String| {
        let NewFact { resource, content } = NewFact::from_message(body).expect("a fact to record");
        let FactContent::Statement(content) = content else { unreachable!("fan-out sends statements only") };
        Statement { resource, content }
    };
    queue.offered().iter().map(statement_in).collect()
}

/// The ports of fan-out, its settings and its metrics.
pub(crate) struct World {
    pub(crate) evidence: Fake<EvidenceBucket>,
    pub(crate) transfers: Fake<Queue>,
    pub(crate) accounts: Fake<Queue>,
    pub(crate) reading: ReadingSettings,
    pub(crate) metrics: Metrics,
}

impl Default for World {
    fn default() -> Self {
        Self {
            evidence: Fake::default(),
            transfers: Fake::default(),
            accounts: Fake::default(),
            reading: ReadingSettings::default(),
            metrics: Metrics::recorded(false),
        }
    }
}

impl World {
    pub(crate) async fn handle<T: AsRef<str>>(&self, bodies: &[T]) -> SqsBatchResponse {
        self.handle_event(batch(bodies)).await
    }

    pub(crate) async fn handle_event(&self, event: SqsEvent) -> SqsBatchResponse {
        let Self { evidence, transfers, accounts, reading, metrics } = self;
        let (transfers, accounts) = (transfers.clone(), accounts.clone());
        FanOut::new(evidence.clone(), transfers, accounts, reading.clone(), metrics.clone()).handle(event, now()).await
    }
}
