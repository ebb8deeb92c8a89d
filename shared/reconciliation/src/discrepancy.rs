//! The ways in which recorded and listed deposits differ.

use std::fmt;

use fundhook_domain::{DepositStatus, FactId, ResourceId, Statement, Status};

use crate::ambiguity::Ambiguity;
use crate::coin::is_about;
use crate::credit::is_credit;
use crate::movements::{Movement, Unrecorded};

/// The member that names a difference of status.
pub(crate) const STATUS: &str = "status";

/// A difference between what is recorded and what the provider lists.
#[derive(Clone, Debug, PartialEq)]
pub enum Discrepancy {
    /// The provider lists it, and nothing is recorded: its webhooks were missed.
    Missing {
        /// What the provider's list says.
        theirs: Statement,
    },
    /// The provider lists a further status than the recorded one: the latest webhook was missed.
    Behind {
        /// The recorded resource.
        ours: ResourceId,
        /// What the provider's list says.
        theirs: Statement,
    },
    /// The provider lists it with a fee or a transaction that no webhook stated.
    Incomplete {
        /// The recorded resource.
        ours: ResourceId,
        /// What the provider's list says.
        theirs: Statement,
    },
    /// The provider lists a status that it had before and that no webhook reported.
    StatusMissed {
        /// The recorded resource.
        ours: ResourceId,
        /// What the provider's list says about that status.
        theirs: Statement,
    },
    /// The provider's list contradicts its webhooks: it needs review.
    Differs {
        /// The recorded resource.
        ours: ResourceId,
        /// What the provider's list says.
        theirs: Statement,
        /// What differs: `status`, `amount`, `asset`, `network`, `transaction`, `account`.
        members: Vec<&'static str>,
    },
    /// The provider lists it as confirmed, and it may already be credited under another id: it needs review, because a
    /// coin must not be credited twice.
    Ambiguous {
        /// What the provider's list says.
        theirs: Statement,
        /// Why it may already be credited.
        reason: Ambiguity,
    },
    /// It is recorded as confirmed, and the provider does not list it.
    UnknownToTheProvider {
        /// The recorded resource.
        ours: ResourceId,
    },
    /// It is credited, and so is a deposit of the organization's other feed that may be the same coin: it needs review.
    CreditedTwice {
        /// The recorded resource.
        ours: ResourceId,
        /// The other feed's deposit.
        other: ResourceId,
    },
    /// A balance moved by a deposit or a withdrawal that is not recorded, or is recorded as if nothing had moved: it needs
    /// review.
    UnrecordedMovement {
        /// The movement.
        movement: Movement,
        /// How it lacks what it names.
        lacks: Unrecorded,
    },
}

impl Discrepancy {
    /// The name of [`Self::UnrecordedMovement`].
    pub const UNRECORDED_MOVEMENT: &str = "unrecorded_movement";

