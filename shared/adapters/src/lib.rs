//! Implements Fundhook's ports with AWS and HTTP.
//!
//! This is the only crate that names `aws-sdk-*`, and none of its public signatures has a type of an SDK. A function's
//! `main` makes one [`Aws`] and passes it to the adapters that it needs.

mod account_row;
mod aws;
mod batches;
mod bucket;
mod connect_api;
mod event_bus;
mod jwks_client;
mod key_set_table;
mod leases;
mod payment_history;
mod queue;
mod reconciliation_table;
mod secret_store;
pub mod table;
mod token_store;
mod topic;
mod waiting_messages;
mod why;
mod zerohash_access;
mod zerohash_api;
mod zerohash_config;
mod zerohash_credentials;

pub use aws::{Aws, AwsEnvironmentError};
pub use bucket::Bucket;
pub use connect_api::{ConnectApi, ConnectApiConfig, InvalidApiSettings};
pub use event_bus::EventBus;
pub use jwks_client::JwksClient;
pub use key_set_table::{KeySetTable, SeenKey};
pub use queue::Queue;
pub use reconciliation_table::ReconciliationTable;
pub use secret_store::{SecretStore, read_secret};
pub use table::{ResourceTable, WriteMethod};
pub use token_store::{TokenStore, TokenStoreNames};
pub use topic::Topic;
pub use zerohash_access::ZerohashAccess;
pub use zerohash_api::ZerohashApi;
pub use zerohash_config::{InvalidZerohashApiSettings, ZerohashApiConfig};
