//! Folding: the only way a resource changes.

use super::fact::FactContent;
use super::state::Resource;
use super::statement::StatementContent;
use super::view::{Conflict, View, is_superseded};
use crate::{ResourceId, Status, StatusRule};

/// The result of folding a statement, a notice or a relation into a resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A new fact was recorded.
    Recorded {
        /// The resource with the new fact.
        resource: Resource,
        /// What a subscriber sees differently; `None` when the fact repeats a statement in other bytes, or relates a
        /// resource without statements.
        change: Option<Change>,
    },
    /// The same fact is recorded already. There is nothing to write.
    AlreadyKnown {
        /// The resource, unchanged.
        resource: Resource,
    },
    /// There is nothing to write: the statement is older than all that are kept of a resource without an end, the
    /// notice is about a status that the resource no longer has, or the resource is a second name already.
    Stale {
        /// The resource, unchanged.
        resource: Resource,
    },
    /// A new fact was recorded, and statements conflict: the resource needs review.
    Conflicting {
        /// The resource with the new fact.
        resource: Resource,
        /// The statements that exclude each other.
        conflict: Conflict,
        /// What a subscriber sees differently.
        change: Option<Change>,
    },
}

/// What a subscriber sees differently after a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The status changed, or what it means for the money: the credit or the hold.
    Status {
        /// The status before; `None` when there was none.
        from: Option<Status>,
        /// The status now.
        to: Status,
    },
    /// The status is the same, and the history or the details grew.
    Updated {
        /// Whether the fact arrived after one that supersedes it.
        late: bool,
    },
    /// Another resource counts in place of this one: the coin of a confirmed deposit is credited under another deposit,
    /// or the resource is a second name.
    Duplicate {
        /// The resource that counts.
        of: ResourceId,
    },
    /// The next statement is overdue.
    Overdue,
    /// More was returned than had arrived.
    Surplus,
    /// Statements exclude each other.
    Conflicting {
        /// Their statuses.
        between: Vec<Status>,
    },
}

impl Outcome {
    /// The resource after folding.
    pub fn into_resource(self) -> Resource {
        match self {
            Self::Recorded { resource, .. }
            | Self::AlreadyKnown { resource }
            | Self::Stale { resource }
            | Self::Conflicting { resource, .. } => resource,
        }
    }
}

/// Records a statement, a notice or a relation about `resource` on it.
///
/// Pure and total. The view of the result is a function of the set of facts. So folding the same statements in any
/// order, any number of times, gives equal views and equal sets of event ids. One exception: of statements about a user or an
/// account with different statuses and the same date, the one received last counts, so a row beside them may be one event more.
pub fn fold(mut resource: Resource, content: impl Into<FactContent>) -> Outcome {
    let content = content.into();
    if resource.knows(&content) {
        return Outcome::AlreadyKnown { resource };
    }
    let is_stale = match &content {
        FactContent::Statement(_) => resource.has_evicted(&content),
        FactContent::Overdue(notice) => !resource.is_notice_current(notice),
        FactContent::SecondName(_) => resource.second_name_of().is_some(),
        FactContent::Relation(_) | FactContent::Decision(_) => false,
    };
    if is_stale {
        return Outcome::Stale { resource };
    }
    let before = resource.published_view();
    resource.record(content);
    // A resource without statements has no view.
    let Some(after) = resource.view() else {
        return Outcome::Recorded { resource, change: None };
    };
    let change = change(&resource, before.as_deref(), &after);
    match after.conflict.clone() {
        None => Outcome::Recorded { resource, change },
        Some(conflict) => Outcome::Conflicting { resource, conflict, change },
    }
}

/// What the last fact of `resource` changed, given the views before and after it.
pub(crate) fn change(resource: &Resource, before: Option<&View>, after: &View) -> Option<Change> {
    let last = resource.facts().last().filter(|fact| !fact.repeats)?;
    match &last.content {
        FactContent::Overdue(_) => return Some(Change::Overdue),
        FactContent::SecondName(second_name) => return Some(Change::Duplicate { of: second_name.owner.clone() }),
        FactContent::Statement(_) | FactContent::Relation(_) | FactContent::Decision(_) => {}
    }
    Some(shown(before, after, last.statement()).unwrap_or_else(|| Change::Updated {
        late: last.statement().is_some_and(|statement| is_late(resource, statement)),
    }))
}

/// What a subscriber must see when the view becomes `after`; `None` when the history or the details grew at most.
///
/// A subscriber that books must see another credit, another hold, the end of a conflict or of a surplus as it sees a
/// status.
pub(crate) fn shown(before: Option<&View>, after: &View, statement: Option<&StatementContent>) -> Option<Change> {
    let from = before.and_then(|before| before.status);
    // A balance has a single status, which means that it changed: each newer balance reaches it again.
    let reached_again =
        after.status == Some(Status::Balance) && statement.is_some_and(|statement| after.fact == statement.id);
    let booked_differently = before.is_some_and(|before| {
        let money = |view: &View| (view.details.credit().cloned(), view.details.hold().map(|hold| hold.reason));
        money(before) != money(after)
            || before.conflict.is_some() != after.conflict.is_some()
            || before.duplicate_of != after.duplicate_of
            || before.surplus != after.surplus
    });
    let surplus_before = before.and_then(|before| before.surplus.as_ref());
    if after.surplus.is_some() && after.surplus.as_ref() != surplus_before {
        return Some(Change::Surplus);
    }
    let is_reached = from != after.status || reached_again || booked_differently;
    let is_another_duplicate = before.is_none_or(|before| {
        before.duplicate_of != after.duplicate_of || before.conflict.is_some() || from != after.status
    });
    // While statements conflict, no event has the type of a status, which a subscriber could book.
    if let Some(conflict) = &after.conflict
        && (is_reached || before.is_none_or(|before| before.conflict.as_ref() != Some(conflict)))
    {
        return Some(Change::Conflicting { between: conflict.statuses.clone() });
    }
    match (after.status, &after.duplicate_of) {
        (_, Some(of)) if is_another_duplicate => Some(Change::Duplicate { of: of.clone() }),
        (Some(to), None) if is_reached => Some(Change::Status { from, to }),
        (Some(_) | None, Some(_) | None) => None,
    }
}

/// Whether the last fact of `resource`, a statement, arrived after one that supersedes it.
fn is_late(resource: &Resource, statement: &StatementContent) -> bool {
    // In a sum, no fact supersedes the others. A statement without a status cannot come too late for one.
    let kind = resource.id().kind();
    let can_be_late = statement.status.is_some() && kind.status_rule() != StatusRule::Sum;
    can_be_late && is_superseded(kind, resource.facts(), statement)
}
