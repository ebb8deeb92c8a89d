//! How far the movements of balances were checked.

use std::future::Future;

use fundhook_reconciliation::MovementsMark;

use crate::{Advance, PortError};

/// The stored mark: how far the movements of all balances were checked.
pub trait MovementsMarks {
    /// The mark; `None` if no movements were checked yet.
    fn movements_mark(&self) -> impl Future<Output = Result<Option<MovementsMark>, PortError>> + Send;

    /// Stores `to` if the stored mark is still the one that was loaded. The revision of `to` must be one above it.
    fn advance_movements_mark(&self, to: &MovementsMark) -> impl Future<Output = Result<Advance, PortError>> + Send;
}
