//! Events as Fundhook publishes them, batches as Lambda hands them over, and a ledger in memory.

mod log;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use serde_json::{Value, json};
use subscriber::{Credit, CreditOutcome, Hold, HoldOutcome, Instruction, Ledger, LedgerError};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) use log::logged;

pub(crate) const NOW: OffsetDateTime = datetime!(2025-10-07 19:44:50 UTC);

/// The resource id of the deposit `native`.
pub(crate) fn deposit(native: &str) -> String {
    format!("deposit#connect#{native}")
}

/// The event about the deposit `native` that is called `fundhook.deposit.<name>`.
pub(crate) fn event(native: &str, sequence: u32, name: &str) -> Value {
    let resource = deposit(native);
    json!({
        "specversion": "1.0",
        "id": format!("{resource}#{sequence}"),
        "source": "/fundhook/connect",
        "type": format!("fundhook.deposit.{name}"),
        "subject": resource,
        "time": "2025-10-07T19:44:50Z",
        "sequence": format!("{sequence:010}"),
        "datacontenttype": "application/json",
        "data": {
            "resource": resource,
            "kind": "deposit",
            "provider": "connect",
            "provider_id": native,
            "status": name,
            "final": name == "confirmed",
            "late": false,
            "amount": {
                "value": "0.013",
                "asset": "BTC",
                "network": { "name": "bitcoin", "slug": "bitcoin" },
                "units": "major"
            },
            "account": "USER01",
            "history": [],
        }
    })
}

/// `event`, in which the data's member at `pointer` is `value`.
pub(crate) fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event["data"].pointer_mut(parent).and_then(Value::as_object_mut).expect("an object of the data");
    parent.insert(name.to_owned(), value);
    event
}

/// `event` without the data's member at `pointer`.
pub(crate) fn without(mut event: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event["data"].pointer_mut(parent).and_then(Value::as_object_mut).expect("an object of the data");
    parent.remove(name).expect("it is there");
    event
}

pub(crate) fn pending(native: &str) -> Value {
    event(native, 1, "pending")
}

pub(crate) fn submitted(native: &str) -> Value {
    event(native, 2, "submitted")
}

pub(crate) fn confirmed(native: &str) -> Value {
    let net = json!({ "value": "0.013", "asset": "BTC" });
    let credit = json!({ "form": "in_kind", "gross": net, "fees": [], "net": net, "decided_by": "numbers" });
    with(event(native, 3, "confirmed"), "/credit", credit)
}

/// 500 USDC arrived. The provider exchanged them, and the customer bears a fee of 5 USD.
pub(crate) fn converted(native: &str) -> Value {
    let usd = |value: &str| json!({ "value": value, "asset": "USD" });
    let (usdc, gross, net) = (json!({ "value": "500", "asset": "USDC" }), usd("500"), usd("495"));
    let credit = json!({
        "form": "converted",
        "gross": gross,
        "fees": [{ "kind": "deposit_fee", "value": "5", "asset": "USD", "borne_by": "customer" }],
        "net": net,
        "conversion": { "from": usdc, "to": gross, "rate": "1" },
        "decided_by": "numbers",
    });
    let network = json!({ "name": "ETH", "slug": "ethereum" });
    let amount = json!({ "value": "500", "units": "major", "major": "500", "asset": "USDC", "network": network });
    with(with(confirmed(native), "/amount", amount), "/credit", credit)
}

/// The deposit was confirmed. A webhook was read again, and it may not be credited now.
pub(crate) fn restated(native: &str) -> Value {
    let hold = json!({ "reason": "fee_bearer_unknown", "needs": "setting", "explanation": "There is a fee." });
    let members = json!(["credit", "final", "hold", "status"]);
    with(with(event(native, 4, "held"), "/hold", hold), "/restated", members)
}

pub(crate) fn conflicting(native: &str) -> Value {
    with(event(native, 4, "conflicting"), "/conflicting", json!(["confirmed", "failed"]))
}

pub(crate) fn duplicate(native: &str) -> Value {
    with(event(native, 3, "duplicate"), "/duplicate_of", json!("deposit#zerohash#1"))
}

/// The credit that `event` asks for.
pub(crate) fn credit(event: &Value) -> Credit {
    let instruction = Instruction::from_event(&event.to_string()).expect("a usable event");
    let Instruction::Credit(credit) = instruction else { unreachable!("{event} asks for no credit") };
    credit
}

