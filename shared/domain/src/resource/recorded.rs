//! The statements recorded on a resource, found by their ids and by what they say.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::fact::Fact;
use super::statement::StatementContent;
use crate::{FactId, HoldReason, Status, Timestamp};

/// The statements recorded on a resource.
#[derive(Debug)]
pub(super) struct Recorded<'a> {
    statements: Vec<&'a StatementContent>,
    by_id: BTreeMap<&'a FactId, Vec<&'a StatementContent>>,
    /// Statements with the same content are in one entry, among others.
    alike: BTreeMap<Sort<'a>, Vec<&'a StatementContent>>,
    /// The reasons for a hold that the provider states, with the latest second of each.
    reasons: BTreeMap<HoldReason, Timestamp>,
}

/// What statements with the same content have in common: the status, the date if there is one, and the event's name.
type Sort<'a> = (Option<Status>, Option<Timestamp>, &'a str);

fn sort_of(statement: &StatementContent) -> Sort<'_> {
    let date = (!statement.undated).then_some(statement.occurred_at);
    (statement.status, date, &statement.event_type)
}

impl<'a> Recorded<'a> {
    /// The statements among `facts`.
    pub(super) fn among(facts: &'a [Fact]) -> Self {
        let statements: Vec<&StatementContent> = facts.iter().filter_map(Fact::statement).collect();
        let (mut by_id, mut alike) = (BTreeMap::new(), BTreeMap::new());
        for statement in &statements {
            by_id.entry(&statement.id).or_insert_with(Vec::new).push(*statement);
            alike.entry(sort_of(statement)).or_insert_with(Vec::new).push(*statement);
        }
        let mut recorded = Self { statements, by_id, alike, reasons: BTreeMap::new() };
        let stated = |statement: &StatementContent| statement.hold().filter(|reason| reason.is_stated());
        let mut latest: BTreeMap<HoldReason, Timestamp> = BTreeMap::new();
        for (reason, statement) in recorded.standing().filter_map(|statement| Some((stated(statement)?, statement))) {
            let occurred_at = recorded.occurred_at(statement).whole_second();
            latest.entry(reason).and_modify(|latest| *latest = occurred_at.max(*latest)).or_insert(occurred_at);
        }
        recorded.reasons = latest;
        recorded
    }

    /// The second in which the provider last stated this reason for a hold. Webhooks have whole seconds, and rows have
    /// parts of them.
    pub(super) fn last_stated(&self, reason: HoldReason) -> Option<Timestamp> {
        self.reasons.get(&reason).copied()
    }

    /// All of them, in the order in which they were recorded.
    pub(super) fn all(&self) -> &[&'a StatementContent] {
        &self.statements
    }

    /// The statements that count: of several readings of the same bytes, the newest.
    pub(super) fn standing(&self) -> impl Iterator<Item = &'a StatementContent> {
        let is_newest = |statement: &&StatementContent| {
            !self.of_bytes(&statement.id).iter().any(|other| other.reading > statement.reading)
        };
        self.statements.iter().copied().filter(is_newest)
    }

    /// When a statement happened, according to the provider. One without a date happened when it was sent, and of several
    /// copies, when the earliest was.
    pub(super) fn occurred_at(&self, statement: &StatementContent) -> Timestamp {
        if !statement.undated {
            return statement.occurred_at;
        }
        let copies = self.copies(statement).map(|copy| copy.occurred_at);
        copies.min().unwrap_or(statement.occurred_at)
    }

    /// The earliest `time` of `statement` and of its copies. A copy that arrives later publishes no event, so it must not
    /// change how the statement relates to others.
    pub(super) fn first(&self, statement: &StatementContent, time: impl Fn(&Evidence) -> Timestamp) -> Timestamp {
        let copies = self.copies(statement).map(|copy| time(&copy.evidence));
        copies.min().unwrap_or_else(|| time(&statement.evidence))
    }

    fn of_bytes(&self, id: &FactId) -> &[&'a StatementContent] {
        self.by_id.get(id).map_or(&[], Vec::as_slice)
    }

    /// The same bytes, however they were read, and other bytes with the same content.
    fn copies<'b>(&'b self, statement: &'b StatementContent) -> impl Iterator<Item = &'a StatementContent> + 'b {
        let others = self.alike.get(&sort_of(statement)).into_iter().flatten();
        let others = others.filter(|other| other.id != statement.id && other.has_same_content_as(statement));
        self.of_bytes(&statement.id).iter().chain(others).copied()
    }
}
