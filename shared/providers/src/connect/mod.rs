//! zerohash Connect (Account Funding): deposits and withdrawals, signed with RSA.

mod listed;
mod normalise;
mod verify;
mod wire;

pub(crate) use listed::drafts as listed_drafts;
pub use listed::{deposited_at, listed};
pub(crate) use normalise::drafts;
pub use verify::{JwtMode, JwtSettings, Settings, signed_message, verify};

pub use crate::normalise::PAYLOAD_TYPE_HEADER;

/// The header with the UNIX time, in seconds, at which the provider signed.
pub const TIMESTAMP_HEADER: &str = "timestamp";
/// The header with the RSA signature, in standard base64.
pub const SIGNATURE_HEADER: &str = "signature";
/// The header that names the sender; not covered by the signature.
pub const CLIENT_ID_HEADER: &str = "client-id";
/// The `iss` of the provider's tokens (seed 000).
pub const TOKEN_ISSUER: &str = "connect";
