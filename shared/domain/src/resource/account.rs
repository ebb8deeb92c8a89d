//! What a provider says about users, their accounts and what those hold, and about what nothing claims.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::overlay::{overlay_members, replace};
use crate::{Quantity, Timestamp};

/// What a provider says about a user, or about a user's account elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AccountDetails {
    /// The user, by the identifier that provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What the user calls the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The status in the provider's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
    /// Why it has that status, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// All that has no field above, under the provider's own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// What a provider says about how much an account holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BalanceDetails {
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Of which asset: its code, without a network's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// On which network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<crate::Network>,
    /// The user, by the identifier that provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Which of the user's accounts at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// All that has no field above, under the provider's own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// What is known of a webhook that verified and that nothing claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnrecognizedDetails {
    /// Why it was not understood, in a sentence.
    pub reason: String,
    /// The name the webhook gives itself, where one was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_type: Option<String>,
    /// The length of its body in bytes. The body itself lies in the evidence.
    pub body_bytes: u64,
}

impl AccountDetails {
    pub(crate) fn overlay(&mut self, later: &Self) {
        let Self { account, nickname, provider_status, status_reason, updated_at, provider_data } = later;
        replace(&mut self.account, account);
        replace(&mut self.nickname, nickname);
        replace(&mut self.provider_status, provider_status);
        // The reason belongs to the status: a later status without one has none.
        self.status_reason.clone_from(status_reason);
        replace(&mut self.updated_at, updated_at);
        overlay_members(&mut self.provider_data, provider_data);
    }
}

impl BalanceDetails {
    pub(crate) fn overlay(&mut self, later: &Self) {
        let Self { quantity, asset, network, account, sub_account, updated_at, provider_data } = later;
        replace(&mut self.quantity, quantity);
        replace(&mut self.asset, asset);
        replace(&mut self.network, network);
        replace(&mut self.account, account);
        replace(&mut self.sub_account, sub_account);
        replace(&mut self.updated_at, updated_at);
        // What moved last is not merged with what moved before.
        self.provider_data.clone_from(provider_data);
    }
}
