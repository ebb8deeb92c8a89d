//! Striga: on-chain deposits and withdrawals, fees and their refunds, signed with HMAC.

mod accounts;
mod normalise;
mod verify;
mod wire;

pub(crate) use normalise::drafts;
pub use verify::verify;

/// The header with the HMAC over the body, in hex.
pub const SIGNATURE_HEADER: &str = "signature";
