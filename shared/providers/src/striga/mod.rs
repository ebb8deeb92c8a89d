//! Striga: on-chain deposits and withdrawals, fees and their refunds, signed with HMAC.

mod accounts;
mod normalise;
mod verify;
mod wire;

pub(crate) use normalise::drafts;
pub use verify::verify;

/// The type of a test webhook that is sent from Striga's dashboard, with any JSON as its body [striga-webhooks].
pub const PING: &str = "ping";

/// The header with the HMAC over the body, in hex.
pub const SIGNATURE_HEADER: &str = "signature";
