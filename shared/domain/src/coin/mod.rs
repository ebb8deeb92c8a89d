//! On-chain coins: which coin a deposit is, and what all deposits of one coin say about it.
//!
//! Guarantees:
//!
//! - A transaction, an address and an asset have one canonical spelling each.
//! - Of the deposits that report one coin, at most one is credited. If they say different things about its money, none is.
//! - Deposits that one webhook family reports separately are different coins.
//! - What a deposit must know of the others does not depend on the order in which they arrived, except for which of
//!   several equal ones is credited.

mod address;
mod asset;
mod base58;
mod bech32;
mod claim;
mod coin_id;
mod entry;
mod family;
mod hedera;
mod hex_digits;
mod network;
mod network_names;
mod similar;
mod tag;
mod transaction_id;

pub use asset::split_asset_code;
pub use claim::{Claim, ClaimKey, CoinRelation, DueRelation};
pub use coin_id::{CoinId, ToldCoin};
pub(crate) use entry::contradicts;
pub use entry::{ClaimEntry, Fate};
pub use network::Network;
pub use similar::{SIMILAR_WITHIN, Sighting, SimilarDeposits, SimilarKey};
pub use tag::Tag;
pub use transaction_id::transaction_ids;
