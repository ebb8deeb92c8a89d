//! The tag or memo of a payment.

use serde::{Deserialize, Serialize};

use super::family::Family;

/// A tag or memo, by which a platform knows whose deposit a payment to a shared address is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    value: String,
    /// Whether the address itself contained it: a muxed account of Stellar.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    muxed: bool,
}

impl Tag {
    /// The tag's text. A number on the XRP Ledger has no leading zeros; 0 is a tag.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the tag is the number of a muxed Stellar account. Payments of one transaction to two of those are two
    /// coins; any other tag belongs to the whole transaction.
    pub fn is_muxed(&self) -> bool {
        self.muxed
    }

    /// The tag `told` on a chain of `family`. Tags of the XRP Ledger are numbers; a Stellar memo `007` may be a text.
    pub(super) fn of(told: &str, family: Option<Family>) -> Self {
        let told = told.trim();
        let is_number = family == Some(Family::Xrpl) && told.bytes().all(|byte| byte.is_ascii_digit());
        let digits = told.trim_start_matches('0');
        let number = if digits.is_empty() { "0" } else { digits };
        Self::told(if is_number { number } else { told }.to_owned())
    }

    pub(super) fn told(value: String) -> Self {
        Self { value, muxed: false }
    }

    pub(super) fn muxed(value: String) -> Self {
        Self { value, muxed: true }
    }

    /// Whether the tags show two coins: they differ, and one of them is part of an address.
    pub(super) fn separates_from(&self, other: &Self) -> bool {
        self.value != other.value && (self.muxed || other.muxed)
    }
}
