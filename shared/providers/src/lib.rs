//! How each provider signs its webhooks, and what their bodies mean.
//!
//! A [`Webhook`] is a request as received; it proves nothing. A provider's `verify` turns it into a
//! [`VerifiedWebhook`], and nothing else can make one. An [`Envelope`] carries it on the ingress queue and in the
//! archive, and [`normalise`] turns the envelope into statements. Everything here is pure: keys, settings and time are
//! arguments. [`Envelope::unverified`] lets a preview normalise a webhook that is not verified; such an envelope cannot
//! be read from a queue or the archive.
//!
//! Each provider has a folder with the same three files: `wire` (the provider's names), `verify` (how it signs) and
//! `normalise` (what its webhooks state). The shared parts are the other modules:
//!
//! | module | subject |
//! |---|---|
//! | [`jose`] | key sets and tokens |
//! | `secrets` | shared secrets and HMAC |
//! | `window` | how far a signed timestamp may be from now |
//! | `wire` | reading the members of a JSON object without failing on unexpected ones |
//! | `reading` | the settings that the meaning of a webhook depends on |
//! | `credit` | what may be booked for a deposit that a provider reports as credited |
//! | `crediting` | which webhook families credit, and which only corroborate |
//! | `decisions` | what people decide, as envelopes |
//! | `notices` | notices of Fundhook's own, as envelopes |
//! | `lists` | rows of the lists of the providers' APIs |
//! | `accounts` | webhooks about users and their accounts, which two providers send |
//! | `ids` | names for resources to which the provider gives no id |
//! | `draft`, `bound` | statements before their evidence is added, and the limits on their size |
//! | `recovery` | what a statement about unexpected money adds to its recovery |
//!
//! `docs/providers/adding-a-provider.md` shows how to add a provider.

mod accounts;
mod bound;
pub mod connect;
mod credit;
mod crediting;
mod decisions;
mod draft;
pub mod envelope;
#[cfg(test)]
mod fourth;
mod ids;
pub mod jose;
mod lists;
mod normalise;
mod notices;
mod reading;
mod recovery;
mod rejection;
mod secrets;
pub mod striga;
mod webhook;
mod window;
mod wire;
pub mod zerohash;

pub use crediting::{Crediting, CreditingError, CreditingFamily};
pub use decisions::{DecisionRecord, ResourceVerdict, facts};
pub use envelope::{Envelope, EnvelopeError};
pub use ids::IdKey;
pub use jose::KeySet;
pub use lists::{RawRow, listed, listed_at};
pub use normalise::normalise;
pub use notices::notice_envelope;
pub use reading::{REVISION, ReadingSettings, ReasonMeaning, UnknownMeaning};
pub use rejection::Rejection;
pub use secrets::{InvalidEntries, InvalidSecrets, Organizations, Secrets, SharedSecret};
pub use webhook::{Headers, PAYLOAD_TYPE_HEADER, VerifiedWebhook, Webhook};
