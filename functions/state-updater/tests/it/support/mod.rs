//! Signals in batches, and a table in memory that does what the test says.
pub(crate) mod disturbed;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{
    Attestation, Claim, Details, Event, Evidence, EvidenceClass, EvidencePointer, FactId, Kind, NewFact, Provider,
    Resource, ResourceId, Scheme, Statement, StatementContent, Status, Timestamp, events_after, fold,
};
use fundhook_ports::{Disposition, PortError, Resources, Write, WriteOutcome};
use serde_json::{Value, json};

/// The instant so many seconds after 2025-10-07T19:44:50Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_759_866_290 + seconds).expect("in range")
}

/// The deposit called `native`.
pub(crate) fn deposit(native: &str) -> ResourceId {
    ResourceId::new(Kind::Deposit, Provider::Connect, native).expect("a valid id")
}

/// That the deposit `native` reached the status `name` after so many seconds.
pub(crate) fn statement(native: &str, name: &str, seconds: i64) -> Statement {
    statement_of(deposit(native), name, seconds, Details::Transfer(Box::default()))
}

/// That `resource` reached the status `name` after so many seconds, and what else was said.
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
        status: Status::named(resource.kind(), name).expect("a status of the kind"),
        occurred_at: at(seconds),
        details,
        evidence: Evidence { received_at: at(seconds), attestation, archived },
    };
    Statement { resource, content }
}

/// The resource after `signals`, one after the other.
pub(crate) fn folded(statements: &[impl Clone + Into<NewFact>]) -> Resource {
    let facts: Vec<NewFact> = statements.iter().cloned().map(Into::into).collect();
    let unknown = Resource::unknown(facts.first().expect("at least one fact").resource.clone());
    facts.into_iter().fold(unknown, |resource, fact| fold(resource, fact).into_resource())
}

pub(crate) fn message(fact: &(impl Clone + Into<NewFact>)) -> String {
    fact.clone().into().to_message().expect("a message")
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
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:transfers",
            "awsRegion": "us-east-1",
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("an SQS event")
}

/// A batch of signals.
pub(crate) fn batch_of(statements: &[impl Clone + Into<NewFact>]) -> SqsEvent {
    batch(&statements.iter().map(message).collect::<Vec<_>>())
}

/// The messages that were not finished.
pub(crate) fn failed(response: &SqsBatchResponse) -> Vec<String> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect()
}

/// The messages with these numbers.
pub(crate) fn messages(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("message-{number}")).collect()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happens to one write of one resource.
#[derive(Clone)]
pub(crate) enum Fate {
    /// What the conditions say.
    Honest,
    /// Somebody else records this first; the loser is told the resource as it then is.
    LosesTo(NewFact),
    /// The same, and the loser is told nothing.
    LosesUntoldTo(NewFact),
    /// It is not stored.
    Fails(Disposition),
    /// It is stored, and the answer says that it failed.
    FailsStored,
    /// It is stored, and the answer says that it lost to itself: a repetition by the SDK after an answer was lost.
    LosesToItself,
}

/// Fundhook's table in memory. It keeps the promises that correctness rests on, the conditions, and else does what it was
/// told.
#[derive(Clone, Default)]
pub(crate) struct Table(Arc<Mutex<Contents>>);

#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) resources: BTreeMap<ResourceId, Resource>,
    /// The coins that are claimed.
    pub(crate) claims: BTreeMap<String, Claim>,
    /// What the publisher says of each write, in the order of the writes.
    pub(crate) published: Vec<Event>,
    /// What happens to the next writes of a resource; what comes after that is honest.
    pub(crate) fates: BTreeMap<ResourceId, VecDeque<Fate>>,
    /// What becomes of the next reads; what comes after that succeeds.
    pub(crate) reads_fail: VecDeque<bool>,
    pub(crate) reads: Vec<Vec<ResourceId>>,
    pub(crate) writes: Vec<Vec<ResourceId>>,
}

impl Table {
    /// A table that holds these resources.
    pub(crate) fn holding(resources: impl IntoIterator<Item = Resource>) -> Self {
        let table = Self::default();
        let by_id = resources.into_iter().map(|resource| (resource.id().clone(), resource));
        table.contents().resources.extend(by_id);
        table
    }

