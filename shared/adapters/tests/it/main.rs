//! The adapters, one file each, against an embedded DynamoDB engine and servers on the loopback interface.

mod attributes;
mod claims;
mod connect_api;
mod indexes;
mod jwks_client;
mod key_sets;
mod reconciliation;
mod resources;
mod second_names;
mod secrets;
mod support;
mod tokens;
