//! Renews key sets and access tokens before they expire. An invalid key set is rejected, and the last good one stays in use.

mod handler;

pub use handler::{RefreshError, Refresher, Tokens};
