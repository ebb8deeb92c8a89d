//! From a batch of statements to conditional writes.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{
    Claim, CorrelationId, Missing, NewFact, NotRecorded, Recording, Resource, SeveralFamiliesCredit, SimilarDeposits,
    Stored, Timestamp,
};
use fundhook_ports::{Claims, PortError, Resources, Write, WriteOutcome, chain};
use fundhook_runtime::batch::{Failures, messages};
use tracing::{error, info, warn};

use crate::group::{Group, Groups};

/// How often a resource is read, folded and written before its statements go back to the queue.
pub const ATTEMPTS_MAX: u32 = 5;

/// The state updater: the table of resources, and how to wait between attempts.
#[derive(Debug)]
pub struct StateUpdater<R, P> {
    resources: R,
    several: SeveralFamiliesCredit,
    pause: P,
}

impl<R: Resources + Claims, P: AsyncFn(u32)> StateUpdater<R, P> {
    /// A state updater that calls `pause` before it repeats a write that lost: with 1 before the second attempt, and so on.
    pub fn new(resources: R, pause: P) -> Self {
        Self { resources, several: SeveralFamiliesCredit::default(), pause }
    }

    /// In these organizations, deposits that may be one coin are held.
    pub fn where_several_families_credit(self, several: SeveralFamiliesCredit) -> Self {
        Self { several, ..self }
    }

    /// Handles one batch received at `now`. Returns the messages to be delivered again.
    ///
    /// A write loses when another updater wrote something in it since it was read. The statements are then recorded on the
    /// new state and written again. The conditions of the write guarantee that each fact is recorded once, whatever happens
    /// between two calls.
    pub async fn handle(&self, event: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let mut failures = Failures::default();
        let mut pending = grouped(event, &mut failures);
        let mut stored = Stored::remembering(self.several.clone());
        for attempt in 0..ATTEMPTS_MAX {
            if pending.is_empty() {
                break;
            }
            if attempt > 0 {
                (self.pause)(attempt).await;
            }
            pending = self.attempt(pending, &mut stored, now, &mut failures).await;
        }
        for group in pending.sorted() {
            let id = group.described();
            warn!(
                resource.id = id,
                correlation_ids = webhooks([&group]),
                attempts = ATTEMPTS_MAX,
                "{id} was changed by other writers in {ATTEMPTS_MAX} attempts; its messages will be delivered again"
            );
            group.fail(&mut failures);
        }
        failures.into_response()
    }

    /// Reads, records and writes once. Returns the groups whose writes lost and must be repeated.
    async fn attempt(&self, groups: Groups, stored: &mut Stored, now: Timestamp, failures: &mut Failures) -> Groups {
        let (groups, writes) = match self.recorded(groups, stored, failures).await {
            Ok(recorded) => recorded,
            Err((groups, error)) => {
                let (error, resources) = (chain(&error), groups.len());
                let ids: Vec<String> = groups.iter().map(Group::described).collect();
                let ids = ids.join(", ");
                warn!(
                    error,
                    resources,
                    resource.ids = ids,
                    correlation_ids = webhooks(&groups),
                    "could not read {ids}; their messages will be delivered again: {error}"
                );
                groups.iter().for_each(|group| group.fail(failures));
                return Groups::default();
            }
        };
        if writes.is_empty() {
            return Groups::default();
        }
        let outcomes = self.resources.write(writes.iter().map(|(_, write)| write.clone()).collect(), now).await;

        let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
        let mut lost = Groups::default();
        let mut outcomes = outcomes.into_iter();
        for (numbers, write) in writes {
            let of_write = || numbers.iter().filter_map(|number| groups.get(*number).and_then(Option::as_ref));
            let ids: Vec<String> = write.resources.iter().map(|resource| resource.item.id().to_string()).collect();
            let (ids, correlation_ids) = (ids.join(", "), webhooks(of_write()));
            // A write without an outcome may not have been stored.
            let Some(outcome) = outcomes.next() else {
                error!(
                    resource.id = ids,
                    correlation_ids,
                    "the table returned no outcome for the write of {ids}; its messages will be delivered again"
                );
                of_write().for_each(|group| group.fail(failures));
                continue;
            };
            match outcome {
                WriteOutcome::Written => written(&write, &correlation_ids),
                WriteOutcome::Lost(current) => {
                    stored.forget(&write);
                    current.into_iter().for_each(|current| stored.know(current));
                    for number in numbers {
                        groups.get_mut(number).and_then(Option::take).into_iter().for_each(|group| lost.add(group));
                    }
                }
                WriteOutcome::Failed(error) => {
                    let (disposition, error) = (error.disposition(), chain(&error));
                    error!(
                        resource.id = ids,
                        correlation_ids,
                        error,
                        ?disposition,
                        "{ids} could not be written; its messages will be delivered again: {error}"
                    );
                    of_write().for_each(|group| group.fail(failures));
                }
            }
        }
        lost
    }

