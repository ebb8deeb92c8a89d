//! Events as Fundhook publishes them, batches as Lambda hands them over, and a ledger in memory.

mod log;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bigdecimal::BigDecimal;
use serde_json::{Value, json};
use subscriber::{BookOutcome, Entry, Ledger, LedgerError};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) use log::logged;

pub(crate) const NOW: OffsetDateTime = datetime!(2025-10-07 19:44:50 UTC);

/// The line `debit provider:connect 0.013 BTC`.
fn line(text: &str) -> Value {
    let parts: Vec<&str> = text.split(' ').collect();
    let [direction, account, value, asset] = parts[..] else { unreachable!("{text}") };
    json!({ "ledger_account": account, "direction": direction, "value": value, "asset": asset })
}

/// The event with the number `sequence` about `resource`, called `fundhook.deposit.<name>`, that books these lines.
pub(crate) fn event(resource: &str, sequence: u32, name: &str, lines: &[&str]) -> Value {
    json!({
        "specversion": "1.0",
        "id": format!("{resource}#{sequence}"),
        "source": "/fundhook/connect",
        "type": format!("fundhook.deposit.{name}"),
        "subject": resource,
        "time": format!("2025-10-07T19:44:5{sequence}Z"),
        "sequence": format!("{sequence:010}"),
        "datacontenttype": "application/json",
        "data": {
            "resource": resource,
            "kind": "deposit",
            "status": name,
            "postings": lines.iter().map(|text| line(text)).collect::<Vec<_>>(),
        }
    })
}

/// A deposit that is held, credited, contradicted, and credited again by a person's decision.
pub(crate) fn life() -> [Value; 5] {
    let resource = "deposit#connect#a";
    [
        event(resource, 1, "pending", &[]),
        event(resource, 2, "held", &["debit provider:connect 0.013 BTC", "credit held:connect 0.013 BTC"]),
        event(resource, 3, "confirmed", &["debit held:connect 0.013 BTC", "credit customer:USER01 0.013 BTC"]),
        event(resource, 4, "conflicting", &["debit customer:USER01 0.013 BTC", "credit held:connect 0.013 BTC"]),
        event(resource, 5, "confirmed", &["debit held:connect 0.013 BTC", "credit customer:USER01 0.013 BTC"]),
    ]
}

/// 500 USDC arrived. The provider exchanged them, and the customer bears a fee of 5 USD.
pub(crate) fn converted() -> Value {
    let lines = [
        "debit provider:zerohash 500 USDC",
        "credit conversion:zerohash 500 USDC",
        "debit conversion:zerohash 500 USD",
        "credit customer:USER01 495 USD",
        "credit fees:zerohash 5 USD",
    ];
    event("deposit#zerohash#b", 1, "confirmed", &lines)
}

/// `event`, in which the member at `pointer` is `value`.
pub(crate) fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    parent.insert(name.to_owned(), value);
    event
}

/// What the event books.
pub(crate) fn entry(event: &Value) -> Entry {
    Entry::from_event(&event.to_string()).expect("a usable event")
}

/// A batch as Lambda hands it over; the messages are called `message-0`, `message-1` and so on.
pub(crate) fn batch<T: ToString>(bodies: &[T]) -> SqsEvent {
    let record = |(index, body): (usize, &T)| {
        json!({
            "messageId": format!("message-{index}"),
            "receiptHandle": "AQEB",
            "body": body.to_string(),
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1759866291000" },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:events",
            "awsRegion": "us-east-1",
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("an SQS event")
}

/// The messages that were not finished.
pub(crate) fn failed(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

/// Every order of the numbers below `count`.
pub(crate) fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: &Vec<usize>, at: usize| [&order[..at], &[count - 1], &order[at..]].concat();
    orders(count - 1).iter().flat_map(|order| (0..count).map(move |at| insert(order, at))).collect()
}

/// What happens to one request to the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LedgerFailure {
    /// Nothing is done, and the error says whether to retry.
    Fails { is_transient: bool },
    /// It is done, and the answer is lost.
    AnswerIsLost,
}

/// A ledger in memory. It books each event once and otherwise behaves as the test configures it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryLedger(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) booked: BTreeSet<String>,
    balances: BTreeMap<(String, String), BigDecimal>,
    /// What happens to the next requests; what comes after that succeeds.
    fates: VecDeque<LedgerFailure>,
}

impl MemoryLedger {
    pub(crate) fn with(fates: impl IntoIterator<Item = LedgerFailure>) -> Self {
        let ledger = Self::default();
        ledger.contents().fates.extend(fates);
        ledger
    }

    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The balances that are not zero: `customer:USER01 -0.013 BTC`.
    pub(crate) fn balances(&self) -> Vec<String> {
        let contents = self.contents();
        let known = contents.balances.iter().filter(|(_, sum)| **sum != 0);
        known
            .map(|((account, asset), sum)| format!("{account} {} {asset}", sum.normalized().to_plain_string()))
            .collect()
    }
}

impl Contents {
    fn book(&mut self, entry: &Entry) -> BookOutcome {
        if !self.booked.insert(entry.event_id().to_owned()) {
            return BookOutcome::AlreadyBooked;
        }
        for line in entry.lines() {
            let key = (line.account().to_owned(), line.asset().to_owned());
            *self.balances.entry(key).or_default() += line.value().to_string().parse::<BigDecimal>().expect("a number");
        }
        BookOutcome::Booked
    }
}

impl Ledger for MemoryLedger {
    async fn book(&self, entry: &Entry, _now: OffsetDateTime) -> Result<BookOutcome, LedgerError> {
        let mut contents = self.contents();
        match contents.fates.pop_front() {
            None => Ok(contents.book(entry)),
            Some(LedgerFailure::Fails { is_transient: true }) => Err(LedgerError::Unavailable("it is down".into())),
            Some(LedgerFailure::Fails { is_transient: false }) => {
                Err(LedgerError::BalanceRefused("it would have to be rounded".into()))
            }
            Some(LedgerFailure::AnswerIsLost) => {
                contents.book(entry);
                Err(LedgerError::Unavailable("the answer was lost".into()))
            }
        }
    }
}
