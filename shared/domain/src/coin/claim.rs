//! Claims: each coin is credited once, although it may reach a platform through several webhook families.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::network::Network;
use super::spelling::{canonical_address, canonical_hash};
use crate::{ResourceId, WebhookFamily, digest_hex};

/// What identifies a coin on chain, as a provider spells it.
#[derive(Clone, Copy, Debug)]
pub struct Coin<'a> {
    /// The hash of the transaction that moved it.
    pub hash: &'a str,
    /// The address that received it.
    pub address: &'a str,
    /// The asset's code.
    pub asset: &'a str,
    /// The network; `None` when the provider does not say it.
    pub network: Option<&'a Network>,
}

/// A deposit's claim on its coin: stored once per coin, so that only one deposit is credited with it.
///
/// Two claims with equal `coin` are about the same coin unless both name a network and the networks differ. The network
/// is compared and not part of the name because a provider may omit it: zerohash writes `USDC` in one place
/// [zerohash-fund-update] and `USDC.ETH` in another [zerohash-reference-id].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The coin's name: `<hash>#<address>#<asset>`, and for the tenant `acme` `acme/<hash>#<address>#<asset>`.
    pub coin: String,
    /// The network's CAIP-2 chain id. `None` when the provider names no network or one that is not known: an unknown
    /// spelling does not prove that the chain is a different one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<String>,
    /// The deposit that claims the coin.
    pub owner: ResourceId,
    /// The webhook families that reported this deposit: one, or two when webhooks and the provider's list did.
    pub families: BTreeSet<WebhookFamily>,
}

/// Whether a confirmed deposit is the one that is credited with its coin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// The deposit claims no coin: it is not confirmed, or its transaction is not known.
    #[default]
    Unclaimed,
    /// The deposit is credited with its coin.
    Owner,
    /// Another deposit is credited with the coin. This one is the same coin, reported by another webhook family.
    DuplicateOf {
        /// The deposit that is credited.
        owner: ResourceId,
        /// The last version of this resource at which that was not known.
        after: u64,
    },
}

/// The longest name of a coin that is kept as it is; a longer one is replaced by its digest. A table key has at most
/// 2,048 bytes, and holds the tenant and a prefix too.
const COIN_BYTES_MAX: usize = 1024;

impl Claim {
    /// The claim of the deposit `owner`, reported by `families`, on `coin`.
    pub fn new(owner: &ResourceId, coin: Coin<'_>, families: BTreeSet<WebhookFamily>) -> Self {
        let Coin { hash, address, asset, network } = coin;
        let name = format!("{}#{}#{}", canonical_hash(hash), canonical_address(address), asset.to_uppercase());
        let name = if name.len() > COIN_BYTES_MAX { digest_hex(name.as_bytes()) } else { name };
        Self {
            // A deposit of one organization is never a duplicate of another organization's.
            coin: owner.feed().tenant().map_or(name.clone(), |tenant| format!("{tenant}/{name}")),
            network: network.and_then(Network::caip2).map(str::to_owned),
            owner: owner.clone(),
            families,
        }
    }

    /// Whether this claim and `taken`, a claim on a coin of the same name, may both be credited: their chains differ,
    /// or one webhook family reported both deposits. A family reports each coin once, so those are two coins.
    pub fn coexists_with(&self, taken: &Self) -> bool {
        let shares_family = self.owner.feed() == taken.owner.feed() && !self.families.is_disjoint(&taken.families);
        self.is_on_another_chain_than(taken) || shares_family
    }

    /// Whether both claims name a chain and the chains differ.
    pub fn is_on_another_chain_than(&self, other: &Self) -> bool {
        self.network.is_some() && other.network.is_some() && self.network != other.network
    }
}
