//! zerohash Connect (Account Funding): deposits and withdrawals, signed with RSA.

mod fees;
mod normalise;
mod verify;
mod wire;

pub(crate) use normalise::drafts;
pub use verify::{JwtMode, JwtSettings, Settings, signed_message, verify};

pub use crate::PAYLOAD_TYPE_HEADER;

/// The header with the time of signing, a UNIX time in seconds.
pub const TIMESTAMP_HEADER: &str = "timestamp";
/// The header with the RSA signature, in standard base64.
pub const SIGNATURE_HEADER: &str = "signature";
/// The header that names the sender. The signature does not cover it.
pub const CLIENT_ID_HEADER: &str = "client-id";
/// The `iss` of the provider's tokens [connect-guide §4].
pub const TOKEN_ISSUER: &str = "connect";