    /// Its name in metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Behind { .. } => "behind",
            Self::Incomplete { .. } => "incomplete",
            Self::StatusMissed { .. } => "status_missed",
            Self::Differs { .. } => "differs",
            Self::Ambiguous { .. } => "ambiguous",
            Self::UnknownToTheProvider { .. } => "unknown_to_the_provider",
            Self::CreditedTwice { .. } => "credited_twice",
            Self::UnrecordedMovement { .. } => Self::UNRECORDED_MOVEMENT,
        }
    }

    /// The resource that it is about.
    pub fn resource(&self) -> &ResourceId {
        match self {
            Self::Missing { theirs } | Self::Ambiguous { theirs, .. } => &theirs.resource,
            Self::Behind { ours, .. }
            | Self::Incomplete { ours, .. }
            | Self::StatusMissed { ours, .. }
            | Self::Differs { ours, .. }
            | Self::UnknownToTheProvider { ours }
            | Self::CreditedTwice { ours, .. } => ours,
            Self::UnrecordedMovement { movement, .. } => &movement.cause,
        }
    }

    /// The listed row to queue as if it were a webhook, with the resource that its statement is to be about.
    ///
    /// A missed row is queued. So is a final status that contradicts the recorded one: it becomes `.conflicting`. A row
    /// that differs only in amount or other members is not queued, because it is weaker evidence than the provider's
    /// signed webhook.
    pub fn to_queue(&self) -> Option<(&ResourceId, &FactId)> {
        match self {
            Self::Missing { theirs } => Some((&theirs.resource, &theirs.content.id)),
            Self::Behind { ours, theirs } | Self::Incomplete { ours, theirs } | Self::StatusMissed { ours, theirs } => {
                Some((ours, &theirs.content.id))
            }
            Self::Differs { ours, theirs, members } => {
                let contradicts = members.contains(&STATUS)
                    && theirs.content.status.is_some_and(Status::is_final)
                    && is_about(ours, theirs);
                contradicts.then_some((ours, &theirs.content.id))
            }
            Self::Ambiguous { .. }
            | Self::UnknownToTheProvider { .. }
            | Self::CreditedTwice { .. }
            | Self::UnrecordedMovement { .. } => None,
        }
    }

    /// What the provider's list says, if this is about a row.
    pub(crate) fn theirs(&self) -> Option<&Statement> {
        match self {
            Self::Missing { theirs }
            | Self::Behind { theirs, .. }
            | Self::Incomplete { theirs, .. }
            | Self::StatusMissed { theirs, .. }
            | Self::Differs { theirs, .. }
            | Self::Ambiguous { theirs, .. } => Some(theirs),
            Self::UnknownToTheProvider { .. } | Self::CreditedTwice { .. } | Self::UnrecordedMovement { .. } => None,
        }
    }

    /// The row that would have a deposit credited if it were queued, and must therefore be checked for ambiguity first.
    pub fn would_credit(&self) -> Option<&Statement> {
        match self {
            Self::Missing { theirs } | Self::Behind { theirs, .. } => Some(theirs).filter(|row| is_credit(row)),
            Self::Incomplete { .. }
            | Self::StatusMissed { .. }
            | Self::Differs { .. }
            | Self::Ambiguous { .. }
            | Self::UnknownToTheProvider { .. }
            | Self::CreditedTwice { .. }
            | Self::UnrecordedMovement { .. } => None,
        }
    }
}

fn is_held(status: Status) -> bool {
    status == Status::Deposit(DepositStatus::Held)
}

/// The status of a row, for sentences.
fn listed_status(row: &Statement) -> &'static str {
    row.content.status.map_or("a deposit without a status", Status::as_str)
}

impl fmt::Display for Discrepancy {
    /// One sentence for reports and logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.resource();
        match self {
            Self::Missing { theirs } => write!(f, "{resource} is listed as {} and not recorded", listed_status(theirs)),
            Self::Behind { theirs, .. } => {
                let or_reason = if theirs.content.status.is_some_and(is_held) { " or another reason" } else { "" };
                let listed = listed_status(theirs);
                write!(f, "{resource} is listed as {listed} and recorded with an earlier status{or_reason}")
            }
            Self::Incomplete { theirs, .. } => {
                write!(
                    f,
                    "{resource} is listed as {} with a fee or a transaction that no webhook stated",
                    listed_status(theirs)
                )
            }
            Self::StatusMissed { theirs, .. } => {
                write!(f, "{resource} was {} before, which no webhook reported", listed_status(theirs))
            }
            Self::Differs { theirs, members, .. } => {
                write!(f, "{resource} is listed as {} and differs in: {}", listed_status(theirs), members.join(", "))
            }
            Self::Ambiguous { reason: Ambiguity::Resembles(known), .. } => {
                write!(f, "{resource} is listed and not recorded, and may be {known}")
            }
            Self::Ambiguous { reason: Ambiguity::CoinNotIdentified, .. } => {
                write!(
                    f,
                    "{resource} is listed as confirmed without a transaction hash, so it may be a deposit that the \
                     organization's other feed reported"
                )
            }
            Self::UnknownToTheProvider { .. } => write!(f, "{resource} is recorded as confirmed and not listed"),
            Self::CreditedTwice { other, .. } => {
                write!(f, "{resource} and {other} are both credited and may be the same coin")
            }
            Self::UnrecordedMovement { movement, lacks } => {
                write!(f, "{resource} moved a balance by {movement} (movement {}) and {lacks}", movement.id)
            }
        }
    }
}
