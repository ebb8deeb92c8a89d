//! Asset codes: the network that a code contains, and one spelling for each asset.

use super::network::Network;

/// The longest code that is searched for a network. Codes of providers have at most 20 characters; the search takes
/// time in the square of the length.
const CODE_BYTES_MAX: usize = 100;

/// Polygon PoS and its test network, whose own coin was renamed.
const POLYGON: [&str; 2] = ["eip155:137", "eip155:80002"];

/// Splits an asset code into asset and network: zerohash writes `USDC.BASE` for USDC on Base, Striga `USDC_POLYGON`.
///
/// The tail of a code is a network only if its name is known: `USDC.E` is an asset of its own, the bridged USDC. A code
/// without a network is on its own chain if it is a coin (`BTC`). The network of a token without one is not known
/// ([zerohash-fund-update] has `USDC`).
pub fn split_asset_code(code: &str) -> (String, Option<Network>) {
    match split_at_network(code) {
        Some((asset, network)) => (asset.to_owned(), Some(network)),
        None => (code.to_owned(), Network::native_to(code)),
    }
}

/// The asset and the network of a code that ends with a known network. The longest tail is taken first, so
/// `USDT.AVALANCHE_C` is USDT.
fn split_at_network(code: &str) -> Option<(&str, Network)> {
    let separators = code.match_indices(['.', '_', '-']).filter(|_| code.len() <= CODE_BYTES_MAX);
    let parts = separators.filter_map(|(at, separator)| Some((code.get(..at)?, code.get(at + separator.len()..)?)));
    parts.filter(|(asset, _)| !asset.is_empty()).find_map(|(asset, tail)| Some((asset, Network::known(tail)?)))
}

/// An asset in canonical spelling, and the chain that it is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PlacedAsset {
    pub(super) asset: Option<String>,
    pub(super) chain: Option<String>,
}

impl PlacedAsset {
    /// The asset `code` on `network`, as a provider tells them.
    ///
    /// A network in the code counts if `network` is missing, unknown, or the same. If they contradict each other, the
    /// code stays whole: it is not known which of them is wrong.
    pub(super) fn of(code: Option<&str>, network: Option<&Network>) -> Self {
        let told = network.and_then(Network::chain);
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        let agrees = |own: &Network| told.is_none_or(|told| own.chain() == Some(told));
        let split = code.and_then(split_at_network).filter(|(_, own)| agrees(own));
        // A coin on a network of unknown name is not on its own chain: `ETH` exists on many.
        let native = code.filter(|_| network.is_none()).and_then(Network::native_to);
        let own = split.as_ref().map(|(_, own)| own).or(native.as_ref());
        let chain = told.or(own.and_then(Network::chain)).map(str::to_owned);
        let asset = split.as_ref().map(|(asset, _)| *asset).or(code);
        Self { asset: asset.map(|asset| canonical_asset(asset, chain.as_deref())), chain }
    }

    /// Whether both may be one asset on one chain: nothing that both tell separates them.
    ///
    /// `MATIC` without a chain may be what is now `POL` on Polygon, and may be the contract `MATIC` on Ethereum, but
    /// never the contract `POL` there.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        agree(self.chain.as_ref(), other.chain.as_ref()) && self.may_have_the_asset_of(other)
    }

    /// The same, whatever their chains.
    pub(super) fn may_have_the_asset_of(&self, other: &Self) -> bool {
        let is_renamed = |older: &Self, newer: &Self| {
            let is = |placed: &Self, asset| placed.asset.as_deref() == Some(asset);
            is(older, "MATIC") && older.chain.is_none() && is(newer, "POL") && newer.may_be_on_polygon()
        };
        agree(self.asset.as_ref(), other.asset.as_ref()) || is_renamed(self, other) || is_renamed(other, self)
    }

    fn may_be_on_polygon(&self) -> bool {
        self.chain.as_deref().is_none_or(|chain| POLYGON.contains(&chain))
    }
}

/// Whether two parts agree, as far as both are told.
pub(super) fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        (Some(_), None) | (None, Some(_) | None) => true,
    }
}

