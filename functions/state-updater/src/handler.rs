//! From a batch of signals to conditional writes.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{Claim, FactContent, NewFact, Outcome, Resource, ResourceId, Timestamp, fold};
use fundhook_ports::{PortError, Resources, Write, WriteOutcome, chain};
use fundhook_runtime::batch::{Failures, messages};
use tracing::{error, info, warn};

/// How often a resource is read, folded and written before its signals go back to the queue.
pub const ATTEMPTS_MAX: u32 = 5;

/// What the state updater needs: the resources, and a way to wait.
#[derive(Debug)]
pub struct StateUpdater<R, P> {
    resources: R,
    pause: P,
}

/// The signals of a batch about one resource.
struct Group {
    message_ids: Vec<String>,
    facts: Vec<FactContent>,
    /// The resource as it was last seen in the table; `None` before it was read.
    current: Option<Resource>,
    /// Who holds the coin that the deposit wanted to claim, when somebody does.
    claimed: Option<Claim>,
}

/// A resource with new facts, to be written at the version it was read at.
struct Fold {
    id: ResourceId,
    group: Group,
    write: Write,
}

impl<R: Resources, P: AsyncFn(u32)> StateUpdater<R, P> {
    /// A state updater that waits by `pause` before repetition 1, 2, … of a write that lost.
    pub fn new(resources: R, pause: P) -> Self {
        Self { resources, pause }
    }

    /// Handles one batch received at `now`; returns the messages that were not finished.
    ///
    /// A conflict means that another updater wrote the same resource: its result is read, folded into and written
    /// again. Whatever happens in between, each fact is recorded once: the condition sees to it, not the order of calls.
    pub async fn handle(&self, event: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let mut failures = Failures::default();
        let mut pending = grouped(event, &mut failures);
        for attempt in 0..ATTEMPTS_MAX {
            if pending.is_empty() {
                break;
            }
            if attempt > 0 {
                (self.pause)(attempt).await;
            }
            pending = self.attempt(pending, now, &mut failures).await;
        }
        for (id, group) in pending {
            warn!(resource.id = %id, attempts = ATTEMPTS_MAX, "a resource is contended; its signals go back to the queue");
            group.fail(&mut failures);
        }
        failures.into_response()
    }

    /// Reads, folds and writes once; returns the groups whose writes lost to another.
    async fn attempt(
        &self,
        mut groups: BTreeMap<ResourceId, Group>,
        now: Timestamp,
        failures: &mut Failures,
    ) -> BTreeMap<ResourceId, Group> {
        if let Err(error) = self.read(&mut groups).await {
            warn!(error = chain(&error), resources = groups.len(), "the resources could not be read");
            groups.into_values().for_each(|group| group.fail(failures));
            return BTreeMap::new();
        }
        let folds: Vec<Fold> = groups.into_iter().filter_map(|(id, group)| folded(id, group)).collect();
        if folds.is_empty() {
            return BTreeMap::new();
        }
        let outcomes = self.resources.write(folds.iter().map(|fold| fold.write.clone()).collect(), now).await;

        let mut lost = BTreeMap::new();
        let mut outcomes = outcomes.into_iter();
        for Fold { id, mut group, write } in folds {
            // What the table says nothing about was not finished.
            let Some(outcome) = outcomes.next() else {
                error!(resource.id = %id, "the table did not say what became of a write");
                group.fail(failures);
                continue;
            };
            match outcome {
                WriteOutcome::Written => {
                    info!(resource.id = %id, version = write.resource.version(), "resource written");
                }
                WriteOutcome::Lost(current) => {
                    group.current = current;
                    lost.insert(id, group);
                }
                WriteOutcome::Claimed(taken) => {
                    info!(resource.id = %id, owner = %taken.owner, "the coin is claimed already");
                    group.claimed = Some(taken);
                    lost.insert(id, group);
                }
                WriteOutcome::Failed(error) => {
                    error!(resource.id = %id, error = chain(&error), disposition = ?error.disposition(), "a resource could not be written");
                    group.fail(failures);
                }
            }
        }
        lost
    }

    /// Reads the groups' resources that are not known yet, in one call.
    async fn read(&self, groups: &mut BTreeMap<ResourceId, Group>) -> Result<(), PortError> {
        let unread = groups.iter().filter(|(_, group)| group.current.is_none());
        let ids: Vec<ResourceId> = unread.map(|(id, _)| id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        for resource in self.resources.read(&ids).await? {
            if let Some(group) = groups.get_mut(resource.id()) {
                group.current = Some(resource);
            }
        }
        Ok(())
    }
}

impl Group {
    fn fail(&self, failures: &mut Failures) {
        self.message_ids.iter().for_each(|id| failures.add(id));
    }
}

/// The signals of a batch by resource. What is not a signal is noted as failed.
fn grouped(event: SqsEvent, failures: &mut Failures) -> BTreeMap<ResourceId, Group> {
    let mut groups: BTreeMap<ResourceId, Group> = BTreeMap::new();
    for message in messages(event) {
        match NewFact::from_message(&message.body) {
            Ok(NewFact { resource, content }) => {
                let empty = || Group { message_ids: Vec::new(), facts: Vec::new(), current: None, claimed: None };
                let group = groups.entry(resource).or_insert_with(empty);
                group.message_ids.push(message.id);
                group.facts.push(content);
            }
            Err(error) => {
                error!(message_id = message.id, error = chain(&error), "a message is no signal");
                failures.add(&message.id);
            }
        }
    }
    groups
}

/// Folds a group's signals into its resource; `None` when all of them were known.
fn folded(id: ResourceId, group: Group) -> Option<Fold> {
    let current = group.current.clone().unwrap_or_else(|| Resource::unknown(id.clone()));
    let read_version = current.version();
    let resource = group.facts.iter().cloned().fold(current, |resource, fact| {
        let outcome = fold(resource, fact);
        if let Outcome::Conflicting { between, .. } = &outcome {
            warn!(resource.id = %id, ?between, "final statuses contradict: a person must look");
        }
        outcome.into_resource()
    });
    if resource.version() == read_version {
        info!(resource.id = %id, facts = group.facts.len(), "nothing new");
        return None;
    }
    let (resource, claim) = resource.claiming(group.claimed.as_ref(), read_version);
    Some(Fold { id, group, write: Write { resource, read_version, claim } })
}
