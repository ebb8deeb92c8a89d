//! The only way a resource changes.

use crate::{Course, Fact, Ownership, Resource, ResourceId, Signal, Status, View};

/// What folding a signal into a resource came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A new fact was recorded.
    Recorded {
        /// The resource with it.
        resource: Resource,
        /// What a subscriber sees differently; `None` when the fact repeats a statement in other bytes.
        change: Option<Change>,
    },
    /// The same fact is recorded already: there is nothing to write.
    AlreadyKnown {
        /// The resource, as it was.
        resource: Resource,
    },
    /// There is nothing to write: the fact is older than all that are kept of a resource without an end, or it is a notice
    /// that the resource is overdue, which has moved on since.
    Stale {
        /// The resource, as it was.
        resource: Resource,
    },
    /// A new fact was recorded, and final statuses contradict: a person must look.
    Conflicting {
        /// The resource with it.
        resource: Resource,
        /// The final statuses that exclude each other.
        between: Vec<Status>,
        /// What a subscriber sees differently.
        change: Option<Change>,
    },
}

/// What a subscriber sees differently after a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The status moved forward.
    Status {
        /// From which; `None` at the first fact.
        from: Option<Status>,
        /// To which.
        to: Status,
    },
    /// The status stands, and the history or the details grew.
    Updated {
        /// Whether the fact came after one that stands over it.
        late: bool,
    },
    /// The deposit is confirmed, and its coin is credited under another one.
    Duplicate {
        /// Under which.
        of: ResourceId,
    },
    /// No further statement came for too long.
    Overdue,
    /// A final status came to contradict another.
    Conflicting {
        /// All that contradict each other by now.
        between: Vec<Status>,
    },
}

impl Outcome {
    /// The resource after the fold.
    pub fn into_resource(self) -> Resource {
        match self {
            Self::Recorded { resource, .. }
            | Self::AlreadyKnown { resource }
            | Self::Stale { resource }
            | Self::Conflicting { resource, .. } => resource,
        }
    }
}

/// Records `signal` on `resource`, which must be the resource it speaks of.
///
/// Pure and total. The view of the result is a function of the set of facts, so folding the same signals in any order,
/// any number of times, gives equal views and equal sets of event ids.
pub fn fold(mut resource: Resource, signal: Signal) -> Outcome {
    if resource.facts().iter().any(|fact| fact.id == signal.fact) {
        return Outcome::AlreadyKnown { resource };
    }
    if signal.overdue && !is_due(&resource, &signal) {
        return Outcome::Stale { resource };
    }
    if resource.has_let_go_of(signal.occurred_at, &signal.fact) {
        return Outcome::Stale { resource };
    }
    let before = resource.view();
    resource.record(signal);
    let Some(after) = resource.view() else {
        return Outcome::AlreadyKnown { resource };
    };
    let change = change(&resource, before.as_ref(), &after);
    if after.conflicting.is_empty() {
        Outcome::Recorded { resource, change }
    } else {
        Outcome::Conflicting { resource, between: after.conflicting, change }
    }
}

/// Whether a notice that a further statement is overdue is about where the resource still stands.
fn is_due(resource: &Resource, notice: &Signal) -> bool {
    let standing = resource.standing().filter(|standing| standing.status.is_awaited());
    standing.is_some_and(|standing| standing.overdue_notice(resource.id()) == notice.fact)
}

/// What the last recorded fact of `resource` changed, given the views before and after it.
pub(crate) fn change(resource: &Resource, before: Option<&View>, after: &View) -> Option<Change> {
    let last = resource.facts().last().filter(|fact| !fact.repeats)?;
    if last.overdue {
        return Some(Change::Overdue);
    }
    if !after.conflicting.is_empty() && before.is_some_and(|before| after.conflicting != before.conflicting) {
        return Some(Change::Conflicting { between: after.conflicting.clone() });
    }
    let was_creditable = before.is_some_and(View::is_confirmed_deposit);
    let duplicate = match resource.ownership() {
        Ownership::DuplicateOf { owner, after: known } => {
            // Either it becomes creditable here, or what shows it to be a duplicate became known only after it did: then
            // the first statement since says so, and not a repetition before it, which publishes nothing.
            let is_statement = |fact: &&Fact| fact.version > *known && !fact.repeats && !fact.overdue;
            let since = resource.facts().iter().filter(is_statement).count();
            let is_news = !was_creditable || since == 1;
            (after.is_confirmed_deposit() && last.version > *known && is_news).then(|| owner.clone())
        }
        Ownership::Unclaimed | Ownership::Owner => None,
    };
    let status_before = before.map(|before| before.status);
    // A balance has one status, and it is a happening: each time it changes, it is reached again.
    let happens_again = after.status == Status::Balance && after.fact == last.id;
    Some(if let Some(of) = duplicate {
        Change::Duplicate { of }
    } else if status_before != Some(after.status) || happens_again {
        Change::Status { from: status_before, to: after.status }
    } else {
        // A sum has no fact that stands over the others.
        Change::Updated { late: after.fact != last.id && resource.id().kind().course() != Course::Sum }
    })
}
