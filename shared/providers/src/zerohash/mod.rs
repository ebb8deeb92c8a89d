//! The zerohash platform: fund transactions, payments, deposits, participants, external accounts and balances, signed
//! with HMAC or RSA.

mod fund;
mod fund_credit;
mod history;
mod normalise;
mod pss;
mod reasons;
mod rows;
mod verify;
mod wire;

pub(crate) use fund::{FundContext, fund_draft};
pub(crate) use normalise::drafts;
pub(crate) use rows::{bank_payment_row, deposit_row, payment_row};
pub use verify::{RsaPadding, Settings, is_current, signed_message, verify};

pub use crate::PAYLOAD_TYPE_HEADER;

/// The header with the HMAC over body and timestamp, in hex.
pub const SIGNATURE_HEADER: &str = "x-zh-hook-signature";
/// The header with the RSA signature over body and timestamp, in hex.
pub const RSA_SIGNATURE_HEADER: &str = "x-zh-hook-rsa-signature";
/// The header with the time of signing, a UNIX time in milliseconds.
pub const TIMESTAMP_HEADER: &str = "x-zh-hook-timestamp";
/// The legacy header with the HMAC over the body alone, in hex.
pub const LEGACY_SIGNATURE_HEADER: &str = "x-zh-hook-signature-256";
/// The legacy header with the RSA signature over the body alone, in hex.
pub const LEGACY_RSA_SIGNATURE_HEADER: &str = "x-zh-hook-rsa-signature-256";
/// The header that names the notification. No signature covers it, so no decision depends on it.
pub const NOTIFICATION_ID_HEADER: &str = "x-zh-hook-notification-id";
