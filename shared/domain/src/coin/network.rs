//! Blockchain networks: providers spell one network in many ways, and subscribers filter by one name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::network_names::{CHAIN_ID_ALIASES, Known, NATIVE_COINS, NETWORKS};

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

impl Network {
    /// The network that a provider calls `name`. An unknown name keeps its spelling and gets a slug made from it, so a
    /// new network is never a reason to reject a webhook.
    pub fn named(name: &str) -> Self {
        match known(name).or_else(|| known(in_parentheses(name)?)) {
            Some(known) => Self::known_as(name, known),
            None => Self {
                name: name.to_owned(),
                slug: slugified(&name.trim().to_lowercase()),
                caip2: is_numbered_chain_id(name.trim()).then(|| name.trim().to_owned()),
            },
        }
    }

    /// The network of the coin `asset`, for providers that name a coin without its network (`BTC`). `None` for a token,
    /// which exists on many networks, and for `MATIC`, `POL` and `BNB`, which exist on two.
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

    /// What two networks are compared by: the CAIP-2 chain id, or the slug of a known network that has none
    /// (`lightning`). `None` for an unknown network, because an unknown spelling does not prove another chain.
    ///
    /// A network that was stored before its name was known is looked up again.
    pub fn chain(&self) -> Option<&str> {
        self.caip2().or_else(|| {
            let (slug, caip2, _) = known(&self.name).or_else(|| known(in_parentheses(&self.name)?))?;
            Some(caip2.unwrap_or(slug))
        })
    }

    /// The known network whose name is exactly `name`, apart from case and separators: no display text around it.
    pub(super) fn known(name: &str) -> Option<Self> {
        known(name).map(|known| Self::known_as(name, known))
    }

    fn known_as(name: &str, (slug, caip2, _): &Known) -> Self {
        Self { name: name.to_owned(), slug: (*slug).to_owned(), caip2: caip2.map(str::to_owned) }
    }
}

/// The known network that `name` spells: a chain id exactly as [caip-2 "Semantics"] compares it, or a name in any case,
/// with any separators, with or without the word "mainnet".
fn known(name: &str) -> Option<&'static Known> {
    let chain_id = name.trim();
    let by_slug = |slug: &str| NETWORKS.iter().find(|(known, ..)| *known == slug);
    if let Some((_, slug)) = CHAIN_ID_ALIASES.iter().find(|(alias, _)| *alias == chain_id) {
        return by_slug(slug);
    }
    if let Some(known) = NETWORKS.iter().find(|(_, caip2, _)| *caip2 == Some(chain_id)) {
        return Some(known);
    }
    let key = without_separators(name);
    let by_key = |key: &str| NETWORKS.iter().find(|(.., spellings)| spellings.contains(&key));
    by_key(&key).or_else(|| by_key(key.strip_suffix("mainnet")?))
}

/// `name` as the spellings of [`NETWORKS`] are written.
fn without_separators(name: &str) -> String {
    let is_separator = |c: &char| c.is_whitespace() || matches!(c, '-' | '_' | '(' | ')');
    name.chars().filter(|c| !is_separator(c)).flat_map(char::to_lowercase).collect()
}

/// The last words in parentheses: Striga's display names end with the network, `USD Coin Test (Sepolia)`
/// [striga-accounts].
fn in_parentheses(name: &str) -> Option<&str> {
    Some(name.trim().strip_suffix(')')?.rsplit_once('(')?.1)
}

