//! zerohash Connect (Account Funding): deposits and withdrawals, signed with RSA.

mod normalise;
mod verify;
mod wire;

pub use normalise::normalise;
pub use verify::{JwtMode, JwtSettings, Settings, signed_message, verify};

/// The header with the UNIX time, in seconds, at which the provider signed.
pub const TIMESTAMP_HEADER: &str = "timestamp";
/// The header with the RSA signature, in standard base64.
pub const SIGNATURE_HEADER: &str = "signature";
/// The header that names the sender; not covered by the signature.
pub const CLIENT_ID_HEADER: &str = "client-id";
/// The header that names the payload's type; not covered by the signature.
pub const PAYLOAD_TYPE_HEADER: &str = "x-zh-hook-payload-type";
/// The `iss` of the provider's tokens (seed 000).
pub const TOKEN_ISSUER: &str = "connect";
