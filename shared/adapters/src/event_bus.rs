//! An EventBridge bus, beside the topic.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use fundhook_domain::Event;
use fundhook_ports::{Disposition, PortError, PublishEvents};

use crate::Aws;
use crate::batches::{Made, in_batches};
use crate::topic::json_of;
use crate::why::{BUS, why};

/// The limits of one `PutEvents`: 10 entries, and 256 KiB in total (EventBridge quotas).
const ITEMS_MAX: usize = 10;
const BYTES_MAX: usize = 256 * 1024;

/// What EventBridge counts for the time of an entry.
const TIME_BYTES: usize = 14;

/// One EventBridge bus. An entry's `detail` is the whole CloudEvent, its `detail-type` the event's type, its `source` the
/// event's source and its `time` the event's time, in whole seconds.
#[derive(Clone, Debug)]
pub struct EventBus {
    client: Client,
    arn: String,
}

/// An event as it is put on the bus.
struct Entry {
    source: String,
    detail_type: String,
    detail: String,
    seconds: i64,
}

impl EventBus {
    pub fn new(aws: &Aws, arn: String) -> Self {
        Self { client: Client::new(aws.sdk_config()), arn }
    }

    async fn put_batch(&self, entries: &[Entry]) -> Vec<Result<(), PortError>> {
        let failed = |why: String| PortError::new("put an event on the bus", Disposition::Retry, why);
        let entry = |entry: &Entry| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.arn)
                .source(&entry.source)
                .detail_type(&entry.detail_type)
                .detail(&entry.detail)
                .time(DateTime::from_secs(entry.seconds))
                .build()
        };
        let put = self.client.put_events().set_entries(Some(entries.iter().map(entry).collect())).send().await;
        let put = put.map_err(|error| why(&error, BUS.called(&self.arn)));
        let outcome = |index: usize| match &put {
            Err(why) => Err(failed(why.clone())),
            Ok(answer) => match answer.entries().get(index) {
                None => Err(failed("the bus returned no outcome for it".to_owned())),
                Some(entry) => match entry.error_code() {
                    None => Ok(()),
                    Some(code) => Err(failed(format!("{code}: {}", entry.error_message().unwrap_or_default()))),
                },
            },
        };
        (0..entries.len()).map(outcome).collect()
    }
}

impl PublishEvents for EventBus {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let made = Made::of(events.iter().map(Entry::of));
        let mut sent = Vec::with_capacity(made.items.len());
        for batch in in_batches(&made.items, ITEMS_MAX, BYTES_MAX, Entry::bytes) {
            sent.extend(self.put_batch(batch).await);
        }
        made.outcomes(sent)
    }
}

impl Entry {
    fn of(event: &Event) -> Result<Self, PortError> {
        Ok(Self {
            source: event.source(),
            detail_type: event.event_type.clone(),
            detail: json_of(event)?,
            seconds: event.time.unix_seconds(),
        })
    }

    /// The size as EventBridge counts it.
    fn bytes(&self) -> usize {
        TIME_BYTES + self.source.len() + self.detail_type.len() + self.detail.len()
    }
}
