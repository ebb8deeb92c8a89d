//! Details of deposits, withdrawals and fees.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::merge::{merge_members, replace};
use crate::money::replace_amount;
use crate::{
    Amount, CoinId, Credit, DecimalValue, Hold, Network, Outflow, Quantity, ResourceId, Timestamp, ToldCoin,
    WebhookFamily,
};

/// What a provider says about a deposit, a withdrawal or a fee. Any part may be missing from a single webhook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransferDetails {
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// The fee in addition to the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<FeeQuantity>,
    /// The amount that leaves or reaches the account in all, when the provider states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Quantity>,
    /// The amount that was refunded after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Quantity>,
    /// The asset's code, without the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The on-chain transaction.
    #[serde(skip_serializing_if = "is_default")]
    pub transaction: Transaction,
    /// The source of the money.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Source,
    /// The session of the provider's SDK in which it started.
    #[serde(skip_serializing_if = "is_default")]
    pub session: Session,
    /// The conversion on arrival.
    #[serde(skip_serializing_if = "is_default")]
    pub conversion: Conversion,
    /// The user's identifier, which provider and platform share: a participant code, or Striga's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user's account at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// The balances of that account.
    #[serde(skip_serializing_if = "is_default")]
    pub balances: Balances,
    /// Whether the account was debited or credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// What the payment is for, when it is none to a chain on behalf of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The platform's identifier of the funding attempt. Several deposits may have the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// The status in the provider's wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
    /// The reason for the status, in the provider's wording. A confirmed deposit may have one: an exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// The provider's stable code of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason_code: Option<String>,
    /// What the platform may book for a confirmed deposit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
    /// Why a held deposit may not be credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The two sides of an exchange.
    #[serde(skip_serializing_if = "is_default")]
    pub exchange: Exchange,
    /// The webhook family that reports it. Several families may report the same coin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<WebhookFamily>,
    /// The names that the provider states for the transfer when it states several: they are one transfer.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<ResourceId>,
    /// Related resources, such as a withdrawal and its fee.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub related: BTreeSet<ResourceId>,
    /// When the provider created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything that has no field above, under the provider's names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// A fee in addition to an amount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeeQuantity {
    /// The number of units.
    pub quantity: Quantity,
    /// The asset of the fee; `None` when it is the asset of the amount.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asset: Option<String>,
    /// The network of that asset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<Network>,
}

/// The two sides of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Exchange {
    /// What leaves the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold: Option<Amount>,
    /// What reaches the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bought: Option<Amount>,
    /// What came back, when the exchange was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Amount>,
    /// The price, as the provider states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<DecimalValue>,
}

/// An on-chain transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Transaction {
    /// The hash, as the provider spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The sending address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The receiving address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The block's number, in decimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_number: Option<String>,
    /// The number of confirmations, in decimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<String>,
}

/// The source of money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Source {
    /// The type of source in the provider's wording: `CUSTODIAL`, `NON_CUSTODIAL`, `MANUAL`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    /// The exchange or wallet: `coinbase`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
}

/// A session of the provider's SDK.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Session {
    /// The provider's id of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The platform's own data, as passed when the session was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// When the session was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// The conversion of crypto on arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Conversion {
    /// The price of one coin in `currency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<DecimalValue>,
    /// The currency, such as `USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The converted amount, in whole units of `currency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notional: Option<DecimalValue>,
}

/// The balances of an account before and after a movement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Balances {
    /// The balance before the movement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Quantity>,
    /// The balance after the movement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Quantity>,
}

/// The side of the account on which an amount is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The amount leaves the account.
    Debit,
    /// The amount enters the account.
    Credit,
}

/// What a payment is for, when it is none to a chain on behalf of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It returns money that arrived outside the authorised flow.
    Return,
    /// It pays money into the user's bank account.
    BankCredit,
    /// It draws money from the user's bank account.
    BankDebit,
    /// A bank makes it, and whether it pays or draws money is not stated.
    BankTransfer,
}

