//! The entrance: `POST /webhooks/{provider}` and `/webhooks/{provider}/{tenant}`.
//!
//! Proves that the provider signed the raw bytes, puts them on the ingress queue, and only then answers 200. What does
//! not verify is answered and forgotten; what verifies is never refused, whatever it says.

mod answer;
mod door;
mod handler;

pub use answer::Answer;
pub use door::Door;
pub use handler::{BODY_BYTES_MAX, Receiver};
