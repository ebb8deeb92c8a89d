//! Families of chains: chains whose transaction ids and addresses are spelled alike.

use super::network::Network;

/// A family of chains with one notation for transaction ids and addresses.
///
/// The Bitcoin-like chains share their transaction ids and differ in their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Algorand,
    Aptos,
    AvalancheP,
    AvalancheX,
    Bitcoin,
    BitcoinCash,
    Cardano,
    Cosmos,
    Dogecoin,
    Evm,
    Hedera,
    Lightning,
    Litecoin,
    Near,
    Polkadot,
    Solana,
    Stellar,
    Sui,
    Ton,
    Tron,
    Xrpl,
}

impl Family {
    /// Every family that spells transaction ids in a way of its own, for a text of which neither chain nor asset is
    /// known. Ids of the others are hex, as those of [`Family::Evm`].
    pub(super) const WITH_OWN_IDS: [Self; 11] = [
        Self::Evm,
        Self::Solana,
        Self::Near,
        Self::Sui,
        Self::AvalancheX,
        Self::Ton,
        Self::Algorand,
        Self::Hedera,
        Self::Polkadot,
        Self::Lightning,
        Self::Aptos,
    ];

    /// The family of a [`chain`](Network::chain).
    pub(super) fn of_chain(chain: &str) -> Option<Self> {
        let (namespace, reference) = chain.split_once(':').unwrap_or((chain, ""));
        Some(match (namespace, reference) {
            ("eip155", _) => Self::Evm,
            ("bip122", "000000000000000000651ef99cb9fcbe") => Self::BitcoinCash,
            ("bip122", "12a765e31ffd4059bada1e25190f6e98") => Self::Litecoin,
            ("bip122", "1a91e3dace36e2be3bf030a65679fe82") => Self::Dogecoin,
            ("bip122", _) => Self::Bitcoin,
            ("avax", "Rr9hnPVPxuUvrdCul-vjEsU1zmqKqRDo") => Self::AvalancheP,
            ("avax", _) => Self::AvalancheX,
            ("algorand", _) => Self::Algorand,
            ("aptos", _) => Self::Aptos,
            ("cip34", _) => Self::Cardano,
            ("cosmos", _) => Self::Cosmos,
            ("hedera", _) => Self::Hedera,
            ("lightning", _) => Self::Lightning,
            ("near", _) => Self::Near,
            ("polkadot", _) => Self::Polkadot,
            ("solana", _) => Self::Solana,
            ("stellar", _) => Self::Stellar,
            ("sui", _) => Self::Sui,
            ("tron", _) => Self::Tron,
            ("tvm", _) => Self::Ton,
            ("xrpl", _) => Self::Xrpl,
            _ => return None,
        })
    }

    /// The family of the chain that the coin `asset` is native to.
    pub(super) fn of_asset(asset: &str) -> Option<Self> {
        Self::of_chain(Network::native_to(asset)?.chain()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::network_names::NETWORKS;
    use super::*;

    #[test]
    fn every_known_network_belongs_to_a_family_unless_its_ids_are_not_documented() {
        let unknown = |slug: &str| Family::of_chain(Network::named(slug).chain().unwrap_or_default()).is_none();
        let without: Vec<_> = NETWORKS.iter().map(|(slug, ..)| *slug).filter(|slug| unknown(slug)).collect();
        assert_eq!(without, ["hypercore"]);
    }
}
