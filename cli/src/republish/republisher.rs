//! Publishes again what the table of a stack says, by the publishers of the stack.

use std::collections::BTreeSet;

use fundhook_adapters::ResourceTable;
use fundhook_domain::ResourceId;
use fundhook_ports::{Disposition, FactPages, ItemsOf, PortError, StoredItem, StoredItems, UnreadableItem, chain};
use serde::Serialize;
use serde_json::Value;

use super::due::{Due, EventName, UnreadableFact, Window, due};
use super::publish::{Destination, publish};
use crate::invocation::{Invocation, InvocationError, invoke};
use crate::target::{Target, TargetError};

/// How many resources are read and published in one round, so that a scan needs no more memory than that.
const ROUND: usize = 500;
/// How many resources `BatchGetItem` reads in one call.
const READ_AT_ONCE: usize = 100;

/// Why nothing more was published.
#[derive(Debug, thiserror::Error)]
pub enum RepublishError {
    #[error(transparent)]
    Table(#[from] PortError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// What was published again, or in a dry run would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Republished {
    /// The resources with events to publish, and those that could not be published.
    pub resources: Vec<RepublishedResource>,
}

/// What was published about one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepublishedResource {
    /// Its id; the key of its item, if that cannot be read.
    pub resource: String,
    pub events: Vec<EventName>,
    /// Why some of it was not published; empty when all was.
    pub failures: Vec<String>,
}

impl Republished {
    /// The resources that could not be published.
    pub fn failed(&self) -> impl Iterator<Item = &RepublishedResource> {
        self.resources.iter().filter(|resource| !resource.failures.is_empty())
    }

    fn unreadable(&mut self, items: Vec<UnreadableItem>) {
        let failed = |UnreadableItem { key, why }| RepublishedResource {
            resource: key,
            events: Vec::new(),
            failures: vec![format!("its item cannot be read: {why}")],
        };
        self.resources.extend(items.into_iter().map(failed));
    }

    /// How many events were to be published.
    pub fn events(&self) -> usize {
        self.resources.iter().map(|resource| resource.events.len()).sum()
    }
}

/// Invokes a stack's publishers.
#[derive(Clone, Copy, Debug)]
pub struct StackPublishers<'a>(&'a Target);

impl<'a> StackPublishers<'a> {
    pub fn of(target: &'a Target) -> Self {
        Self(target)
    }

    /// Where the stack publishes.
    pub fn destinations(self) -> Vec<Destination> {
        let bus = self.0.optional_output("BusPublisherFunctionName").map(|_| Destination::Bus);
        [Destination::Topic].into_iter().chain(bus).collect()
    }

    /// The function that publishes there.
    pub fn function(self, destination: Destination) -> Result<&'a str, TargetError> {
        self.0.output(match destination {
            Destination::Topic => "PublisherFunctionName",
            Destination::Bus => "BusPublisherFunctionName",
        })
    }
}

/// Invokes the publisher of a destination.
pub trait InvokePublisher {
    /// Its answer to an event of the table's stream.
    fn invoke(
        &self,
        destination: Destination,
        event: Value,
    ) -> impl Future<Output = Result<Invocation, InvocationError>>;
}

impl InvokePublisher for StackPublishers<'_> {
    async fn invoke(&self, destination: Destination, event: Value) -> Result<Invocation, InvocationError> {
        let function = self.function(destination).map_err(|error| InvocationError::NotThere(error.to_string()))?;
        invoke(self.0, function, event.to_string().into_bytes()).await
    }
}

/// A function in place of a publisher.
impl<F: AsyncFn(Destination, Value) -> Result<Invocation, InvocationError>> InvokePublisher for F {
    async fn invoke(&self, destination: Destination, event: Value) -> Result<Invocation, InvocationError> {
        self(destination, event).await
    }
}

/// Publishes again, to some destinations, what is recorded.
pub struct Republisher<T, I> {
    table: T,
    invoke: I,
    destinations: Vec<Destination>,
    dry_run: bool,
}

impl<'a> Republisher<ResourceTable, StackPublishers<'a>> {
    /// What republishes to `destinations` of a stack. A dry run publishes nothing.
    pub fn of(target: &'a Target, destinations: Vec<Destination>, dry_run: bool) -> Result<Self, TargetError> {
        let table = ResourceTable::new(&target.aws, target.output("TableName")?.to_owned());
        Ok(Self::new(table, StackPublishers::of(target), destinations, dry_run))
    }
}

