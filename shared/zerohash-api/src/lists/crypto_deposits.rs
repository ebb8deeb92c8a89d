//! `GET /deposits/crypto`: deposits on a chain with the history of their states [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::Settings;

/// Which deposits on a chain to list. States are written in upper case, such as `PENDING_COMPLIANCE_REVIEW`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CryptoDepositsQuery {
    /// The earliest deposit, inclusive.
    pub from: Option<Timestamp>,
    /// The latest deposit, inclusive.
    pub until: Option<Timestamp>,
    /// Only deposits with these ids.
    pub deposit_ids: Vec<String>,
    /// Only deposits to these accounts.
    pub account_ids: Vec<String>,
    /// Only deposits in these transactions.
    pub transaction_hashes: Vec<String>,
    /// Only these assets.
    pub assets: Vec<String>,
    /// Only deposits in these states.
    pub states: Vec<String>,
    /// Only deposits with these reasons for their states.
    pub state_reasons: Vec<String>,
    /// Only deposits with this state of the travel rule check.
    pub travel_rule_status: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for CryptoDepositsQuery {
    type Row = CryptoDeposit;
    const PAGING: Paging = Paging::Cursor;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.crypto_deposits.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        Some(("limit", settings.page_sizes.crypto_deposits))
    }

    fn filters(&self, settings: &Settings) -> Filters {
        Filters::default()
            .from("from_timestamp", self.from, settings.crypto_deposit_time)
            .to("to_timestamp", self.until, settings.crypto_deposit_time)
            .list("deposit_ids", &self.deposit_ids, settings.crypto_deposit_lists)
            .list("account_ids", &self.account_ids, settings.crypto_deposit_lists)
            .list("transaction_hashes", &self.transaction_hashes, settings.crypto_deposit_lists)
            .list("assets", &self.assets, settings.crypto_deposit_lists)
            .list("states", &self.states, settings.crypto_deposit_lists)
            .list("state_reasons", &self.state_reasons, settings.crypto_deposit_lists)
            .text("travel_rule_status", self.travel_rule_status.as_ref())
    }
}

/// A deposit on a chain, without unknown fields. Identifiers and amounts are exact. Members are in camel case, and states in
/// lower case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CryptoDeposit {
    /// The deposit's id, as in every webhook about it.
    #[serde(rename = "depositId", deserialize_with = "exact::text")]
    pub deposit_id: String,
    /// Its state, such as `confirmed`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub state: Option<String>,
    /// The reason for its state.
    #[serde(rename = "stateReason", default, deserialize_with = "exact::optional_text")]
    pub state_reason: Option<String>,
    /// The user's code.
    #[serde(rename = "participantCode", default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The account that is credited. Webhooks spell it differently.
    #[serde(rename = "accountId", default, deserialize_with = "exact::optional_text")]
    pub account_id: Option<String>,
    /// The id of the transaction on the chain.
    #[serde(rename = "transactionHash", default, deserialize_with = "exact::optional_text")]
    pub transaction_hash: Option<String>,
    /// The asset with its network.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub asset: Option<String>,
    /// The amount, in whole units of the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub amount: Option<String>,
    /// The sender's address on the chain.
    #[serde(rename = "sourceAddress", default, deserialize_with = "exact::optional_text")]
    pub source_address: Option<String>,
    /// The receiving address on the chain.
    #[serde(rename = "receivedAddress", default, deserialize_with = "exact::optional_text")]
    pub received_address: Option<String>,
    /// The state of the travel rule check.
    #[serde(rename = "travelRuleStatus", default, deserialize_with = "exact::optional_text")]
    pub travel_rule_status: Option<String>,
    /// When it was first seen.
    #[serde(rename = "createdAt", default, deserialize_with = "exact::optional_timestamp")]
    pub created_at: Option<Timestamp>,
    /// When its state last changed.
    #[serde(rename = "updatedAt", default, deserialize_with = "exact::optional_timestamp")]
    pub updated_at: Option<Timestamp>,
    /// The changes of its state.
    #[serde(default)]
    pub history: Vec<StateChange>,
}

/// A change of a deposit's state.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StateChange {
    /// The state before it.
    #[serde(rename = "fromState", default, deserialize_with = "exact::optional_text")]
    pub from_state: Option<String>,
    /// The state after it.
    #[serde(rename = "toState", default, deserialize_with = "exact::optional_text")]
    pub to_state: Option<String>,
    /// When it happened.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub timestamp: Option<Timestamp>,
}
