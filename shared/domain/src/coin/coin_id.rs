//! A coin in canonical spelling: what one provider tells can be compared with what another one tells.

use serde::{Deserialize, Serialize};

use super::address::{self, Address};
use super::asset::{PlacedAsset, agree};
use super::family::Family;
use super::network::Network;
use super::tag::Tag;
use super::transaction_id::TransactionId;

/// What identifies a coin on chain, as a provider tells it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToldCoin<'a> {
    /// The id of the transaction that moved it, with or without the output's number.
    pub hash: Option<&'a str>,
    /// The address that received it, with or without a tag.
    pub address: Option<&'a str>,
    /// The tag or memo, if it is told apart from the address.
    pub tag: Option<&'a str>,
    /// The asset's code, with or without a network in it.
    pub asset: Option<&'a str>,
    /// The network.
    pub network: Option<&'a Network>,
}

/// A coin in canonical spelling. A part that the provider does not tell, or that names nothing, is missing.
///
/// Two coins are compared by what both tell, so "same" is not transitive: a coin without a chain may be the same as two
/// coins on different chains. Coins must never be united through a third one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoinId {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asset: Option<String>,
}

impl CoinId {
    /// The canonical spelling of `told`.
    ///
    /// The family of the chain decides how the transaction id and the address are read: the one of the chain that is
    /// told, else the one that the asset is native to, else, for the id, the one that the address shows.
    pub fn of(told: ToldCoin<'_>) -> Self {
        let PlacedAsset { asset, chain } = PlacedAsset::of(told.asset, told.network);
        let by_chain = chain.as_deref().and_then(Family::of_chain);
        let family = by_chain.or_else(|| asset.as_deref().and_then(Family::of_asset));
        let id_family = family.or_else(|| told.address.and_then(address::family_of));

        let transaction = told.hash.and_then(|hash| TransactionId::read(hash, id_family));
        let (transaction, output) = transaction.map(|read| (read.id, read.output)).unzip();
        let address = told.address.and_then(|address| Address::read(address, family));
        let (address, own_tag) = address.map(|read| (read.text, read.tag)).unzip();
        let told_tag = told.tag.filter(|tag| !tag.trim().is_empty()).map(|tag| Tag::of(tag, id_family));
        Self { transaction, chain, output: output.flatten(), address, tag: own_tag.flatten().or(told_tag), asset }
    }

    /// The transaction's id. `None` if what was told names no transaction on a chain.
    pub fn transaction(&self) -> Option<&str> {
        self.transaction.as_deref()
    }

    /// The chain, as [`Network::chain`] has it: the one that was told, or the one that the asset names.
    pub fn chain(&self) -> Option<&str> {
        self.chain.as_deref()
    }

    /// Which payment of the transaction it is: the number of the output, log, instruction or operation.
    pub fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    /// The address that received it, without a tag.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// The tag or memo: the one in the address, or the one that was told apart from it.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The asset's code in upper case, without a network.
    pub fn asset(&self) -> Option<&str> {
        self.asset.as_deref()
    }

    /// Whether both name one transaction and nothing that both tell separates them: chain, output, address, asset, and
    /// the number of a muxed account. `false` if one of them has no transaction id.
    ///
    /// If several payments of one transaction may be meant, because one of them tells no output, the amount decides.
    pub fn is_same_coin_as(&self, other: &Self) -> bool {
        self.shares_transaction_with(other) && agree(self.output.as_ref(), other.output.as_ref())
    }

    /// Whether they may be one coin or two outputs of one transaction: as [`is_same_coin_as`](Self::is_same_coin_as),
    /// without the outputs.
    pub fn shares_transaction_with(&self, other: &Self) -> bool {
        self.transaction.is_some() && self.transaction == other.transaction && self.could_be(other)
    }

    /// Whether address, asset and chain agree as far as both tell them, whatever their transactions: for deposits of
    /// which one has no usable transaction id. The number of a muxed account is part of its address.
    pub fn could_be(&self, other: &Self) -> bool {
        let has_other_tag = self.tag.as_ref().zip(other.tag.as_ref()).is_some_and(|(one, two)| one.separates_from(two));
        !has_other_tag && agree(self.address.as_ref(), other.address.as_ref()) && self.placed().may_be(&other.placed())
    }

    /// Whether their assets agree as far as both tell them, whatever their chains.
    pub fn may_have_the_asset_of(&self, other: &Self) -> bool {
        self.placed().may_have_the_asset_of(&other.placed())
    }

    fn placed(&self) -> PlacedAsset {
        PlacedAsset { asset: self.asset.clone(), chain: self.chain.clone() }
    }
}
