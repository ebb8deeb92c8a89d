//! From a batch of statements to conditional writes.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{NewFact, Resource, ResourceId, Timestamp};
use fundhook_ports::{PortError, Resources, Write, WriteOutcome, chain};
use fundhook_runtime::batch::{Failures, messages};
use tracing::{error, info, warn};

use crate::group::{Group, Groups};

/// How often a resource is read, folded and written before its statements go back to the queue.
pub const ATTEMPTS_MAX: u32 = 5;

/// The state updater: the table of resources, and how to wait between attempts.
#[derive(Debug)]
pub struct StateUpdater<R, P> {
    resources: R,
    pause: P,
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
        for group in pending {
            let id = group.described();
            warn!(
                resource.id = id,
                attempts = ATTEMPTS_MAX,
                "{id} was changed by other writers in {ATTEMPTS_MAX} attempts; its messages will be delivered again"
            );
            group.fail(&mut failures);
        }
        failures.into_response()
    }

    /// Reads, folds and writes once. Returns the groups whose writes lost and must be repeated.
    async fn attempt(&self, mut groups: Groups, now: Timestamp, failures: &mut Failures) -> Groups {
        if let Err(error) = self.read(&mut groups).await {
            let (error, resources) = (chain(&error), groups.len());
            let ids: Vec<String> = groups.names().into_iter().map(ToString::to_string).collect();
            let ids = ids.join(", ");
            warn!(
                error,
                resources,
                resource.ids = ids,
                "could not read {ids}; their messages will be delivered again: {error}"
            );
            groups.into_iter().for_each(|group| group.fail(failures));
            return Groups::default();
        }
        let folds = groups.into_iter().filter_map(|group| group.folded(failures).map(|write| (group, write)));
        let folds: Vec<(Group, Write)> = folds.collect();
        if folds.is_empty() {
            return Groups::default();
        }
        let outcomes = self.resources.write(folds.iter().map(|(_, write)| write.clone()).collect(), now).await;

        let mut lost = Groups::default();
        let mut outcomes = outcomes.into_iter();
        for (mut group, write) in folds {
            let id = write.resource.id();
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
                    group.forget(&write, current);
                    lost.add(group);
                }
                WriteOutcome::Claimed(taken) => {
                    let owner = &taken.owner;
                    info!(resource.id = %id, %owner, "coin of {id} is already claimed by {owner}; recording a duplicate if it is the same coin");
                    group.claimed_by(taken);
                    lost.add(group);
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

    /// Reads what is not yet known, in one call. Another call follows only for what second names lead to.
    async fn read(&self, groups: &mut Groups) -> Result<(), PortError> {
        loop {
            let ids: Vec<ResourceId> = groups.unread();
            if ids.is_empty() {
                return Ok(());
            }
            let read = self.resources.read(&ids).await?;
            let unknown = ids.into_iter().map(Resource::unknown);
            unknown.chain(read).for_each(|resource| groups.know(resource));
        }
    }
}

/// Groups the statements of a batch by resource. A message that is not a statement fails.
fn grouped(event: SqsEvent, failures: &mut Failures) -> Groups {
    let mut groups = Groups::default();
    for message in messages(event) {
        match NewFact::from_message(&message.body) {
            Ok(fact) => groups.add_fact(message.id, fact),
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
