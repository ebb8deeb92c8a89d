//! Fundhook's ports, answered by AWS and HTTP.
//!
//! The only crate that names `aws-sdk-*` and `reqwest`; none of their types crosses its boundary but [`Aws`], which a
//! function's `main` makes once and hands to the adapters it needs.

mod aws;
mod bucket;
mod key_sets;
mod provider_api;
mod queue;
mod secrets;
pub mod table;
mod topic;

pub use aws::{Aws, AwsEnvironmentError};
pub use bucket::Bucket;
pub use key_sets::KeySetTable;
pub use provider_api::JwksClient;
pub use queue::Queue;
pub use secrets::SecretStore;
pub use table::{ResourceTable, WriteMethod};
pub use topic::Topic;
