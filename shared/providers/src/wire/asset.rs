//! Asset codes that contain a network.

use fundhook_domain::Network;

/// Splits an asset code into asset and network: zerohash writes `USDC.BASE` for USDC on Base.
///
/// A code without a network is on its own chain if it is a coin (`BTC`). The network of a token without one is not
/// known ([zerohash-fund-update] has `USDC`).
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
    fn a_code_names_its_network_or_implies_it_or_leaves_it_unknown() {
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
