//! Folding: the only way a resource changes.

use super::fact::FactContent;
use super::state::Resource;
use super::view::{Conflict, View, is_superseded};
use crate::{Ownership, ResourceId, Status, StatusRule};

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
/// order, any number of times, gives equal views and equal sets of event ids.
pub fn fold(mut resource: Resource, content: impl Into<FactContent>) -> Outcome {
    let content = content.into();
    if resource.knows(&content) {
        return Outcome::AlreadyKnown { resource };
    }
    let is_stale = match &content {
        FactContent::Statement(_) => resource.has_evicted(&content),
        FactContent::Overdue(notice) => !resource.is_notice_current(notice),
        FactContent::SecondName(_) => resource.second_name_of().is_some(),
    };
    if is_stale {
        return Outcome::Stale { resource };
    }
    let before = resource.view();
    resource.record(content);
    // A resource without statements has no view.
    let Some(after) = resource.view() else {
        return Outcome::Recorded { resource, change: None };
    };
    let change = change(&resource, before.as_ref(), &after);
    match after.conflict {
        None => Outcome::Recorded { resource, change },
        Some(conflict) => Outcome::Conflicting { resource, conflict, change },
    }
}

/// What the last fact of `resource` changed, given the views before and after it.
pub(crate) fn change(resource: &Resource, before: Option<&View>, after: &View) -> Option<Change> {
    let last = resource.facts().last().filter(|fact| !fact.repeats)?;
    let statement = match &last.content {
        FactContent::Statement(statement) => statement,
        FactContent::Overdue(_) => return Some(Change::Overdue),
        FactContent::SecondName(second_name) => return Some(Change::Duplicate { of: second_name.owner.clone() }),
    };
    let from = before.and_then(|before| before.status);
    // A balance has a single status, which means that it changed: each newer balance reaches it again.
    let reached_again = after.status == Some(Status::Balance) && after.fact == statement.id;
    // A subscriber that books must see another credit, another hold or the end of a conflict as it sees a status.
    let booked_differently = before.is_some_and(|before| {
        let money = |view: &View| (view.details.credit().cloned(), view.details.hold().map(|hold| hold.reason));
        money(before) != money(after) || before.conflict.is_some() != after.conflict.is_some()
    });
    let is_reached = from != after.status || reached_again || booked_differently;
    // While statements conflict, no event has the type of a status, which a subscriber could book.
    if let Some(conflict) = &after.conflict
        && (is_reached || before.is_none_or(|before| before.conflict.as_ref() != Some(conflict)))
    {
        return Some(Change::Conflicting { between: conflict.statuses.clone() });
    }
    let owner = credited_instead(resource, last.version, after);
    if let Some(of) = owner.filter(|_| announces_duplicate(resource, before)) {
        return Some(Change::Duplicate { of: of.clone() });
    }
    Some(match after.status {
        Some(to) if is_reached && owner.is_none() && after.duplicate_of.is_none() => Change::Status { from, to },
        Some(_) | None => {
            // In a sum, no fact supersedes the others. A statement without a status cannot come too late for one.
            let kind = resource.id().kind();
            let can_be_late = statement.status.is_some() && kind.status_rule() != StatusRule::Sum;
            Change::Updated { late: can_be_late && is_superseded(kind, resource.facts(), statement) }
        }
    })
}

/// The deposit that is credited with the coin of `resource`, when that was known at `version` and `resource` is
/// confirmed.
fn credited_instead<'a>(resource: &'a Resource, version: u64, after: &View) -> Option<&'a ResourceId> {
    match resource.ownership() {
        Ownership::DuplicateOf { owner, after: unknown_at } => {
            (after.is_confirmed_deposit() && version > *unknown_at).then_some(owner)
        }
        Ownership::Unclaimed | Ownership::Owner => None,
    }
}

/// Whether the last fact of `resource`, a duplicate, must announce that it is one.
fn announces_duplicate(resource: &Resource, before: Option<&View>) -> bool {
    let unknown_at = match resource.ownership() {
        Ownership::DuplicateOf { owner: _, after } => *after,
        Ownership::Unclaimed | Ownership::Owner => return false,
    };
    // It is announced either when the deposit becomes creditable, or, when the other deposit became known only later,
    // by the first statement since then. A repetition publishes nothing, so it cannot be the one that announces it.
    let was_creditable = before.is_some_and(View::is_confirmed_deposit);
    let since_known = resource.facts().iter().filter(|fact| fact.version > unknown_at && !fact.repeats);
    let is_first = since_known.filter_map(|fact| fact.statement()).count() == 1;
    !was_creditable || is_first
}