/// The code of `asset` on `chain`: in upper case, and under its present name.
///
/// On 2024-09-04 the coin of Polygon PoS was renamed from MATIC to POL, 1:1. On Ethereum the two are different
/// contracts, so the rename must not be applied there.
fn canonical_asset(asset: &str, chain: Option<&str>) -> String {
    let code = asset.to_uppercase();
    let is_renamed = code == "MATIC" && chain.is_some_and(|chain| POLYGON.contains(&chain));
    if is_renamed { "POL".to_owned() } else { code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_its_network_or_implies_it_or_leaves_it_unknown() {
        for (code, asset, network) in [
            ("USDC.BASE", "USDC", Some("base")),
            ("USDC.ETH", "USDC", Some("ethereum")),
            ("ETH.BASE", "ETH", Some("base")),
            ("USDC_POLYGON", "USDC", Some("polygon")),
            ("USDC_SOL", "USDC", Some("solana")),
            ("USDT-TRC20", "USDT", Some("tron")),
            ("USDT.AVALANCHE_C", "USDT", Some("avalanche")),
            ("USDC.E.AVALANCHE", "USDC.E", Some("avalanche")),
            ("MATIC.ETH", "MATIC", Some("ethereum")),
            ("BNB-BSC", "BNB", Some("bnb-smart-chain")),
            ("usdc.base", "usdc", Some("base")),
            ("USDC.eip155:8453", "USDC", Some("base")),
            ("BTC", "BTC", Some("bitcoin")),
            ("AVAX", "AVAX", Some("avalanche")),
            ("USDC", "USDC", None),
            ("USDC.E", "USDC.E", None),
            ("USDC.SOMECHAIN", "USDC.SOMECHAIN", None),
            ("MATIC", "MATIC", None),
            ("POL", "POL", None),
            ("BNB", "BNB", None),
            ("USDC.", "USDC.", None),
            (".BASE", ".BASE", None),
        ] {
            let (found, on) = split_asset_code(code);
            assert_eq!((found.as_str(), on.as_ref().map(Network::slug)), (asset, network), "{code}");
        }
    }

    fn placed(code: &str, network: Option<&str>) -> PlacedAsset {
        PlacedAsset::of(Some(code), network.map(Network::named).as_ref())
    }

    #[test]
    fn the_network_of_a_code_counts_unless_another_known_one_is_told() {
        for (code, network, asset, chain) in [
            ("USDC_POLYGON", None, "USDC", Some("eip155:137")),
            ("USDC_POLYGON", Some("MATIC"), "USDC", Some("eip155:137")),
            ("USDC_POLYGON", Some("Somechain"), "USDC", Some("eip155:137")),
            ("USDC_POLYGON", Some("base"), "USDC_POLYGON", Some("eip155:8453")),
            ("ETH", None, "ETH", Some("eip155:1")),
            ("ETH", Some("Somechain"), "ETH", None),
            ("ETH", Some("base"), "ETH", Some("eip155:8453")),
            (" usdc ", None, "USDC", None),
        ] {
            let expected = PlacedAsset { asset: Some(asset.to_owned()), chain: chain.map(str::to_owned) };
            assert_eq!(placed(code, network), expected, "{code} on {network:?}");
        }
    }

    #[test]
    fn an_asset_may_be_another_only_where_it_was_renamed() {
        for (one, other, may_be) in [
            (("MATIC", None), ("POL", Some("polygon")), true),
            (("MATIC", None), ("POL", None), true),
            (("MATIC", None), ("MATIC", Some("ethereum")), true),
            (("MATIC", None), ("POL", Some("ethereum")), false),
            (("POL", None), ("MATIC", Some("polygon")), true),
            (("POL", None), ("MATIC", Some("ethereum")), false),
            (("MATIC", Some("ethereum")), ("POL", Some("ethereum")), false),
            (("MATIC", Some("ethereum")), ("POL", Some("polygon")), false),
            (("WETH", None), ("ETH", None), false),
            (("USDC.e", None), ("USDC", None), false),
            (("USDC", Some("base")), ("USDC", Some("ethereum")), false),
            (("USDC", Some("base")), ("USDC", Some("Somechain")), true),
        ] {
            let [first, second] = [one, other].map(|(code, network)| placed(code, network));
            assert_eq!((first.may_be(&second), second.may_be(&first)), (may_be, may_be), "{one:?} and {other:?}");
        }
    }
}
