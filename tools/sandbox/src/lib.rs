//! The sandbox provider: zerohash Connect, zerohash and Striga, simulated on loopback.
//!
//! It publishes Connect's key set, shares secrets with the platform for the other two, rotates both on request, and signs
//! webhooks as each provider does. It implements Connect's API (tokens, sessions, users, and the list of the transactions
//! it has signed) and zerohash's (tokens for the SDK, quotes, and the lists of what its webhooks were about), and makes
//! their answers faulty on request. Keys, secrets and credentials are created when it starts.

mod api;
mod client;
mod connect;
mod controls;
mod faults;
mod http;
mod keys;
mod requests;
mod secrets;
mod server;
mod state;
mod zerohash;

pub use client::{SandboxClient, SandboxError};
pub use connect::{Counts, DropShare, JWKS_PATH};
pub use faults::{ApiPath, Fault, FaultRequest};
pub use http::loopback_client;
pub use keys::{KeyError, SandboxKey};
pub use requests::{SignRequest, Signed, SignedHeaders, TokenRequest, ZerohashSignature};
pub use secrets::{SandboxSecrets, signed_with};
pub use server::Sandbox;
pub use zerohash::ZerohashCounts;
