//! The ports: what the functions need of AWS and of the providers, one trait for each, in the domain's words.
//!
//! The crate `fundhook-adapters` implements them with AWS SDKs and HTTP. Tests use the in-memory fakes of the module `fakes`
//! (feature `fakes`). No type of an SDK appears here.

#![warn(missing_docs)]

mod api_access;
mod credentials;
mod error;
#[cfg(feature = "fakes")]
pub mod fakes;
mod messages;
mod movements;
mod operations;
mod reconciliation;
mod resources;

pub use api_access::{ApiAccessError, CheckApiAccess, ProviderClock};
pub use credentials::{
    AccessTokens, BACK_OFF_MAX, FetchKeySet, FetchedKeySet, GrantedToken, KeySets, Lease, ReadSecret, RequestToken,
    StoredKeySet, StoredToken,
};
pub use error::{Disposition, PortError, chain};
pub use fundhook_domain::{CLOCK_SKEW_MAX, Versioned, Write};
pub use messages::{Archive, PublishEvents, QueueMessage, SendMessage, SendMessages};
pub use movements::MovementsMarks;
pub use operations::{
    ItemPage, ItemsOf, ReadArchive, StoredItem, StoredItems, UnreadableItem, WaitingMessage, WaitingMessages,
};
pub use reconciliation::{
    AccountResources, Advance, Claims, IndexEntry, IndexPage, ListError, ListPage, ListQuery, ListSigned,
    ListWithToken, OpenQuery, OpenResources, Receipts, Reports, SettledResources, Watermarks,
};
pub use resources::{FactPages, Resources, WriteOutcome};
