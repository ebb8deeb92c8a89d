//! Names and ids: providers, feeds, webhook families, resource kinds, resources and facts.
//!
//! Guarantees:
//!
//! - A name that exists is valid: every type here is made by one parser or one constructor.
//! - A fact's id depends on signed bytes alone, so the same webhook has the same id however often it is delivered.
//! - Every text form reads back as the value that wrote it.

mod family;
mod feed;
mod ids;
mod list;
mod names;

pub use family::WebhookFamily;
pub use feed::{Feed, FeedError, Tenant, TenantError};
pub use ids::{CorrelationId, FactId, ResourceId, ResourceIdError, digest_hex};
pub use list::{ListId, ListKind, ListedAt};
pub use names::{Kind, Provider, StatusRule, UnknownName};
