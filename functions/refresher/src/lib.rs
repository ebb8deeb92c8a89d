//! Keeps key sets fresh: fetch, check, store. An unfit set is refused and the last good one stays.

mod handler;

pub use handler::{NotRefreshed, Refresher};
