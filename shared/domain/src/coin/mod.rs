//! On-chain coins: which coin a deposit is, and which deposit may be credited with it.
//!
//! Guarantees:
//!
//! - A transaction hash and an address have one canonical spelling each.
//! - Two deposits whose claims name the same coin are the same coin, unless both name a chain and the chains differ.
//! - At most one deposit owns a coin; deposits that one webhook family reports separately are different coins.

mod address;
mod asset;
mod base58;
mod bech32;
mod claim;
mod coin_id;
mod family;
mod hedera;
mod hex_digits;
mod network;
mod network_names;
mod spelling;
mod tag;
mod transaction_id;

pub use asset::split_asset_code;
pub use claim::{Claim, Coin, Ownership};
pub use coin_id::{CoinId, ToldCoin};
pub use network::Network;
pub(crate) use spelling::canonical_hash;
pub use spelling::is_chain_hash;
pub use tag::Tag;
pub use transaction_id::transaction_ids;
