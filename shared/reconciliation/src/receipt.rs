//! The proof that a movement of money was published.

use fundhook_domain::{DepositStatus, Event, Kind, ResourceId, Status, Timestamp, WithdrawalStatus};
use serde::{Deserialize, Serialize};

use crate::moved::{Moved, moved_by_event, moved_by_postings};

/// Records what the topic accepted about a resource: what its latest event said that was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The deposit or withdrawal.
    pub resource: ResourceId,
    /// The event's id.
    pub event: String,
    /// What the event said that the resource moved; empty if it said that what was published before no longer counts.
    pub moved: Vec<Moved>,
    /// What the postings of its events up to this one add up to.
    pub posted: Vec<Moved>,
    /// When the topic accepted it.
    pub published_at: Timestamp,
}

impl Receipt {
    /// The number of the event among those of its resource.
    pub fn sequence(&self) -> u64 {
        self.event.rsplit('#').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

/// The receipt to store once the topic has accepted `event`: of one that says that money arrived or left, or that such a
/// statement no longer counts, or that changes what is booked of it. `None` for every other event.
pub fn receipt_of(event: &Event, published_at: Timestamp) -> Option<Receipt> {
    let kind: Kind = event.data.kind.parse().ok()?;
    if !matches!(kind, Kind::Deposit | Kind::Withdrawal) {
        return None;
    }
    let says = event.event_type.rsplit('.').next()?;
    let ends = [
        Status::Deposit(DepositStatus::Confirmed),
        Status::Deposit(DepositStatus::Unexpected),
        Status::Deposit(DepositStatus::Reversed),
        Status::Withdrawal(WithdrawalStatus::Confirmed),
        Status::Withdrawal(WithdrawalStatus::Returned),
    ];
    let is_end = ends.iter().any(|status| status.as_str() == says) || matches!(says, "conflicting" | "duplicate");
    let moved = moved_by_event(event);
    let changes_books = !event.data.postings.is_empty() && !moved.is_empty();
    (is_end || changes_books).then(|| Receipt {
        resource: event.data.resource.clone(),
        event: event.id.clone(),
        posted: moved_by_postings(event),
        moved,
        published_at,
    })
}
