//! From a batch of stream records to published events.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use fundhook_adapters::table::{FACTS, Head, ItemError, PAGES, PK, VERSION};
use fundhook_domain::{Event, Kind, Timestamp, events_after};
use fundhook_ports::{FactPages, PortError, PublishEvents, Receipts, chain};
use fundhook_reconciliation::{Receipt, receipt_of};
use fundhook_runtime::metrics::{Metric, Metrics};
use serde_dynamo::{AttributeValue, Item};
use tracing::{error, info, warn};

use crate::in_order::publish_in_order;

/// The publisher: where it publishes, the pages of resources with many facts, and the books that it keeps about a topic.
#[derive(Debug)]
pub struct Publisher<T, R, P> {
    destination: T,
    pages: P,
    of_topic: Option<OfTopic<R>>,
}

/// What is counted when events are published to the topic. The bus gets the same events a second time.
#[derive(Debug)]
struct OfTopic<R> {
    receipts: R,
    metrics: Metrics,
}

impl<T: PublishEvents, R: Receipts, P: FactPages> Publisher<T, R, P> {
    /// A publisher to the topic that stores a receipt in `receipts` for each deposit that it published as confirmed, and counts
    /// events. It reads the earlier facts of a resource with many from `pages`.
    pub fn to_topic(topic: T, receipts: R, pages: P, metrics: Metrics) -> Self {
        Self { destination: topic, pages, of_topic: Some(OfTopic { receipts, metrics }) }
    }

    /// A publisher to an event bus beside the topic. It stores no receipts and counts nothing.
    pub fn to_bus(bus: T, pages: P) -> Self {
        Self { destination: bus, pages, of_topic: None }
    }

    /// Handles one batch of the stream.
    ///
    /// Returns the sequence number of the first record that was not finished; Lambda delivers again from there. Events of
    /// later records may have been published already, and are then published again with the same ids.
    pub async fn handle(&self, event: StreamEvent, now: Timestamp) -> DynamoDbEventResponse {
        let records = event.records;
        let mut events = Vec::new();
        let mut first_failed = None;
        for (index, record) in records.iter().enumerate() {
            match self.events_of(record).await {
                Ok(of_record) => events.extend(of_record.into_iter().map(|event| (index, event))),
                Err(error) => {
                    let (event_id, error) = (&record.event_id, chain(&error));
                    let key = string(&record.change.new_image, PK).unwrap_or("-");
                    error!(
                        event_id,
                        error,
                        resource.id = key,
                        "stream record {event_id} of {key} cannot be read; later records wait until it can be, or until it moves to the failure queue: {error}"
                    );
                    first_failed = Some(index);
                    break;
                }
            }
        }
        let (origins, events): (Vec<usize>, Vec<Event>) = events.into_iter().unzip();
        let outcomes = if events.is_empty() {
            Vec::new()
        } else if self.destination.keeps_order() {
            publish_in_order(&self.destination, &events).await
        } else {
            self.destination.publish(&events).await
        };
        let mut outcomes = outcomes.into_iter();
        let (mut receipts, mut published, mut surpluses) = (Vec::new(), BTreeMap::<&str, u64>::new(), 0);
        for (origin, event) in origins.into_iter().zip(&events) {
            // An event without an outcome may not have been published.
            let failure = match outcomes.next() {
                Some(Ok(())) => {
                    receipts.extend(receipt_of(event, now).map(|receipt| (origin, receipt)));
                    surpluses += u64::from(event.is_surplus());
                    *published.entry(&event.event_type).or_default() += 1;
                    info!(
                        resource.id = %event.data.resource,
                        correlation_id = %event.correlation_id,
                        event.id = event.id,
                        event.kind = event.event_type,
                        "event {} published as {}",
                        event.id,
                        event.event_type
                    );
                    continue;
                }
                Some(Err(error)) => chain(&error),
                None => "the topic returned no outcome for it".to_owned(),
            };
            warn!(
                resource.id = %event.data.resource,
                correlation_id = %event.correlation_id,
                event.id = event.id,
                error = failure,
                "event {} could not be published; its record will be delivered again: {failure}",
                event.id
            );
            first_failed = Some(first_failed.map_or(origin, |first| first.min(origin)));
        }
        if let Some(of_topic) = &self.of_topic {
            for (event_type, count) in published {
                of_topic.metrics.of_stack(now, Metric::PublishedEvents, count, &[("type", event_type)]);
            }
            if surpluses > 0 {
                of_topic.metrics.of_stack(now, Metric::RecoverySurpluses, surpluses, &[]);
            }
            if let Some(origin) = of_topic.note(receipts).await {
                first_failed = Some(first_failed.map_or(origin, |first| first.min(origin)));
            }
        }
        response(first_failed.and_then(|index| records.get(index)))
    }

    /// The events of the facts that a record added.
    async fn events_of(&self, record: &EventRecord) -> Result<Vec<Event>, Unreadable> {
        let Some(head) = head_of(record)? else {
            return Ok(Vec::new());
        };
        let on_pages = match head.pages {
            0 => Vec::new(),
            pages => self.pages.paged_facts(&head.id, pages).await?,
        };
        Ok(events_after(&head.after(on_pages), version_before(record)))
    }
}

impl<R: Receipts> OfTopic<R> {
    /// Stores the receipts of what was published. If that fails, returns the first record with a receipt: its events are
    /// published again with the same ids, and its receipt is stored then.
    async fn note(&self, receipts: Vec<(usize, Receipt)>) -> Option<usize> {
        let (origins, receipts): (Vec<usize>, Vec<Receipt>) = receipts.into_iter().unzip();
        let first = origins.into_iter().min()?;
        match self.receipts.note(&receipts).await {
            Ok(()) => None,
            Err(error) => {
                let error = chain(&error);
                let events: Vec<&str> = receipts.iter().map(|receipt| receipt.event.as_str()).collect();
                let events = events.join(", ");
                warn!(
                    error,
                    receipts = receipts.len(),
                    event.ids = events,
                    "receipts of {events} could not be stored; their records will be delivered again: {error}"
                );
                Some(first)
            }
        }
    }
}

/// Why the events of a record cannot be derived.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Item(#[from] ItemError),
    #[error(transparent)]
    Pages(#[from] PortError),
}

/// The resource in a record's new image. An item that is not a resource has none, and neither has a deletion.
fn head_of(record: &EventRecord) -> Result<Option<Head>, ItemError> {
    let image = &record.change.new_image;
    let Some(pk) = string(image, PK).filter(|pk| is_resource(pk)) else {
        return Ok(None);
    };
    let facts = match image.get(FACTS) {
        Some(AttributeValue::L(facts)) => facts,
        _ => return Err(ItemError::Attribute(FACTS)),
    };
    let texts: Option<Vec<&str>> = facts.iter().map(text).collect();
    let pages = match image.get(PAGES) {
        Some(AttributeValue::N(pages)) => Some(pages.as_str()),
        Some(_) => return Err(ItemError::Attribute(PAGES)),
        None => None,
    };
    Head::from_texts(pk, texts.ok_or(ItemError::Attribute(FACTS))?.into_iter(), pages).map(Some)
}

/// The resource's version before the write; 0 for a new resource.
fn version_before(record: &EventRecord) -> u64 {
    match record.change.old_image.get(VERSION) {
        Some(AttributeValue::N(version)) => version.parse().unwrap_or(0),
        _ => 0,
    }
}

/// Whether a key is that of a resource: it begins with a kind. The table also holds key sets, claims and watermarks.
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
