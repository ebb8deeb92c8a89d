//! Renews key sets and access tokens before they expire, and checks that zerohash's API accepts calls. An invalid key set is
//! rejected, and the last good one stays in use.

mod api_access;
mod handler;

pub use api_access::{ApiCheck, CheckedApi, InvalidZerohashSettings};
pub use handler::{RefreshError, Refresher, Tokens};
