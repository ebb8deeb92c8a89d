//! How each provider signs and spells its webhooks.
//!
//! A [`Webhook`] is what came in and proves nothing. A provider's `verify` turns it into a [`VerifiedWebhook`], which
//! nothing else can make; sealed into an [`Envelope`] it travels on the ingress queue, and the provider's `normalise`
//! turns that into signals. Everything here is pure: keys, settings and time are arguments.
//!
//! One folder per provider, all alike: `wire` (the provider's words), `verify` (how it signs), `normalise` (what it says).
//! The parts they share stand beside them: [`jose`] for key sets and tokens, [`Secrets`] for HMAC, and privately the window
//! of a timestamp, the members of a JSON object, and what turns statements into signals. `docs/providers/adding-a-provider.md`
//! adds a fourth.

pub mod connect;
pub mod envelope;
#[cfg(test)]
mod fourth;
pub mod jose;
mod normalise;
mod recovery;
mod rejection;
mod secrets;
pub mod striga;
mod webhook;
mod window;
mod wire;
pub mod zerohash;

pub use envelope::{Envelope, EnvelopeError};
pub use jose::KeySet;
pub use normalise::normalise;
pub use rejection::Rejection;
pub use secrets::{InvalidEntries, InvalidSecrets, Organizations, Secrets, SharedSecret};
pub use webhook::{Headers, VerifiedWebhook, Webhook};
