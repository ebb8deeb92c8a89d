//! How each provider signs and spells its webhooks.
//!
//! A [`Webhook`] is what came in and proves nothing. A provider's `verify` turns it into a [`VerifiedWebhook`], which
//! nothing else can make; sealed into an [`Envelope`] it travels on the ingress queue, and the provider's `normalise`
//! turns that into signals. Everything here is pure: keys, settings and time are arguments.
//!
//! One folder per provider: `wire` (field names and quirks), `verify`, `normalise`. Shared parts stand beside them:
//! [`jose`] for key sets and tokens.

pub mod connect;
pub mod envelope;
pub mod jose;
mod rejection;
mod webhook;
mod wire;

pub use envelope::{Envelope, EnvelopeError};
pub use jose::KeySet;
pub use rejection::Rejection;
pub use webhook::{Headers, VerifiedWebhook, Webhook};

use fundhook_domain::{EvidencePointer, Provider, Signal};

/// What an archived envelope says, as signals: at least one, because what nothing claims is itself a signal.
pub fn normalise(envelope: &Envelope, archived: EvidencePointer) -> Vec<Signal> {
    match envelope.provider() {
        Provider::Connect => connect::normalise(envelope, archived),
    }
}
