//! Batches of envelopes, and a world in memory that takes what fan-out makes of them.
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fan_out::FanOut;
use flate2::read::GzDecoder;
use fundhook_domain::{FactContent, NewFact, Statement, Timestamp};
use fundhook_ports::{Archive, Disposition, PortError, SendMessages};
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
/// Webhooks that verified and that nothing claims.
pub(crate) const UNRECOGNIZED: [&str; 2] = [
    include_str!("../../../../../events/connect/odd/unknown_event.json"),
    include_str!("../../../../../events/connect/odd/not_json.txt"),
];

/// When batches are handled.
pub(crate) fn now() -> Timestamp {
    "2025-10-07T19:44:52Z".parse().expect("an instant")
}

/// An envelope on the ingress queue. Only a verified webhook makes one; what stands here is what the queue then holds.
pub(crate) fn envelope_of(body: Value, received_at: &str) -> String {
    sealed("connect", &[], body, received_at)
}

/// The envelope of a webhook of zerohash, whose header names its type.
pub(crate) fn of_zerohash(payload_type: &str, body: &str) -> String {
    let named = [("x-zh-hook-payload-type", payload_type)];
    sealed("zerohash", &named, json!({ "text": body }), "2025-10-07T19:44:51Z")
}

/// The envelope of a webhook of another provider or tenant, which names itself.
pub(crate) fn of_feed(feed: &str, body: &str) -> String {
    sealed(feed, &[], json!({ "text": body }), "2025-10-07T19:44:51Z")
}

fn sealed(feed: &str, named: &[(&str, &str)], body: Value, received_at: &str) -> String {
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

/// A batch as Lambda hands it over; the messages are called `message-0`, `message-1` and so on.
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

pub(crate) fn ten() -> Vec<String> {
    MONEY.iter().chain(&UNRECOGNIZED).map(|body| envelope(body)).collect()
}

pub(crate) fn failed(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

/// The messages with these numbers.
pub(crate) fn messages(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("message-{number}")).collect()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn refusal() -> PortError {
    PortError::new("do what the test forbids", Disposition::Retry, "it is down")
}

/// An object's key and its content.
pub(crate) type Put = (String, Vec<u8>);

/// The evidence bucket in memory.
#[derive(Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) puts: Arc<Mutex<Vec<Put>>>,
    pub(crate) is_down: bool,
}

impl Archive for Evidence {
    async fn put(&self, key: &str, content: Vec<u8>) -> Result<(), PortError> {
        lock(&self.puts).push((key.to_owned(), content));
        if self.is_down { Err(refusal()) } else { Ok(()) }
    }
}

impl Evidence {
    /// The one object that was put: its key and its lines.
    pub(crate) fn object(&self) -> (String, Vec<String>) {
        let puts = lock(&self.puts);
        assert_eq!(puts.len(), 1, "a batch is one object");
        let (key, content) = &puts[0];
        let mut text = String::new();
        GzDecoder::new(content.as_slice()).read_to_string(&mut text).expect("gzip of UTF-8");
        assert!(text.ends_with('\n'), "each line is ended");
        (key.clone(), text.lines().map(str::to_owned).collect())
    }
}

/// A queue in memory.
#[derive(Clone, Default)]
pub(crate) struct Queue {
    calls: Arc<Mutex<Vec<Vec<String>>>>,
    /// It refuses the messages that hold this text.
    refuses: Option<&'static str>,
}

impl SendMessages for Queue {
    async fn send_all(&self, bodies: Vec<String>) -> Vec<Result<(), PortError>> {
        let is_refused = |body: &String| self.refuses.is_some_and(|text| body.contains(text));
        let outcomes = bodies.iter().map(|body| if is_refused(body) { Err(refusal()) } else { Ok(()) }).collect();
        lock(&self.calls).push(bodies);
        outcomes
    }
}

impl Queue {
    pub(crate) fn refusing(text: &'static str) -> Self {
        Self { refuses: Some(text), ..Self::default() }
    }

    pub(crate) fn calls(&self) -> usize {
        lock(&self.calls).len()
    }

    /// Every statement that it was sent.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let calls = lock(&self.calls);
        let statement_in = |body: &String| {
            let NewFact { resource, content } = NewFact::from_message(body).expect("a fact to record");
            let FactContent::Statement(content) = content else { unreachable!("fan-out sends statements only") };
            Statement { resource, content }
        };
        calls.iter().flatten().map(statement_in).collect()
    }
}

/// What fan-out made of a batch.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) evidence: Evidence,
    pub(crate) transfers: Queue,
    pub(crate) accounts: Queue,
}

impl World {
    pub(crate) async fn handle<T: AsRef<str>>(&self, bodies: &[T]) -> SqsBatchResponse {
        let fan_out = FanOut::new(self.evidence.clone(), self.transfers.clone(), self.accounts.clone());
        fan_out.handle(batch(bodies), now()).await
    }
}