impl<T, I> Republisher<T, I>
where
    T: StoredItems + FactPages,
    I: InvokePublisher,
{
    pub fn new(table: T, invoke: I, destinations: Vec<Destination>, dry_run: bool) -> Self {
        Self { table, invoke, destinations, dry_run }
    }

    /// Publishes all events of these resources again.
    pub async fn resources(&self, ids: &[ResourceId]) -> Result<Republished, RepublishError> {
        let mut republished = Republished::default();
        // A read names each of them once.
        let ids: Vec<ResourceId> = BTreeSet::from_iter(ids).into_iter().cloned().collect();
        for ids in ids.chunks(READ_AT_ONCE) {
            let page = self.table.items(ids).await?;
            let is_known = |id: &ResourceId| {
                page.items.iter().any(|item| item.id == *id)
                    || page.unreadable.iter().any(|item| item.key == id.to_string())
            };
            let unknown = ids.iter().filter(|id| !is_known(id));
            let unknown = unknown.map(|id| failed(id, "nothing is recorded about it".to_owned()));
            republished.resources.extend(unknown);
            republished.unreadable(page.unreadable);
            self.round(page.items, Window::default(), &mut republished).await?;
        }
        let is_told = |id: &&ResourceId| republished.resources.iter().any(|told| told.resource == id.to_string());
        let silent: Vec<RepublishedResource> = ids.iter().filter(|id| !is_told(id)).map(without_events).collect();
        republished.resources.extend(silent);
        Ok(republished)
    }

    /// Publishes the events of the facts in `window` again, of every resource that was written since it began. Calls
    /// `progress` with the number of resources found so far, after each part of the table.
    pub async fn window(
        &self,
        window: Window,
        written: ItemsOf,
        progress: impl Fn(usize),
    ) -> Result<Republished, RepublishError> {
        let (mut republished, mut next, mut items) = (Republished::default(), None, Vec::new());
        loop {
            let page = self.table.scan(written, next).await?;
            republished.unreadable(page.unreadable);
            items.extend(page.items);
            next = page.next;
            if items.len() >= ROUND || next.is_none() {
                self.round(std::mem::take(&mut items), window, &mut republished).await?;
                progress(republished.resources.len());
            }
            if next.is_none() {
                return Ok(republished);
            }
        }
    }

    async fn round(
        &self,
        items: Vec<StoredItem>,
        window: Window,
        republished: &mut Republished,
    ) -> Result<(), RepublishError> {
        let mut all_due: Vec<Due> = Vec::new();
        for item in items {
            let id = item.id.clone();
            let on_pages = match item.pages {
                0 => Ok(Vec::new()),
                pages => self.table.paged_facts(&id, pages).await,
            };
            let on_pages = match on_pages {
                Ok(on_pages) => on_pages,
                Err(error) => match error.disposition() {
                    Disposition::Retry => return Err(error.into()),
                    Disposition::DeadLetter => {
                        republished.resources.push(failed(&id, chain(&error)));
                        continue;
                    }
                },
            };
            match due(item, on_pages, window) {
                Ok(due) => all_due.extend(due),
                Err(error @ UnreadableFact { .. }) => republished.resources.push(failed(&id, error.to_string())),
            }
        }
        let mut failures: Vec<Vec<String>> = vec![Vec::new(); all_due.len()];
        for destination in self.destinations.iter().filter(|_| !self.dry_run) {
            let outcomes = publish(&all_due, async |event| self.invoke.invoke(*destination, event).await).await;
            for (failures, outcome) in failures.iter_mut().zip(outcomes) {
                failures.extend(outcome.map(|why| format!("{destination}: {why}")));
            }
        }
        republished.resources.extend(all_due.into_iter().zip(failures).map(|(due, failures)| RepublishedResource {
            resource: due.item.id.to_string(),
            events: due.events,
            failures,
        }));
        Ok(())
    }
}

/// A resource whose facts published nothing, such as one that a backfill only recorded.
fn without_events(resource: &ResourceId) -> RepublishedResource {
    RepublishedResource { resource: resource.to_string(), events: Vec::new(), failures: Vec::new() }
}

fn failed(resource: &ResourceId, why: String) -> RepublishedResource {
    RepublishedResource { resource: resource.to_string(), events: Vec::new(), failures: vec![why] }
}
