//! From a batch of statements to conditional writes.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{Claim, FactContent, NewFact, Outcome, Resource, ResourceId, Timestamp, fold};
use fundhook_ports::{PortError, Resources, Write, WriteOutcome, chain};
use fundhook_runtime::batch::{Failures, messages};
use tracing::{error, info, warn};

/// How often a resource is read, folded and written before its statements go back to the queue.
pub const ATTEMPTS_MAX: u32 = 5;

/// The state updater: the table of resources, and how to wait between attempts.
#[derive(Debug)]
pub struct StateUpdater<R, P> {
    resources: R,
    pause: P,
}

/// The statements and overdue notices of a batch about one resource.
struct Group {
    message_ids: Vec<String>,
    facts: Vec<FactContent>,
    /// The resource as it was last read; `None` if it must be read.
    current: Option<Resource>,
    /// The claim of another deposit on the coin that this deposit tried to claim.
    claimed: Option<Claim>,
}

/// A resource with new facts, and the write that stores it.
struct Fold {
    id: ResourceId,
    group: Group,
    write: Write,
}

impl<R: Resources, P: AsyncFn(u32)> StateUpdater<R, P> {
    /// A state updater that calls `pause` before it repeats a write that lost: with 1 before the second attempt, and so on.
    pub fn new(resources: R, pause: P) -> Self {
        Self { resources, pause }
    }

    /// Handles one batch received at `now`. Returns the messages to be delivered again.
    ///
    /// A write loses when another updater wrote the same resource since it was read. The statements are then folded into
    /// the new state and written again. The condition of the write guarantees that each fact is recorded once, whatever
    /// happens between two calls.
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
            warn!(
                resource.id = %id,
                attempts = ATTEMPTS_MAX,
                "{id} was changed by other writers in {ATTEMPTS_MAX} attempts; its messages will be delivered again"
            );
            group.fail(&mut failures);
        }
        failures.into_response()
    }

    /// Reads, folds and writes once. Returns the groups whose writes lost and must be repeated.
    async fn attempt(
        &self,
        mut groups: BTreeMap<ResourceId, Group>,
        now: Timestamp,
        failures: &mut Failures,
    ) -> BTreeMap<ResourceId, Group> {
        if let Err(error) = self.read(&mut groups).await {
            let (error, resources) = (chain(&error), groups.len());
            let ids: Vec<String> = groups.keys().map(ToString::to_string).collect();
            let ids = ids.join(", ");
            warn!(
                error,
                resources,
                resource.ids = ids,
                "could not read {ids}; their messages will be delivered again: {error}"
            );
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
            // A write without an outcome may not have been stored.
            let Some(outcome) = outcomes.next() else {
                error!(resource.id = %id, "the table returned no outcome for the write of {id}; its messages will be delivered again");
                group.fail(failures);
                continue;
            };
            match outcome {
                WriteOutcome::Written => {
                    let version = write.resource.version();
                    info!(resource.id = %id, version, "{id} written at version {version}");
                }
                WriteOutcome::Lost(current) => {
                    group.current = current;
                    lost.insert(id, group);
                }
                WriteOutcome::Claimed(taken) => {
                    let owner = &taken.owner;
                    info!(resource.id = %id, %owner, "coin of {id} is already claimed by {owner}; recording a duplicate if it is the same coin");
                    group.claimed = Some(taken);
                    lost.insert(id, group);
                }
                WriteOutcome::Failed(error) => {
                    let (disposition, error) = (error.disposition(), chain(&error));
                    error!(
                        resource.id = %id,
                        error,
                        ?disposition,
                        "{id} could not be written; its messages will be delivered again: {error}"
                    );
                    group.fail(failures);
                }
            }
        }
        lost
    }

    /// Reads the resources that are not yet known, in one call.
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

/// Groups the statements of a batch by resource. A message that is not a statement fails.
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
                let (message_id, error) = (message.id, chain(&error));
                error!(
                    message_id,
                    error, "message {message_id} is not a statement; it will end in the dead-letter queue: {error}"
                );
                failures.add(&message_id);
            }
        }
    }
    groups
}

/// Folds a group's statements into its resource. `None` if they add no fact.
fn folded(id: ResourceId, group: Group) -> Option<Fold> {
    let current = group.current.clone().unwrap_or_else(|| Resource::unknown(id.clone()));
    let read_version = current.version();
    let resource = group.facts.iter().cloned().fold(current, |resource, fact| {
        let outcome = fold(resource, fact);
        if let Outcome::Conflicting { conflict, .. } = &outcome {
            let statuses: Vec<&str> = conflict.statuses.iter().map(|status| status.as_str()).collect();
            let (statuses, about) = (statuses.join(", "), conflict.about.join(", "));
            warn!(resource.id = %id, statuses, about, "{id} has conflicting statements ({statuses}; about: {about}); it needs review");
        }
        outcome.into_resource()
    });
    if resource.version() == read_version {
        let statements = group.facts.len();
        info!(resource.id = %id, statements, "{id} unchanged: its {statements} statements add no fact");
        return None;
    }
    let (resource, claim) = resource.claiming(group.claimed.as_ref(), read_version);
    Some(Fold { id, group, write: Write { resource, read_version, claim } })
}
