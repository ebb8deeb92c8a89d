//! Postings: what an event books, as balanced lines of double-entry bookkeeping.
//!
//! The books are the platform's. As in cala, each line has a ledger account and a direction, debit or credit, and a value
//! above zero. A debit raises what the platform has (`provider`), and a credit raises what it owes (`customer`, `held`,
//! `returns`).
//!
//! Guarantees:
//!
//! - What a resource books is a function of its view. An event's postings are the difference between what the view books
//!   after the event and before it. So the postings of all events of a resource add up to what its view books, in whatever
//!   order its webhooks arrived.
//! - The lines of each event balance: for each asset, debits equal credits.
//! - No customer is credited with what is held or in conflict.

mod books;
mod deposit;
mod outgoing;

pub use books::{Books, Direction, LedgerAccount, Posting};

use crate::{Details, Kind, ResourceId, View};

impl View {
    /// What the view of the resource `id` books.
    ///
    /// Deposits, withdrawals, fees and exchanges book, each its own part. A recovery is a view over deposits and withdrawals
    /// and books nothing, nor does a balance. What another resource counts in place of books nothing.
    pub fn books(&self, id: &ResourceId) -> Books {
        let Details::Transfer(transfer) = &self.details else {
            return Books::default();
        };
        if self.duplicate_of.is_some() || self.booked_by.is_some() {
            return Books::default();
        }
        let books = match id.kind() {
            Kind::Deposit => deposit::books(self, transfer, id.feed()),
            Kind::Withdrawal => outgoing::withdrawal(self, transfer, id.feed()),
            Kind::Fee => outgoing::fee(self, transfer, id.feed()),
            Kind::Exchange => outgoing::exchange(self, transfer, id.feed()),
            Kind::Recovery | Kind::Participant | Kind::ExternalAccount | Kind::Balance | Kind::Unrecognized => None,
        };
        books.unwrap_or_default()
    }
}
