//! Keeps key sets and access tokens fresh, each on its own timetable: fetch, check, store. What is unfit is refused and the
//! last good one stays.

mod handler;

pub use handler::{RefreshError, Refresher, Tokens};
