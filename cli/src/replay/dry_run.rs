//! What a replay would change, found in memory.

use fundhook_domain::{
    Fact, FactContent, HoldReason, NewFact, Resource, ResourceId, SeveralFamiliesCredit, StatementContent, Status,
    View, Write, events_after,
};
use fundhook_ports::{Claims, Disposition, PortError, Resources, chain};
use serde::Serialize;

use crate::rehearsal::{Rehearsal, Rehearsed, too_large};

/// Envelopes that are read and recorded in memory.
#[derive(Debug)]
pub struct DryRun<R> {
    rehearsal: Rehearsal<R>,
    counts: Counts,
    /// What could not be recorded, and why.
    refused: Vec<String>,
    torn: Vec<String>,
}

/// How many statements do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// They are recorded already, or are older than everything that is kept.
    pub known: usize,
    /// They would be recorded for the first time.
    pub new: usize,
    /// They are recorded, and read differently today.
    pub restated: usize,
}

/// A resource that a replay would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedResource {
    pub resource: ResourceId,
    /// What is recorded.
    pub from: ResourceState,
    /// What would be recorded after the replay.
    pub to: ResourceState,
    /// How many facts would be recorded on it.
    pub facts: u64,
    /// The events that would be published about it.
    pub events: Vec<String>,
    /// Whether it would need a person's review, and does not now.
    pub needs_review: bool,
}

/// What a resource says, as far as a person decides by it whether to replay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResourceState {
    /// `None` when nothing is recorded, or nothing says a status.
    pub status: Option<&'static str>,
    /// What may be booked for the customer, such as `495 USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<String>,
    /// Why a deposit that is in may not be credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldReason>,
}

impl ResourceState {
    fn of(view: &View) -> Self {
        let net = view.details.credit().map(|credit| format!("{} {}", credit.net.value, credit.net.asset));
        Self { status: view.status.map(Status::as_str), net, hold: view.details.hold().map(|hold| hold.reason) }
    }
}

impl<R: Resources + Claims> DryRun<R> {
    /// A dry run on what is stored in `resources`.
    pub fn on(resources: R, several: SeveralFamiliesCredit) -> Self {
        Self {
            rehearsal: Rehearsal::on(resources, several),
            counts: Counts::default(),
            refused: Vec::new(),
            torn: Vec::new(),
        }
    }

    /// Records the facts of one envelope, in memory. What cannot be recorded is noted, and the others are recorded. Returns
    /// those that add something, each with what it writes.
    pub async fn record<'a>(&mut self, facts: &'a [NewFact]) -> Result<Vec<(&'a NewFact, Write)>, PortError> {
        let mut new = Vec::new();
        for fact in facts {
            let resource = &fact.resource;
            let rehearsed = match self.rehearsal.record(fact).await {
                Ok(rehearsed) => rehearsed,
                Err(error) if error.disposition() == Disposition::DeadLetter => {
                    self.refused.push(format!("{resource}: {}", chain(&error)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            match rehearsed {
                Rehearsed::Unchanged => self.counts.known += 1,
                Rehearsed::NoOwner => self.refused.push(format!("{resource}: every name of it is a second name")),
                Rehearsed::Written(write) => {
                    let too_large = too_large(&write);
                    let is_again = |fact: &NewFact, resource: &Resource| {
                        let recorded = resource.facts().iter().filter_map(Fact::statement);
                        recorded.filter(|known| is_reading_of(known, &fact.content)).count() > 1
                    };
                    let restates = write.resources.iter().any(|written| is_again(fact, &written.item));
                    *(if restates { &mut self.counts.restated } else { &mut self.counts.new }) += 1;
                    match too_large {
                        Some(why) => self.refused.push(format!("{resource}: {why}")),
                        None => new.push((fact, write)),
                    }
                }
            }
        }
        Ok(new)
    }

    /// Notes what is stored about the coins of these facts and was not written together.
    pub async fn check(&mut self, facts: &[NewFact]) -> Result<(), PortError> {
        for fact in facts {
            let torn = self.rehearsal.torn(fact).await?;
            self.torn.extend(torn.into_iter().map(|(claim, resource)| format!("{resource} and the claim on {claim}")));
        }
        Ok(())
    }

    /// Which resources and claims were not written together.
    pub fn torn(&self) -> &[String] {
        &self.torn
    }

    /// How many statements do what.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What could not be recorded, and why.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// The resources that would change, in the order of their ids.
    pub fn changes(&self) -> Vec<ChangedResource> {
        self.rehearsal.changes().map(|(before, after)| changed(before, after)).collect()
    }
}

fn is_reading_of(known: &StatementContent, new: &FactContent) -> bool {
    known.id == *new.id()
}

fn changed(before: &Resource, after: &Resource) -> ChangedResource {
    let (was, is) = (before.view(), after.view());
    let needed = was.as_ref().is_some_and(|view| view.needs_review());
    ChangedResource {
        resource: after.id().clone(),
        from: was.as_deref().map(ResourceState::of).unwrap_or_default(),
        needs_review: !needed && is.as_ref().is_some_and(|view| view.needs_review()),
        to: is.as_deref().map(ResourceState::of).unwrap_or_default(),
        facts: after.version().saturating_sub(before.version()),
        events: events_after(after, before.version()).into_iter().map(|event| event.event_type).collect(),
    }
}
