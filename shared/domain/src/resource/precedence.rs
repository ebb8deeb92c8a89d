//! The order in which statements supersede each other.

use std::collections::BTreeMap;

use super::recorded::Recorded;
use super::statement::{Reading, StatementContent};
use super::view::HistoryEntry;
use crate::{DecidedBy, FactId, HoldForce, HoldReason, Status, StatusRule, Timestamp};

/// The order in which statements supersede each other: the greatest one supersedes all others.
///
/// For a kind with a lifecycle, the status comes first, and the provider's dates only decide between equal statuses:
/// many of them cannot be trusted. Of equal statuses, what the provider sent supersedes what it lists, except where it
/// states why it holds the deposit: there the dates decide first, to the second, and of one second the graver reason.
/// For a kind without an end, the provider's dates come first. Equal dates are settled by the graver status, and then by
/// receipt: the last one received supersedes the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Precedence {
    /// Statuses of a lifecycle: whether there is one, whether it is final, and its rank.
    progress: (bool, bool, u8),
    /// Of holds: what they mean for the statements beside them.
    force: Option<HoldForce>,
    /// A credit that a setting decided is superseded by one that follows from numbers.
    decided_by: DecidedBy,
    /// Of holds whose reason the provider states: when it last did, and the graver of two reasons of one second. So a
    /// delayed webhook about an earlier reason does not supersede a listed row about a later one.
    stated: Option<(Timestamp, HoldReason)>,
    /// Whether the provider sent the statement itself, rather than listing it.
    was_sent: bool,
    /// When it happened, according to the provider.
    pub(super) occurred_at: Timestamp,
    /// The graver of two statuses, and of two holds.
    gravity: (Option<Status>, Option<HoldReason>),
    /// When Fundhook first received these bytes, or others with the same content.
    received_at: Timestamp,
}

impl Precedence {
    /// The precedence of a recorded statement that was first received at `received_at`.
    pub(super) fn of(
        rule: StatusRule,
        statement: &StatementContent,
        recorded: &Recorded<'_>,
        received_at: Timestamp,
    ) -> Self {
        let (status, hold) = (statement.status, statement.hold());
        let has_lifecycle = rule == StatusRule::Furthest;
        let occurred_at = recorded.occurred_at(statement);
        Self {
            progress: match status {
                Some(status) if has_lifecycle => (true, status.is_final(), status.rank()),
                Some(_) | None => (false, false, 0),
            },
            force: hold.map(HoldReason::force).filter(|_| has_lifecycle),
            // What is not a credit was not decided by a setting. So a credit does not supersede a failure by being one.
            decided_by: statement.details.credit().map_or(DecidedBy::Numbers, |credit| credit.decided_by),
            stated: hold.filter(|_| has_lifecycle).and_then(|reason| Some((recorded.last_stated(reason)?, reason))),
            was_sent: has_lifecycle && !statement.evidence.is_from_api(),
            occurred_at,
            gravity: (status.filter(|_| rule != StatusRule::Latest), hold),
            received_at,
        }
    }
}

/// A statement at its place in the order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    pub(super) statement: &'a StatementContent,
    pub(super) precedence: Precedence,
}

/// The statements that count, each before those that supersede it.
pub(super) fn in_order<'a>(rule: StatusRule, recorded: &Recorded<'a>) -> Vec<Placed<'a>> {
    let placed = recorded.standing().map(|statement| {
        let received_at = recorded.first(statement, |evidence| evidence.received_at);
        let precedence = Precedence::of(rule, statement, recorded, received_at);
        Placed { statement, precedence }
    });
    let mut placed: Vec<Placed<'_>> = placed.collect();
    placed
        .sort_by(|a, b| a.precedence.cmp(&b.precedence).then_with(|| content(a.statement).cmp(&content(b.statement))));
    placed
}

/// What makes the order of statements total, when everything that matters is equal. The content comes before the id, so
/// that statements with the same content are next to each other, whatever their bytes.
fn content(statement: &StatementContent) -> (Option<Status>, String, String, FactId, Reading) {
    let details = serde_json::to_string(&statement.details).unwrap_or_default();
    (statement.status, statement.event_type.clone(), details, statement.id.clone(), statement.reading.clone())
}

/// Every different statement, in this order.
pub(super) fn history(placed: &[Placed<'_>]) -> Vec<HistoryEntry> {
    let mut known: BTreeMap<(Option<Status>, Timestamp, &str), Vec<&StatementContent>> = BTreeMap::new();
    let mut history = Vec::new();
    for Placed { statement, precedence } in placed {
        let (status, occurred_at) = (statement.status, precedence.occurred_at);
        let alike = known.entry((status, occurred_at, &statement.event_type)).or_default();
        if alike.iter().any(|known| known.has_same_content_as(statement)) {
            continue;
        }
        alike.push(statement);
        let status = status.map(|status| status.as_str().to_owned());
        let event_type = statement.event_type.clone();
        history.push(HistoryEntry { status, hold: statement.hold(), occurred_at, event_type });
    }
    history
}
