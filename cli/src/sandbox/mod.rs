//! The sandbox provider: what Connect does, on loopback.
//!
//! It publishes a key set, rotates it on request, and signs webhooks exactly as Connect does. Its keys are made when it
//! starts and never leave its process.

mod client;
mod keys;
mod server;

pub use client::{SandboxClient, SandboxError};
pub use keys::{KeyError, SigningKey};
pub use server::{JWKS_PATH, Sandbox};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request to sign a webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignRequest {
    /// The URL it is registered under.
    pub url: String,
    /// UNIX time in seconds.
    pub timestamp: i64,
    /// The raw body, in base64.
    pub body: String,
    /// Sign with a key that was never published, as a forger would.
    #[serde(default)]
    pub forge: bool,
}

/// A request for a JWT.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRequest {
    /// What it shall say.
    pub claims: Value,
    /// Sign with a key that was never published, as a forger would.
    #[serde(default)]
    pub forge: bool,
}

/// The headers of a signed webhook, in the order in which Connect's documentation lists them.
pub type SignedHeaders = Vec<(String, String)>;
