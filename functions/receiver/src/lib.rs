//! Receives webhooks: `POST /webhooks/{provider}` and `/webhooks/{provider}/{tenant}`.
//!
//! Verifies the provider's signature over the raw bytes, puts the webhook on the ingress queue, and only then answers 200. A
//! webhook that does not verify is answered with an error and not stored. A webhook that verifies is never rejected for its
//! content.

mod answer;
mod handler;
mod verifier;

pub use answer::Answer;
pub use handler::{BODY_BYTES_MAX, Receiver};
pub use verifier::Verifier;
