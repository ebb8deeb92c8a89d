//! Secrets and access tokens with in-memory ports, one file per promise.

/// Not part of `support`, which the refresher's tests include.
#[path = "support/logs.rs"]
mod logs;
mod secret_cache;
mod support;
mod token_storms;
mod tokens;