    /// The same, in which this happens to the next writes of the deposit `native`.
    pub(crate) fn with(self, native: &str, fates: impl IntoIterator<Item = Fate>) -> Self {
        self.contents().fates.insert(deposit(native), fates.into_iter().collect());
        self
    }

    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        lock(&self.0)
    }

    /// Which resources each call read, in order.
    pub(crate) fn reads(&self) -> Vec<Vec<ResourceId>> {
        self.contents().reads.clone()
    }

    /// Which resources each call wrote, in order.
    pub(crate) fn writes(&self) -> Vec<Vec<ResourceId>> {
        self.contents().writes.clone()
    }

    /// All that is stored.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        self.contents().resources.values().cloned().collect()
    }

    /// The deposit `native` as it is stored.
    pub(crate) fn resource(&self, native: &str) -> Resource {
        self.contents().resource(&deposit(native))
    }
}

impl Contents {
    fn resource(&self, id: &ResourceId) -> Resource {
        self.resources.get(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()))
    }

    fn record(&mut self, fact: NewFact) {
        let current = self.resource(&fact.resource);
        let read_version = current.version();
        let resource = fold(current, fact).into_resource();
        let rival = Write { resource, read_version, claim: None };
        assert!(matches!(self.write(rival), WriteOutcome::Written), "nobody comes between");
    }

    fn fated_write(&mut self, write: Write) -> WriteOutcome {
        let id = write.resource.id().clone();
        match self.fates.get_mut(&id).and_then(VecDeque::pop_front) {
            None | Some(Fate::Honest) => self.write(write),
            Some(Fate::LosesTo(fact)) => {
                self.record(fact);
                self.write(write)
            }
            Some(Fate::LosesUntoldTo(fact)) => {
                self.record(fact);
                assert!(matches!(self.write(write), WriteOutcome::Lost(_)), "the winner changed nothing");
                WriteOutcome::Lost(None)
            }
            Some(Fate::Fails(disposition)) => WriteOutcome::Failed(failure(disposition)),
            Some(Fate::FailsStored) => {
                assert!(matches!(self.write(write), WriteOutcome::Written), "it had lost to another");
                WriteOutcome::Failed(failure(Disposition::Retry))
            }
            Some(Fate::LosesToItself) => {
                assert!(matches!(self.write(write), WriteOutcome::Written), "it had lost to another");
                WriteOutcome::Lost(Some(self.resource(&id)))
            }
        }
    }

    /// Both conditions of a claiming write are looked at before anything is stored; the resource's comes first.
    pub(crate) fn write(&mut self, write: Write) -> WriteOutcome {
        let Write { resource, read_version, claim } = write;
        let current = self.resource(resource.id());
        if current.version() != read_version {
            return WriteOutcome::Lost(Some(current));
        }
        if let Some(taken) = claim.as_ref().and_then(|claim| self.claims.get(&claim.coin)) {
            return WriteOutcome::Claimed(taken.clone());
        }
        self.claims.extend(claim.map(|claim| (claim.coin.clone(), claim)));
        self.published.extend(events_after(&resource, read_version));
        self.resources.insert(resource.id().clone(), resource);
        WriteOutcome::Written
    }

    pub(crate) fn read(&mut self, ids: &[ResourceId]) -> Vec<Resource> {
        ids.iter().map(|id| self.resource(id)).collect()
    }
}

impl Resources for Table {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        let mut contents = self.contents();
        contents.reads.push(ids.to_vec());
        if contents.reads_fail.pop_front().unwrap_or(false) {
            return Err(failure(Disposition::Retry));
        }
        let mut resources = contents.read(ids);
        // In any order, the port says.
        resources.reverse();
        Ok(resources)
    }

    async fn write(&self, writes: Vec<Write>, _now: Timestamp) -> Vec<WriteOutcome> {
        let mut contents = self.contents();
        contents.writes.push(writes.iter().map(|write| write.resource.id().clone()).collect());
        writes.into_iter().map(|write| contents.fated_write(write)).collect()
    }
}

pub(crate) fn failure(disposition: Disposition) -> PortError {
    PortError::new("do what the test forbids", disposition, "it is down")
}
