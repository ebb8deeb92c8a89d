//! What a provider says about money on its way.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::overlay::{overlay_members, replace};
use crate::coin::canonical_hash;
use crate::{DecimalValue, Network, Quantity, ResourceId, Timestamp};

/// What a provider says about a deposit, a withdrawal or a fee. Every part may be missing from any one webhook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransferDetails {
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// What it costs beside that, in the same asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Quantity>,
    /// What leaves or reaches the account in all, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Quantity>,
    /// What was given back when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Quantity>,
    /// Of which asset: its code, without a network's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// On which network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// On chain.
    #[serde(skip_serializing_if = "is_default")]
    pub transaction: Transaction,
    /// Where the money comes from.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Source,
    /// The session of the provider's SDK in which it began.
    #[serde(skip_serializing_if = "is_default")]
    pub session: Session,
    /// What it was converted into.
    #[serde(skip_serializing_if = "is_default")]
    pub conversion: Conversion,
    /// The user, by the identifier that provider and platform share: a participant code, or Striga's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Which of the user's accounts at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// What that account held.
    #[serde(skip_serializing_if = "is_default")]
    pub balances: Balances,
    /// Whether the account was debited or credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The platform's own identifier of the funding attempt. Several deposits may carry the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// The status in the provider's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
    /// Why it has that status, in the provider's words. A success may carry one: an exception from what was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Which of the provider's streams of webhooks tells of it: `zerohash.fund`. The same coin may come through several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Resources that are part of the same matter, such as a withdrawal and its fee.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub related: BTreeSet<ResourceId>,
    /// When the provider created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// All that has no field above, under the provider's own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// A transaction on chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Transaction {
    /// Its hash, as the provider spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The sending address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The receiving address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The number of its block, in decimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_number: Option<String>,
    /// How many blocks confirm it, in decimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<String>,
}

/// Where money comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Source {
    /// The sort of source in the provider's word: `CUSTODIAL`, `NON_CUSTODIAL`, `MANUAL`.
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
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The platform's own data, as it gave it when the session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// When the session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// What crypto was converted into on arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Conversion {
    /// At how many units of `currency` the coin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<DecimalValue>,
    /// Into which currency: `USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// How much of it, in whole units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notional: Option<DecimalValue>,
}

/// What an account held before and after a movement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Balances {
    /// Before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Quantity>,
    /// After.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Quantity>,
}

/// The side of the account on which an amount is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The account has less of it.
    Debit,
    /// The account has more of it.
    Credit,
}

/// Whether both are said, and differently.
fn differ<T: PartialEq>([one, other]: &[Option<T>; 2]) -> bool {
    one.is_some() && other.is_some() && one != other
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl TransferDetails {
    /// What both say of the money, and say differently.
    pub(crate) fn contradictions(&self, other: &Self) -> Vec<&'static str> {
        let amounts = [self, other].map(|said| said.quantity.as_ref().and_then(Quantity::in_major));
        let assets = [self, other].map(|said| said.asset.as_deref().map(str::to_uppercase));
        // A spelling that is not known tells nothing of whether the chain is another.
        let chains = [self, other].map(|said| said.network.as_ref().and_then(Network::caip2));
        let hashes = [self, other].map(|said| said.transaction.hash.as_deref().map(canonical_hash));
        let accounts = [self, other].map(|said| said.account.as_deref());
        [
            ("amount", differ(&amounts)),
            ("asset", differ(&assets)),
            ("network", differ(&chains)),
            ("transaction", differ(&hashes)),
            ("account", differ(&accounts)),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Whether it tells all that a claim is made of.
    pub(crate) fn names_a_coin(&self) -> bool {
        let Transaction { hash, to, .. } = &self.transaction;
        hash.is_some() && to.is_some() && self.asset.is_some()
    }

    /// Puts `later` over `self`, field by field: what a later webhook does not say keeps what an earlier one said
    /// (Striga's `PENDING` carries no amount).
    pub(crate) fn overlay(&mut self, later: &Self) {
        // Destructured, so that a new field cannot be forgotten here.
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
            reference_id,
            provider_status,
            status_reason,
            stream,
            related,
            created_at,
            updated_at,
            provider_data,
        } = later;
        replace(&mut self.quantity, quantity);
        replace(&mut self.fee, fee);
        replace(&mut self.total, total);
        replace(&mut self.refunded, refunded);
        replace(&mut self.asset, asset);
        replace(&mut self.network, network);
        self.transaction.overlay(transaction);
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
        // Before and after belong to one movement.
        if !is_default(balances) {
            self.balances.clone_from(balances);
        }
        replace(&mut self.side, side);
        replace(&mut self.reference_id, reference_id);
        replace(&mut self.provider_status, provider_status);
        // The reason belongs to the status: one that is given without a reason has none.
        self.status_reason.clone_from(status_reason);
        replace(&mut self.stream, stream);
        self.related.extend(related.iter().cloned());
        replace(&mut self.created_at, created_at);
        replace(&mut self.updated_at, updated_at);
        overlay_members(&mut self.provider_data, provider_data);
    }
}

impl Transaction {
    fn overlay(&mut self, later: &Self) {
        let Self { hash, from, to, block_number, confirmations } = later;
        replace(&mut self.hash, hash);
        replace(&mut self.from, from);
        replace(&mut self.to, to);
        replace(&mut self.block_number, block_number);
        replace(&mut self.confirmations, confirmations);
    }
}