/// The hold that `event` asks for.
pub(crate) fn hold(event: &Value) -> Hold {
    let instruction = Instruction::from_event(&event.to_string()).expect("a usable event");
    let Instruction::Hold(hold) = instruction else { unreachable!("{event} asks for no hold") };
    hold
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
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:deposits",
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

/// All sequences of one to `longest` of the numbers below `choices`.
pub(crate) fn sequences(choices: usize, longest: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut previous = vec![Vec::new()];
    for _ in 0..longest {
        let longer = |sequence: &Vec<usize>| {
            let sequence = sequence.clone();
            (0..choices).map(move |choice| [&sequence[..], &[choice]].concat())
        };
        previous = previous.iter().flat_map(longer).collect();
        all.extend(previous.iter().cloned());
    }
    all
}

/// What happens to one request to the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LedgerFailure {
    /// Nothing is done, and the error says whether to retry.
    Fails { is_transient: bool },
    /// It is done, and the answer is lost.
    AnswerIsLost,
    /// It is done.
    Succeeds,
}

/// A ledger in memory. It always guarantees one entry per deposit and otherwise behaves as the test configures it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryLedger(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) entries: BTreeMap<String, Entry>,
    /// The credits that were made, in order.
    pub(crate) credited: Vec<Credit>,
    /// What happens to the next requests; what comes after that succeeds.
    pub(crate) fates: VecDeque<LedgerFailure>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Credited(Credit),
    Disputed(Credit),
    Held,
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

    /// How often the deposit `native` was credited.
    pub(crate) fn credits(&self, native: &str) -> usize {
        self.contents().credited.iter().filter(|credit| credit.resource() == deposit(native)).count()
    }

    pub(crate) fn entry(&self, native: &str) -> Option<Entry> {
        self.contents().entries.get(&deposit(native)).cloned()
    }

    fn fated<T>(&self, request: impl FnOnce(&mut Contents) -> T) -> Result<T, LedgerError> {
        let mut contents = self.contents();
        match contents.fates.pop_front().unwrap_or(LedgerFailure::Succeeds) {
            LedgerFailure::Succeeds => Ok(request(&mut contents)),
            LedgerFailure::Fails { is_transient: true } => Err(LedgerError::Unavailable("it is down".into())),
            LedgerFailure::Fails { is_transient: false } => {
                Err(LedgerError::BalanceRefused("it would have to be rounded".into()))
            }
            LedgerFailure::AnswerIsLost => {
                request(&mut contents);
                Err(LedgerError::Unavailable("the answer was lost".into()))
            }
        }
    }
}

impl Contents {
    fn credit(&mut self, credit: &Credit) -> CreditOutcome {
        match self.entries.get(credit.resource()) {
            None => {
                self.entries.insert(credit.resource().to_owned(), Entry::Credited(credit.clone()));
                self.credited.push(credit.clone());
                CreditOutcome::Credited
            }
            Some(Entry::Held) => CreditOutcome::Held,
            Some(Entry::Credited(entered) | Entry::Disputed(entered)) => {
                let pairs = credit.terms().into_iter().zip(entered.terms());
                let different: Vec<_> = pairs.filter(|(now, then)| now != then).map(|((name, _), _)| name).collect();
                if different.is_empty() {
                    CreditOutcome::AlreadyCredited
                } else {
                    CreditOutcome::CreditedDifferently(different)
                }
            }
        }
    }

    fn hold(&mut self, hold: &Hold) -> HoldOutcome {
        let entry = self.entries.entry(hold.resource().to_owned()).or_insert(Entry::Held);
        if let Entry::Credited(credit) = entry {
            *entry = Entry::Disputed(credit.clone());
        }
        if *entry == Entry::Held { HoldOutcome::Held } else { HoldOutcome::Disputed }
    }
}

impl Ledger for MemoryLedger {
    async fn credit(&self, credit: &Credit, _now: OffsetDateTime) -> Result<CreditOutcome, LedgerError> {
        self.fated(|contents| contents.credit(credit))
    }

    async fn hold(&self, hold: &Hold, _now: OffsetDateTime) -> Result<HoldOutcome, LedgerError> {
        self.fated(|contents| contents.hold(hold))
    }
}
