//! The entrance: `POST /webhooks/{provider}` and `/webhooks/{provider}/{tenant}`.
//!
//! Proves that the provider signed the raw bytes, puts them on the ingress queue, and only then answers 200. What does
//! not verify is answered and forgotten; what verifies is never refused, whatever it says.

mod answer;
mod handler;
mod verifier;

pub use answer::Answer;
pub use handler::{BODY_BYTES_MAX, Receiver};
pub use verifier::Verifier;
