//! Deposits as webhooks report them, as the provider lists them, and as they are recorded.

use fundhook_domain::{Resource, Statement, TransferDetails};

pub(crate) use crate::support::deposits::{id, recorded, row, sent};
use crate::support::with;

/// The row that lists `of` as confirmed, with its details changed by `change`.
pub(crate) fn row_with(of: &str, change: impl FnOnce(&mut TransferDetails)) -> Statement {
    with(row(of, "confirmed", 40), change)
}

/// The deposit `of` as recorded after the webhook that it reached the status called `name`.
pub(crate) fn recorded_as(of: &str, name: &str) -> Resource {
    recorded([&sent(of, name, 40)])
}
