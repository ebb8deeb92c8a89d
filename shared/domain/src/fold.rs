//! The only way a resource changes.

use crate::{Resource, Signal, Status, View};

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
            Self::Recorded { resource, .. } | Self::AlreadyKnown { resource } | Self::Conflicting { resource, .. } => {
                resource
            }
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
    let before = resource.view();
    resource.record(signal.into());
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

/// What the last recorded fact of `resource` changed, given the views before and after it.
pub(crate) fn change(resource: &Resource, before: Option<&View>, after: &View) -> Option<Change> {
    let last = resource.facts().len().checked_sub(1)?;
    if !resource.is_new_statement(last) {
        return None;
    }
    let Some(before) = before else {
        return Some(Change::Status { from: None, to: after.status });
    };
    Some(if after.conflicting != before.conflicting {
        Change::Conflicting { between: after.conflicting.clone() }
    } else if after.status != before.status {
        Change::Status { from: Some(before.status), to: after.status }
    } else {
        Change::Updated { late: after.fact != resource.facts()[last].id }
    })
}
