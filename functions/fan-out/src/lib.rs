//! Archives verified webhooks as evidence, then turns them into statements and routes these to two queues.
//!
//! A statement is sent only after the raw bytes of its webhook are in the evidence bucket, so every fact can name its
//! evidence.

mod archive;
mod handler;

pub use archive::Batch;
pub use handler::FanOut;
