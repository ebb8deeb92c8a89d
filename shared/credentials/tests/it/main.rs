//! Secrets and access tokens with in-memory ports, one file per promise.

mod secret_cache;
mod support;
mod token_storms;
mod tokens;
