//! Details of participants, external accounts, balances and unrecognized webhooks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::merge::{merge_members, replace};
use crate::{Network, Quantity, Timestamp};

/// What a provider says about a user, or about a user's account at another institution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AccountDetails {
    /// The user's identifier, which provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user's name for the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The status in the provider's wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
    /// The reason for the status, in the provider's wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything that has no field above, under the provider's names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// What a provider says about the amount of an asset in an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BalanceDetails {
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// The asset's code, without the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The user's identifier, which provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user's account at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything that has no field above, under the provider's names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// What is known about a verified webhook that was not recognized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnrecognizedDetails {
    /// Why it was not recognized, as a sentence.
    pub reason: String,
    /// The webhook's name for itself; missing when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_type: Option<String>,
    /// The length of its body in bytes. The body itself is archived as evidence.
    pub body_bytes: u64,
}

impl AccountDetails {
    pub(super) fn merge(&mut self, later: &Self) {
        let Self { account, nickname, provider_status, status_reason, updated_at, provider_data } = later;
        replace(&mut self.account, account);
        replace(&mut self.nickname, nickname);
        replace(&mut self.provider_status, provider_status);
        // The reason belongs to the status: a later status without a reason has none.
        if provider_status.is_some() {
            self.status_reason.clone_from(status_reason);
        }
        replace(&mut self.updated_at, updated_at);
        merge_members(&mut self.provider_data, provider_data);
    }
}

impl BalanceDetails {
    /// What both state differently: `amount`.
    pub(super) fn contradictions(&self, other: &Self) -> Vec<&'static str> {
        let amount = |details: &Self| details.quantity.as_ref().and_then(Quantity::in_major);
        match (amount(self), amount(other)) {
            (Some(one), Some(other)) if one != other => vec!["amount"],
            (_, _) => Vec::new(),
        }
    }

    pub(super) fn merge(&mut self, later: &Self) {
        let Self { quantity, asset, network, account, sub_account, updated_at, provider_data } = later;
        replace(&mut self.quantity, quantity);
        replace(&mut self.asset, asset);
        replace(&mut self.network, network);
        replace(&mut self.account, account);
        replace(&mut self.sub_account, sub_account);
        replace(&mut self.updated_at, updated_at);
        // The data describe one movement, so those of two movements are not merged.
        self.provider_data.clone_from(provider_data);
    }
}
