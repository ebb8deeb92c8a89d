//! Archives verified webhooks as evidence, then routes what they say.
//!
//! Nothing is said on about a webhook before its raw bytes lie in the evidence bucket, so every fact can name them.

mod archive;
mod handler;

pub use archive::Batch;
pub use handler::FanOut;
