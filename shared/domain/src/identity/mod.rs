//! What names things: providers, feeds, kinds, resources and facts.
//!
//! Guarantees: a name that exists is valid; an id is made of signed bytes alone, and equal things have equal ids.

mod feed;
mod ids;
mod names;

pub use feed::{Feed, FeedError, Tenant, TenantError};
pub use ids::{FactId, ResourceId, ResourceIdError, digest_hex};
pub use names::{Course, Kind, Provider, UnknownName};
