//! The adapters, one file each, against an embedded DynamoDB engine and servers on the loopback interface.

mod as_simulated;
mod attributes;
mod bucket;
mod claim_failures;
mod claims;
mod connect_api;
mod indexes;
mod jwks_client;
mod key_sets;
mod movements;
mod pages;
mod reconciliation;
mod resources;
mod second_names;
mod secrets;
mod similar;
mod support;
mod tokens;
mod zerohash_access;
mod zerohash_api;
