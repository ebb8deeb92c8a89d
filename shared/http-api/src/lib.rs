//! The HTTP core that the clients of the providers' APIs share.
//!
//! - [`HttpClient`] sends one request, within limits on time and size.
//! - [`Exchange`] makes one call of an API: it repeats a failed attempt, with pauses, unless the provider may already have
//!   acted on it.
//! - Every cause of a failure is a variant of [`ApiError`]. No error repeats a value in the call's [`Redactions`].
//! - [`settings`] checks the settings that every client has.
//! - [`exact`] deserializes numbers digit for digit.

#![warn(missing_docs)]

mod error;
pub mod exact;
mod exchange;
mod http;
mod provider_message;
mod response;
mod retries;
pub mod settings;

pub use error::{ApiError, Call, SigningFailure};
pub use exchange::{Exchange, Outgoing, header};
pub use http::{BodyError, HttpClient, HttpError, HttpLimits, HttpResponse, retry_after};
pub use provider_message::{ProviderMessage, Redactions};
pub use retries::Idempotency;
pub use settings::{InvalidSettings, Retries, Timeouts};