/// Whether `name` is a CAIP-2 chain id in a namespace whose references are the chains' own ids. Such an id proves a
/// chain although this code has no name for it. References of other namespaces have informal spellings
/// (`solana:mainnet`), which prove nothing.
fn is_numbered_chain_id(name: &str) -> bool {
    let is_reference = |text: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        // [caip-2 "Syntax"]: a reference has 1 to 32 characters.
        (1..=32).contains(&text.len()) && text.bytes().all(is_allowed)
    };
    let is_number = |text: &str| !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    match name.split_once(':') {
        Some(("eip155", reference)) => is_reference(reference) && is_number(reference),
        Some(("cosmos", reference)) => is_reference(reference),
        _ => false,
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
            ("ERC20", "ethereum", Some("eip155:1")),
            ("ETHEREUM_MAINNET", "ethereum", Some("eip155:1")),
            ("USD Coin Test (Sepolia)", "ethereum-sepolia", Some("eip155:11155111")),
            ("1INCH (BSC Test)", "bnb-smart-chain-testnet", Some("eip155:97")),
            ("Solana Test (Solana Devnet)", "solana-devnet", Some("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1")),
            ("BNB-BSC", "bnb-smart-chain", Some("eip155:56")),
            ("BEP20", "bnb-smart-chain", Some("eip155:56")),
            ("BEP2", "bep2", None),
            ("Polygon PoS", "polygon", Some("eip155:137")),
            ("Polygon Testnet Amoy", "polygon-amoy", Some("eip155:80002")),
            ("AVALANCHE_C", "avalanche", Some("eip155:43114")),
            ("C-Chain", "avalanche", Some("eip155:43114")),
            ("avax:8aDU0Kqh-5d23op-B-r-4YbQFRbsgF9a", "avalanche", Some("eip155:43114")),
            ("avalanche x", "avalanche-x", Some("avax:imji8papUf2EhV3le337w1vgFauqkJg-")),
            ("tron:728126428", "tron", Some("tron:0x2b6653dc")),
            ("Lightning", "lightning", None),
            ("Hyperliquid", "hyperliquid", None),
            ("Some New  Chain!", "some-new-chain", None),
        ] {
            let network = Network::named(name);
            assert_eq!((network.name(), network.slug(), network.caip2()), (name, slug, caip2));
        }
    }

    #[test]
    fn a_chain_id_is_compared_exactly() {
        for (name, chain) in [
            ("eip155:1", Some("eip155:1")),
            ("EIP155:1", None),
            ("eip155:59144", Some("eip155:59144")),
            ("eip155:01", None),
            ("cosmos:osmosis-1", Some("cosmos:osmosis-1")),
            ("COSMOS:cosmoshub-4", None),
            ("solana:5EYKT4USFV8P8NJDTREPY1VZQKQZKVDP", None),
            ("solana:mainnet", None),
        ] {
            assert_eq!(Network::named(name).chain(), chain, "{name}");
        }
    }

    #[test]
    fn a_known_network_without_a_chain_id_is_compared_by_its_slug_and_an_unknown_one_proves_nothing() {
        assert_eq!(Network::named("LN").chain(), Some("lightning"));
        assert_eq!(Network::named("Somechain").chain(), None);
        let stored = r#"{"name": "TRC20", "slug": "trc20"}"#;
        let stored: Network = serde_json::from_str(stored).expect("a network stored by an older version");
        assert_eq!(stored.chain(), Some("tron:0x2b6653dc"));
    }

    #[test]
    fn every_native_coin_and_alias_names_a_known_network_and_every_slug_is_a_spelling() {
        let slugs = NATIVE_COINS.iter().chain(CHAIN_ID_ALIASES).map(|(_, slug)| *slug);
        for slug in slugs.chain(NETWORKS.iter().map(|(slug, ..)| *slug)) {
            assert_eq!(known(slug).map(|known| known.0), Some(slug));
        }
    }

    #[test]
    fn no_spelling_is_listed_for_two_networks_or_can_never_match() {
        let mut seen = std::collections::BTreeMap::new();
        for (slug, _, spellings) in NETWORKS {
            for spelling in *spellings {
                assert_eq!(seen.insert(spelling, slug), None, "{spelling} is listed twice");
                assert_eq!(without_separators(spelling), *spelling, "{spelling} contains a separator or a capital");
            }
        }
    }
}