/// Whether both are stated and differ.
fn differ<T: PartialEq>([one, other]: &[Option<T>; 2]) -> bool {
    one.is_some() && other.is_some() && one != other
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl TransferDetails {
    /// What both state about the money, and state differently.
    pub(super) fn contradictions(&self, other: &Self) -> Vec<&'static str> {
        let both = [self, other];
        let purposes = both.map(|details| details.purpose.filter(|purpose| *purpose != Purpose::BankTransfer));
        let assets = [self, other].map(|details| details.asset.as_deref().map(str::to_uppercase));
        // An unknown network does not contradict another one: it may be the same chain in another spelling.
        let chains = [self, other].map(|details| details.network.as_ref().and_then(Network::caip2));
        let transactions = [self, other].map(Self::transaction_id);
        let accounts = [self, other].map(|details| details.account.as_deref());
        [
            ("amount", self.has_other_amount_than(other)),
            ("purpose", differ(&purposes)),
            ("asset", differ(&assets)),
            ("network", differ(&chains)),
            ("transaction", differ(&transactions)),
            ("account", differ(&accounts)),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Whether both state an amount: what arrives or is sent, the total, what is refunded, or a side of an exchange; and state
    /// it differently. A total of zero states none.
    fn has_other_amount_than(&self, other: &Self) -> bool {
        let both = [self, other];
        let quantities = both.map(|details| details.quantity.as_ref().and_then(Quantity::in_major));
        let totals = both.map(|details| details.outflow().total().as_ref().and_then(Quantity::in_major));
        let totals = totals.map(|total| total.filter(DecimalValue::is_positive));
        let refunds = both.map(|details| details.refunded.as_ref().and_then(Quantity::in_major));
        let sides: [fn(&Exchange) -> &Option<Amount>; 3] =
            [|exchange| &exchange.sold, |exchange| &exchange.bought, |exchange| &exchange.refunded];
        let has_other_side = |side: fn(&Exchange) -> &Option<Amount>| {
            differ(&both.map(|details| side(&details.exchange).as_ref().and_then(|amount| amount.major.clone())))
        };
        [quantities, totals, refunds].iter().any(differ) || sides.into_iter().any(has_other_side)
    }

    /// Whether both state an asset, and it cannot be the same one.
    pub(super) fn has_other_asset_than(&self, other: &Self) -> bool {
        // Whichever chain each is on.
        let asset = |details: &Self| {
            let (asset, network) = (details.asset.as_deref(), details.network.as_ref());
            CoinId::of(ToldCoin { asset, network, ..ToldCoin::default() })
        };
        !asset(self).may_have_the_asset_of(&asset(other))
    }

    /// The transaction's id in canonical spelling, or what the provider writes in its place.
    pub(super) fn transaction_id(&self) -> Option<String> {
        let canonical = self.coin().transaction().map(str::to_owned);
        canonical.or_else(|| self.transaction.hash.clone())
    }

    /// Whether the details identify the coin, so that it can be claimed.
    pub fn identifies_coin(&self) -> bool {
        let coin = self.coin();
        coin.transaction().is_some() && coin.address().is_some() && coin.asset().is_some()
    }

    /// The coin that the transfer moves, as far as the details identify it.
    pub fn coin(&self) -> CoinId {
        CoinId::of(ToldCoin {
            hash: self.transaction.hash.as_deref(),
            address: self.transaction.to.as_deref(),
            tag: None,
            asset: self.asset.as_deref(),
            network: self.network.as_ref(),
        })
    }

    /// What leaves the account. A fee in another asset is not a part of it.
    pub fn outflow(&self) -> Outflow {
        let asset = self.asset.as_deref();
        let is_in_asset = |fee: &&FeeQuantity| match (fee.asset.as_deref(), asset) {
            (Some(of_fee), Some(asset)) => of_fee.eq_ignore_ascii_case(asset),
            (Some(_), None) | (None, Some(_) | None) => true,
        };
        let fee = self.fee.as_ref().filter(is_in_asset).map(|fee| fee.quantity.clone());
        Outflow { quantity: self.quantity.clone(), fee, total: self.total.clone() }
    }

    /// Merges `later` into `self`, field by field. A field that `later` does not state keeps its earlier value
    /// (Striga's `PENDING` has no amount).
    pub(super) fn merge(&mut self, later: &Self) {
        // Destructured, so that the compiler reports a new field that is not merged.
        let Self {
            quantity,
            fee,
            total,
            refunded,
            asset,
            network,
            transaction,
            source,
            session,
            conversion,
            account,
            sub_account,
            balances,
            side,
            purpose,
            reference_id,
            provider_status,
            status_reason,
            status_reason_code,
            credit,
            hold,
            exchange,
            family,
            names,
            related,
            created_at,
            updated_at,
            provider_data,
        } = later;
        // The asset is the amount's. A refund alone does not say in what asset the amount was.
        let is_in_another_asset =
            self.quantity.is_some() && quantity.is_none() && total.is_none() && self.has_other_asset_than(later);
        match hold {
            // A deposit of zero is held for that, and shows it.
            Some(_) => replace(&mut self.quantity, quantity),
            None => replace_amount(&mut self.quantity, quantity),
        }
        replace(&mut self.fee, fee);
        replace_amount(&mut self.total, total);
        replace(&mut self.refunded, refunded);
        if !is_in_another_asset {
            replace(&mut self.asset, asset);
            replace(&mut self.network, network);
        }
        self.transaction.merge(transaction);
        replace(&mut self.source.source_type, &source.source_type);
        replace(&mut self.source.integration, &source.integration);
        replace(&mut self.session.id, &session.id);
        replace(&mut self.session.metadata, &session.metadata);
        replace(&mut self.session.created_at, &session.created_at);
        replace(&mut self.conversion.rate, &conversion.rate);
        replace(&mut self.conversion.currency, &conversion.currency);
        replace(&mut self.conversion.notional, &conversion.notional);
        replace(&mut self.account, account);
        replace(&mut self.sub_account, sub_account);
        // The two balances belong to one movement and are replaced together.
        if !is_default(balances) {
            self.balances.clone_from(balances);
        }
        replace(&mut self.side, side);
        // A later statement may leave open what an earlier one said.
        if self.purpose.is_none() || *purpose != Some(Purpose::BankTransfer) {
            replace(&mut self.purpose, purpose);
        }
        replace(&mut self.reference_id, reference_id);
        replace(&mut self.provider_status, provider_status);
        // These belong to the status: a later status without a reason has none.
        self.status_reason.clone_from(status_reason);
        self.status_reason_code.clone_from(status_reason_code);
        self.credit.clone_from(credit);
        self.hold.clone_from(hold);
        replace(&mut self.exchange.sold, &exchange.sold);
        replace(&mut self.exchange.bought, &exchange.bought);
        replace(&mut self.exchange.refunded, &exchange.refunded);
        replace(&mut self.exchange.price, &exchange.price);
        replace(&mut self.family, family);
        self.names.extend(names.iter().cloned());
        self.related.extend(related.iter().cloned());
        replace(&mut self.created_at, created_at);
        replace(&mut self.updated_at, updated_at);
        merge_members(&mut self.provider_data, provider_data);
    }
}

impl Transaction {
    fn merge(&mut self, later: &Self) {
        let Self { hash, from, to, block_number, confirmations } = later;
        replace(&mut self.hash, hash);
        replace(&mut self.from, from);
        replace(&mut self.to, to);
        replace(&mut self.block_number, block_number);
        replace(&mut self.confirmations, confirmations);
    }
}
