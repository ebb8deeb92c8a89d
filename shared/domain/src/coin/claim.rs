//! One coin, one credit (DESIGN.md section 3.2): the same on-chain deposit may reach a platform through two feeds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Network, ResourceId, TransferDetails, digest_hex};

/// A coin on chain: the transaction it came in, the address it came to, and what it is.
///
/// Two deposits with equal keys are the same coin, unless both name a network and the networks differ: a hash names a
/// transaction on one chain, and a provider may leave the chain unsaid (seed 003 has `USDC`, seed 001 `USDC.ETH`), so
/// the network is compared and is no part of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Names the coin: `<hash>#<address>#<asset>`, and for the tenant `acme` `acme/<hash>#<address>#<asset>`.
    pub coin: String,
    /// The network's CAIP-2 chain id, where the provider names a network that has one. A spelling that is not known tells
    /// nothing of whether the chain is another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<String>,
    /// The deposit that claims it.
    pub owner: ResourceId,
    /// Which of the provider's streams told of that deposit: `connect.deposits`, or `connect.deposits connect.transactions`
    /// where webhooks did and the provider's list as well.
    pub stream: String,
}

/// Whether a confirmed deposit is the one that its coin is credited under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// It claims no coin: it is not confirmed, or its transaction is not known.
    #[default]
    Unclaimed,
    /// It is.
    Owner,
    /// Another deposit is: this one is the same coin, told of by another feed.
    DuplicateOf {
        /// The deposit that the coin is credited under.
        owner: ResourceId,
        /// The version of this resource up to which that was not known.
        after: u64,
    },
}

/// What stands between the names of several streams, none of which has a space.
const BETWEEN_STREAMS: &str = " ";

/// The longest name of a coin that is kept as it is: a key in the table has at most 2,048 bytes.
const COIN_BYTES_MAX: usize = 1024;

impl Claim {
    /// The claim of the deposit `owner` on its coin; `None` when what names a coin is not known.
    pub fn of(owner: &ResourceId, details: &TransferDetails) -> Option<Self> {
        let hash = details.transaction.hash.as_deref()?;
        let address = details.transaction.to.as_deref()?;
        let asset = details.asset.as_deref()?.to_uppercase();
        let coin = format!("{}#{}#{asset}", canonical_hash(hash), canonical_address(address));
        let coin = if coin.len() > COIN_BYTES_MAX { digest_hex(coin.as_bytes()) } else { coin };
        Some(Self {
            // Organizations are apart: what is told to one is no duplicate of what is told to another.
            coin: owner.feed().tenant().map_or(coin.clone(), |tenant| format!("{tenant}/{coin}")),
            network: details.network.as_ref().and_then(Network::caip2).map(str::to_owned),
            owner: owner.clone(),
            stream: details.stream.clone().unwrap_or_default(),
        })
    }

    /// The claim of a deposit of which these streams told.
    pub(crate) fn told_by<'a>(self, streams: impl Iterator<Item = &'a str>) -> Self {
        let streams: BTreeSet<&str> = streams.collect();
        Self { stream: Vec::from_iter(streams).join(BETWEEN_STREAMS), ..self }
    }

    /// Whether `self`, which claims the same key, is about another coin than `taken`, or one stream told of both deposits, so
    /// that both are real: one stream tells of each coin once.
    pub fn stands_beside(&self, taken: &Self) -> bool {
        let same_stream = self.owner.feed() == taken.owner.feed() && !self.streams().is_disjoint(&taken.streams());
        self.is_on_another_chain_than(taken) || same_stream
    }

    fn streams(&self) -> BTreeSet<&str> {
        self.stream.split(BETWEEN_STREAMS).collect()
    }

    /// Whether both name a chain, and not the same one.
    pub fn is_on_another_chain_than(&self, other: &Self) -> bool {
        self.network.is_some() && other.network.is_some() && self.network != other.network
    }
}

/// One spelling for a transaction's hash: hex in lower case without `0x`, and without the number of an output that
/// Connect appends (`…-0`). Other alphabets (Solana's base58) tell capitals from small letters and stay as they are.
pub(crate) fn canonical_hash(hash: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let base = hash.rsplit_once('-').filter(|(_, output)| digits(output)).map_or(hash, |(base, _)| base);
    let bare = base.strip_prefix("0x").or_else(|| base.strip_prefix("0X")).unwrap_or(base);
    let is_hex = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { bare.to_ascii_lowercase() } else { base.to_owned() }
}

/// Whether a hash has the form of a chain's: 64 hex digits (EVM chains, Bitcoin, Tron and others), or base58 of at least 43
/// characters (Solana's signatures have up to 88). An id of the provider's own does not name a coin.
pub fn is_a_chains(hash: &str) -> bool {
    let hash = canonical_hash(hash);
    let is_hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_base58_digit = |byte: u8| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte);
    is_hex || ((43..=88).contains(&hash.len()) && hash.bytes().all(is_base58_digit))
}

/// One spelling for an address: hex after `0x` and bech32 in lower case, as their checksums' capitals are no part of it.
fn canonical_address(address: &str) -> String {
    let lower = address.to_ascii_lowercase();
    let caseless = ["0x", "bc1", "tb1", "ltc1"].iter().any(|prefix| lower.starts_with(prefix));
    if caseless { lower } else { address.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling() {
        for (sent, canonical) in [
            ("0xCD9e98ae", "cd9e98ae"),
            ("cd9e98ae", "cd9e98ae"),
            ("b33c8514-0", "b33c8514"),
            ("FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2", "FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2"),
            ("a-b", "a-b"),
            ("", ""),
        ] {
            assert_eq!(canonical_hash(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn a_chains_hash_is_told_from_an_id_of_the_providers_own() {
        for (hash, is_a_chains_hash) in [
            ("0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569", true),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff", true),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff-0", true),
            ("FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2", true),
            ("ec963207-69f4-44d0-9251-2977dda86fcd", false),
            ("ec96320769f444d092512977dda86fcd", false),
            ("1708631671631", false),
            ("", false),
        ] {
            assert_eq!(is_a_chains(hash), is_a_chains_hash, "{hash}");
        }
    }

    #[test]
    fn an_address_keeps_its_capitals_only_where_they_mean_something() {
        assert_eq!(canonical_address("0xAbC1"), "0xabc1");
        assert_eq!(canonical_address("BC1QW508"), "bc1qw508");
        assert_eq!(canonical_address("EPjFWdd5"), "EPjFWdd5");
    }
}
