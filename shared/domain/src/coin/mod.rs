//! Which on-chain coin a deposit is, and which deposit may be credited with it.
//!
//! Guarantees: one spelling for each transaction hash and address; two deposits with equal keys are the same coin unless
//! their chains are known and differ; at most one deposit owns a coin.

mod claim;
mod network;

pub(crate) use claim::canonical_hash;
pub use claim::{Claim, Ownership, is_a_chains};
pub use network::Network;
