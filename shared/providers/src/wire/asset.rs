//! Asset codes that hold a network.

use fundhook_domain::Network;

/// zerohash writes asset and network in one: `USDC.BASE` is USDC on Base. Without a network, a coin of its own chain is
/// on that (`BTC`), and of a token the network is not known (seed 003 has `USDC`).
pub(crate) fn split_asset(code: &str) -> (String, Option<Network>) {
    match code.rsplit_once('.') {
        Some((asset, network)) if !asset.is_empty() && !network.is_empty() => {
            (asset.to_owned(), Some(Network::named(network)))
        }
        _ => (code.to_owned(), Network::native_to(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_its_network_or_implies_it_or_leaves_it_open() {
        for (code, asset, network) in [
            ("USDC.BASE", "USDC", Some("base")),
            ("USDC.ETH", "USDC", Some("ethereum")),
            ("BTC", "BTC", Some("bitcoin")),
            ("USDC", "USDC", None),
            ("USDC.", "USDC.", None),
            (".BASE", ".BASE", None),
        ] {
            let (found, on) = split_asset(code);
            assert_eq!((found.as_str(), on.as_ref().map(Network::slug)), (asset, network), "{code}");
        }
    }
}
