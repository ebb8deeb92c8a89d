//! Blockchain networks: providers spell one network in many ways, and subscribers filter by one name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A blockchain network: the provider's spelling, one canonical slug, and the CAIP-2 chain id where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// The provider's own spelling.
    #[schemars(example = &"BASE")]
    name: String,
    /// One lower-case name for the network, the same for all providers.
    #[schemars(example = &"base")]
    slug: String,
    /// The CAIP-2 chain id; missing for an unknown network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"eip155:8453")]
    caip2: Option<String>,
}

/// The known networks: slug, CAIP-2 chain id, and the lower-case spellings of each.
///
/// The chain ids follow the [caip-2] namespaces `eip155` (the EIP-155 chain id), `bip122` (the first 32 hex digits of
/// the genesis block's hash) and `solana` (the first 32 characters of the genesis hash).
const NETWORKS: &[(&str, Option<&str>, &[&str])] = &[
    ("algorand", Some("algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k"), &["algorand", "algo"]),
    ("arbitrum", Some("eip155:42161"), &["arbitrum", "arbitrum one", "arbitrum-one", "arbitrum_one", "arb"]),
    ("avalanche", Some("eip155:43114"), &["avalanche", "avalanche c-chain", "avax"]),
    ("base", Some("eip155:8453"), &["base"]),
    ("base-sepolia", Some("eip155:84532"), &["base sepolia", "base-sepolia"]),
    ("bitcoin", Some("bip122:000000000019d6689c085ae165831e93"), &["bitcoin", "btc"]),
    ("bitcoin-cash", Some("bip122:000000000000000000651ef99cb9fcbe"), &["bitcoin cash", "bitcoin-cash", "bch"]),
    ("bnb-smart-chain", Some("eip155:56"), &["bnb smart chain", "bnb-smart-chain", "bsc", "bnb"]),
    ("dogecoin", Some("bip122:1a91e3dace36e2be3bf030a65679fe82"), &["dogecoin", "doge"]),
    ("ethereum", Some("eip155:1"), &["ethereum", "eth", "ethereum mainnet"]),
    ("ethereum-sepolia", Some("eip155:11155111"), &["sepolia", "ethereum sepolia", "ethereum-sepolia"]),
    ("hedera", Some("hedera:mainnet"), &["hedera", "hbar"]),
    ("litecoin", Some("bip122:12a765e31ffd4059bada1e25190f6e98"), &["litecoin", "ltc"]),
    ("optimism", Some("eip155:10"), &["optimism", "op", "op mainnet"]),
    ("polygon", Some("eip155:137"), &["polygon", "matic", "pol", "polygon pos"]),
    ("polygon-amoy", Some("eip155:80002"), &["polygon amoy", "polygon-amoy", "polygon testnet amoy"]),
    ("solana", Some("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), &["solana", "sol"]),
    ("stellar", Some("stellar:pubnet"), &["stellar", "xlm"]),
    ("tron", Some("tron:0x2b6653dc"), &["tron", "trx"]),
    ("xrp-ledger", Some("xrpl:0"), &["xrp ledger", "xrp-ledger", "ripple", "xrp"]),
    ("zksync", Some("eip155:324"), &["zksync", "zksync era"]),
];

/// Coins that exist on one network only: ticker and slug.
const NATIVE_COINS: &[(&str, &str)] = &[
    ("BCH", "bitcoin-cash"),
    ("BTC", "bitcoin"),
    ("DOGE", "dogecoin"),
    ("ETH", "ethereum"),
    ("LTC", "litecoin"),
    ("SOL", "solana"),
    ("XLM", "stellar"),
    ("XRP", "xrp-ledger"),
];

impl Network {
    /// The network that a provider calls `name`. An unknown name keeps its spelling and gets a slug made from it, so a
    /// new network is never a reason to reject a webhook.
    pub fn named(name: &str) -> Self {
        let lower = name.trim().to_lowercase();
        match NETWORKS.iter().find(|(.., spellings)| spellings.contains(&lower.as_str())) {
            Some((slug, caip2, _)) => {
                Self { name: name.to_owned(), slug: (*slug).to_owned(), caip2: caip2.map(str::to_owned) }
            }
            None => Self { name: name.to_owned(), slug: slugified(&lower), caip2: None },
        }
    }

    /// The network of the coin `asset`, for providers that name a coin without its network (`BTC`). `None` for a token,
    /// which exists on many networks.
    pub fn native_to(asset: &str) -> Option<Self> {
        let native = NATIVE_COINS.iter().find(|(coin, _)| coin.eq_ignore_ascii_case(asset))?;
        Some(Self::named(native.1))
    }

    /// The provider's own spelling.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One lower-case name for the network, the same for all providers.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// The CAIP-2 chain id, such as `eip155:8453`.
    pub fn caip2(&self) -> Option<&str> {
        self.caip2.as_deref()
    }
}

fn slugified(lower: &str) -> String {
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-");
    // Never empty: SNS rejects a message with an empty attribute.
    if slug.is_empty() { "unknown".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_network_has_one_slug() {
        for (name, slug, caip2) in [
            ("bitcoin", "bitcoin", Some("bip122:000000000019d6689c085ae165831e93")),
            ("base", "base", Some("eip155:8453")),
            ("BASE", "base", Some("eip155:8453")),
            ("ETH", "ethereum", Some("eip155:1")),
            ("Polygon Testnet Amoy", "polygon-amoy", Some("eip155:80002")),
            ("Some New  Chain!", "some-new-chain", None),
        ] {
            let network = Network::named(name);
            assert_eq!((network.name(), network.slug(), network.caip2()), (name, slug, caip2));
        }
    }

    #[test]
    fn no_spelling_is_listed_for_two_networks() {
        let mut seen = std::collections::BTreeMap::new();
        for (slug, _, spellings) in NETWORKS {
            for spelling in *spellings {
                assert_eq!(seen.insert(spelling, slug), None, "{spelling} is listed twice");
            }
        }
    }
}
