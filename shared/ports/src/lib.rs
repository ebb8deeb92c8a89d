//! What the use cases ask of the world outside, in the domain's words: one trait for each thing that is asked.
//!
//! Adapters answer with AWS and HTTP, tests with the in-memory fakes of the module `fakes` (feature `fakes`). No type of an SDK
//! appears here.

mod credentials;
mod error;
#[cfg(feature = "fakes")]
pub mod fakes;
mod messages;
mod reconciliation;
mod resources;

pub use credentials::{
    AccessTokens, BACK_OFF_MAX, CLOCK_SKEW_MAX, FetchKeySet, FetchedKeySet, GrantedToken, KeySets, Lease, ReadSecret,
    RequestToken, StoredKeySet, StoredToken,
};
pub use error::{Disposition, PortError, chain};
pub use messages::{Archive, PublishEvents, SendMessage, SendMessages};
pub use reconciliation::{
    AccountResources, Advance, Claims, IndexEntry, IndexPage, ListError, ListPage, ListQuery, ListTransactions,
    OpenQuery, OpenResources, Receipts, Reports, SettledDeposits, Watermarks,
};
pub use resources::{Resources, Write, WriteOutcome};
