//! Fundhook's ports, answered by AWS and HTTP.
//!
//! The only crate that names `aws-sdk-*` and `reqwest`; none of their types crosses its boundary but [`Aws`], which a
//! function's `main` makes once and hands to the adapters it needs.

mod aws;
mod bucket;
mod connect_api;
mod key_sets;
mod provider_api;
mod queue;
mod reconciliation;
mod secrets;
pub mod table;
mod tokens;
mod topic;

pub use aws::{Aws, AwsEnvironmentError};
pub use bucket::Bucket;
pub use connect_api::{ConnectApi, InvalidApiSettings};
pub use key_sets::{KeySetTable, SeenKey};
pub use provider_api::JwksClient;
pub use queue::Queue;
pub use reconciliation::ReconciliationTable;
pub use secrets::SecretStore;
pub use table::{ResourceTable, WriteMethod};
pub use tokens::TokenStore;
pub use topic::Topic;