    /// Records the facts of `groups` on what is stored, and reads what that needs: usually in one call, and in two when a
    /// coin is claimed. Returns the groups, and the writes with the numbers of the groups that they are for.
    async fn recorded(
        &self,
        mut groups: Groups,
        stored: &mut Stored,
        failures: &mut Failures,
    ) -> Result<(Vec<Group>, Vec<(Vec<usize>, Write)>), (Vec<Group>, PortError)> {
        loop {
            groups.join(stored);
            let sorted = groups.sorted();
            let mut recording = Recording::on(stored);
            let (mut missing, mut without_owner) = (Missing::default(), Vec::new());
            for (number, group) in sorted.iter().enumerate() {
                match recording.record(number, group.facts()) {
                    Ok(()) => {}
                    Err(NotRecorded::Missing(some)) => missing.extend(some),
                    Err(NotRecorded::NoOwner) => without_owner.push(group),
                }
            }
            if missing.is_empty() {
                without_owner.into_iter().for_each(|group| fail_without_owner(group, failures));
                log_conflicts(&recording, &sorted);
                let writes = recording.into_writes();
                log_unchanged(&sorted, &writes);
                return Ok((sorted, writes));
            }
            if let Err(error) = self.read(missing, stored).await {
                return Err((sorted, error));
            }
            groups = Groups::of(sorted);
        }
    }

    async fn read(&self, missing: Missing, stored: &mut Stored) -> Result<(), PortError> {
        let ids = Vec::from_iter(missing.resources);
        if !ids.is_empty() {
            let read = self.resources.read(&ids).await?;
            ids.into_iter().map(Resource::unknown).chain(read).for_each(|resource| stored.know(resource));
        }
        let keys = Vec::from_iter(missing.claims);
        if !keys.is_empty() {
            let read = self.resources.claims(&keys).await?;
            keys.into_iter().map(Claim::unclaimed).chain(read).for_each(|claim| stored.know_claim(claim));
        }
        let keys = Vec::from_iter(missing.similar);
        if !keys.is_empty() {
            let read = self.resources.similar(&keys).await?;
            keys.into_iter().map(SimilarDeposits::none).chain(read).for_each(|similar| stored.know_similar(similar));
        }
        Ok(())
    }
}

/// The ids of the webhooks that `groups` are from, each once.
fn webhooks<'a>(groups: impl IntoIterator<Item = &'a Group>) -> String {
    let ids: BTreeSet<&CorrelationId> = groups.into_iter().flat_map(Group::correlation_ids).collect();
    ids.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn written(write: &Write, correlation_ids: &str) {
    for resource in &write.resources {
        let (id, version) = (resource.item.id(), resource.item.version());
        info!(resource.id = %id, resource.version = version, correlation_ids, "{id} written at version {version}");
        let Some(owner) = resource.item.second_name_of() else {
            continue;
        };
        info!(
            resource.id = %owner, name = %id, correlation_ids,
            "{owner} is also named {id}; its facts are recorded under {owner}"
        );
    }
}

fn log_conflicts(recording: &Recording<'_>, groups: &[Group]) {
    for id in recording.conflicting() {
        let Some(conflict) = recording.changed(id).and_then(|resource| resource.view()?.conflict.clone()) else {
            continue;
        };
        let statuses: Vec<&str> = conflict.statuses.iter().map(|status| status.as_str()).collect();
        let with: Vec<String> = conflict.with.iter().map(ToString::to_string).collect();
        let (statuses, about, with) = (statuses.join(", "), conflict.about.join(", "), with.join(", "));
        let among = if with.is_empty() { String::new() } else { format!("; with: {with}") };
        // A statement about another resource may have caused it.
        let own = groups.iter().filter(|group| group.is_about(id));
        let correlation_ids = Some(webhooks(own)).filter(|own| !own.is_empty()).unwrap_or_else(|| webhooks(groups));
        warn!(
            resource.id = %id, statuses, about, with, correlation_ids,
            "{id} has conflicting statements ({statuses}; about: {about}{among}); it needs review"
        );
    }
}

fn log_unchanged(groups: &[Group], writes: &[(Vec<usize>, Write)]) {
    let is_written = |number: &usize| writes.iter().any(|(numbers, _)| numbers.contains(number));
    for (_, group) in groups.iter().enumerate().filter(|(number, _)| !is_written(number)) {
        let (id, statements, correlation_ids) = (group.described(), group.facts().len(), webhooks([group]));
        info!(resource.id = id, statements, correlation_ids, "{id} unchanged: its {statements} statements add no fact");
    }
}

fn fail_without_owner(group: &Group, failures: &mut Failures) {
    let (names, correlation_ids) = (group.described(), webhooks([group]));
    error!(
        resource.ids = names,
        correlation_ids, "{names}: none of these names has the facts; their messages will be delivered again"
    );
    group.fail(failures);
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
