//! From a batch of stream records to published events.

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use fundhook_adapters::table::{FACTS, ItemError, OWNERSHIP, PK, VERSION, resource_from_texts};
use fundhook_domain::{Event, Kind, Timestamp, events_after};
use fundhook_ports::{PublishEvents, Receipts, chain};
use fundhook_reconciliation::{Receipt, receipt_of};
use serde_dynamo::{AttributeValue, Item};
use tracing::{error, info, warn};

/// What the publisher needs: the topic, and where receipts are kept.
#[derive(Debug)]
pub struct Publisher<T, B> {
    topic: T,
    books: B,
}

impl<T: PublishEvents, B: Receipts> Publisher<T, B> {
    /// A publisher to `topic`, which notes in `books` which deposits it has published as confirmed.
    pub fn new(topic: T, books: B) -> Self {
        Self { topic, books }
    }

    /// Handles one batch of the stream.
    ///
    /// Returns the sequence number of the first record that was not finished, from which Lambda delivers again. Events
    /// behind it may have been published already; said twice they have the same ids.
    pub async fn handle(&self, event: StreamEvent, now: Timestamp) -> DynamoDbEventResponse {
        let records = event.records;
        let mut events = Vec::new();
        let mut first_failed = None;
        for (index, record) in records.iter().enumerate() {
            match events_of(record) {
                Ok(said) => events.extend(said.into_iter().map(|event| (index, event))),
                Err(error) => {
                    let event_id = &record.event_id;
                    error!(event_id, error = chain(&error), "a stream record holds no readable resource");
                    first_failed = Some(index);
                    break;
                }
            }
        }
        let (origins, events): (Vec<usize>, Vec<Event>) = events.into_iter().unzip();
        let outcomes = if events.is_empty() { Vec::new() } else { self.topic.publish(&events).await };
        let mut outcomes = outcomes.into_iter();
        let mut receipts = Vec::new();
        for (origin, event) in origins.into_iter().zip(&events) {
            // What the topic says nothing about was not finished.
            let failure = match outcomes.next() {
                Some(Ok(())) => {
                    receipts.extend(receipt_of(event, now).map(|receipt| (origin, receipt)));
                    info!(resource.id = %event.data.resource, event.id = event.id, event.kind = event.event_type, "event published");
                    continue;
                }
                Some(Err(error)) => chain(&error),
                None => "the topic did not say what became of it".to_owned(),
            };
            warn!(event.id = event.id, error = failure, "an event could not be published");
            first_failed = Some(first_failed.map_or(origin, |first| first.min(origin)));
        }
        if let Some(origin) = self.note(receipts).await {
            first_failed = Some(first_failed.map_or(origin, |first| first.min(origin)));
        }
        response(first_failed.and_then(|index| records.get(index)))
    }

    /// Notes what was published; returns the first record whose receipt is not noted. It is published again, under the same
    /// ids, and noted then.
    async fn note(&self, receipts: Vec<(usize, Receipt)>) -> Option<usize> {
        let (origins, receipts): (Vec<usize>, Vec<Receipt>) = receipts.into_iter().unzip();
        let first = origins.into_iter().min()?;
        match self.books.note(&receipts).await {
            Ok(()) => None,
            Err(error) => {
                warn!(error = chain(&error), receipts = receipts.len(), "what was published could not be noted");
                Some(first)
            }
        }
    }
}

/// The events that a record gives rise to: none for items that are not resources, and none for deletions.
fn events_of(record: &EventRecord) -> Result<Vec<Event>, ItemError> {
    let image = &record.change.new_image;
    let Some(pk) = string(image, PK).filter(|pk| is_resource(pk)) else {
        return Ok(Vec::new());
    };
    let facts = match image.get(FACTS) {
        Some(AttributeValue::L(facts)) => facts,
        _ => return Err(ItemError::Attribute(FACTS)),
    };
    let texts: Option<Vec<&str>> = facts.iter().map(text).collect();
    let texts = texts.ok_or(ItemError::Attribute(FACTS))?;
    // Read as missing, an odd one would have a duplicate published as confirmed.
    let ownership = image.get(OWNERSHIP).map(|ownership| text(ownership).ok_or(ItemError::Attribute(OWNERSHIP)));
    let resource = resource_from_texts(pk, texts.into_iter(), ownership.transpose()?)?;
    Ok(events_after(&resource, version_before(record)))
}

/// The resource's version before the write: how many facts had been recorded.
fn version_before(record: &EventRecord) -> u64 {
    match record.change.old_image.get(VERSION) {
        Some(AttributeValue::N(version)) => version.parse().unwrap_or(0),
        _ => 0,
    }
}

/// Whether a key is a resource's: it begins with a kind. Key sets, claims and watermarks live in the same table.
fn is_resource(pk: &str) -> bool {
    pk.split_once('#').is_some_and(|(kind, _)| kind.parse::<Kind>().is_ok())
}

fn string<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(text)
}

fn text(value: &AttributeValue) -> Option<&str> {
    if let AttributeValue::S(text) = value { Some(text) } else { None }
}

fn response(first_failed: Option<&EventRecord>) -> DynamoDbEventResponse {
    let failure = |record: &EventRecord| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier.clone_from(&record.change.sequence_number);
        failure
    };
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures = first_failed.map(failure).into_iter().collect();
    response
}
