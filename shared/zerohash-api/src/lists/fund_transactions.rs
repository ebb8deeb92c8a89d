//! `GET /fund/transactions`: deposits of the account funding product [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position, TimeWindow};
use crate::settings::{FilterTime, Settings};

/// Which fund transactions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FundTransactionsQuery {
    /// When the deposit arrived. Its unit is [`Settings::deposit_timestamp_unit`](crate::Settings::deposit_timestamp_unit).
    pub deposited: TimeWindow,
    /// Only this user's transactions.
    pub participant_code: Option<String>,
    /// Only the transaction with this id.
    pub fund_id: Option<String>,
    /// Only the transactions with this reference of the platform. It is that of the most recent token, so several deposits may share it.
    pub reference_id: Option<String>,
    /// Only the transactions of one token ([`ClientAuthToken::deposit_intent_id`](crate::ClientAuthToken::deposit_intent_id)).
    pub deposit_intent_id: Option<String>,
    /// Only this asset, with its network: `USDC.BASE`.
    pub fund_asset: Option<String>,
    /// Only deposits at this address.
    pub deposit_address: Option<String>,
    /// Only credited transactions, or only others.
    pub success: Option<bool>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for FundTransactionsQuery {
    type Row = FundTransaction;
    const PAGING: Paging = Paging::TotalPages;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.fund_transactions.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        Some(("page_size", settings.page_sizes.fund_transactions))
    }

    fn filters(&self, settings: &Settings) -> Filters {
        Filters::default()
            .window("deposit_timestamp_", "", self.deposited, FilterTime::Unix(settings.deposit_timestamp_unit))
            .personal("participant_code", self.participant_code.as_ref())
            .text("fund_id", self.fund_id.as_ref())
            .personal("reference_id", self.reference_id.as_ref())
            .text("deposit_intent_id", self.deposit_intent_id.as_ref())
            .text("fund_asset", self.fund_asset.as_ref())
            .personal("deposit_address", self.deposit_address.as_ref())
            .flag("success", self.success)
    }
}

/// A fund transaction, without unknown fields. Identifiers and amounts are the exact string, or the digits of the number, that
/// was sent. Amounts are stated several times and differently: which of them is net of a fee is not documented.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FundTransaction {
    /// The transaction's id, as in every webhook about it.
    #[serde(deserialize_with = "exact::text")]
    pub fund_id: String,
    /// Whether the funds were credited. `false` is not always final; `true` may come with an exception in the reason.
    #[serde(deserialize_with = "exact::flag")]
    pub success: bool,
    /// The reason for the status, in words. Fails of newer pages have it instead of `status_reason`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reason: Option<String>,
    /// The reason for the status, in words.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status_reason: Option<String>,
    /// The reason for the status, as a code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status_reason_code: Option<String>,
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The platform's reference.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reference_id: Option<String>,
    /// The token under which the deposit was made.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_intent_id: Option<String>,
    /// The account that was credited.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_label: Option<String>,
    /// The credited asset with its network: `USDC.ETH`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub fund_asset: Option<String>,
    /// The deposited asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposited_asset: Option<String>,
    /// The amount, in whole units of the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quantity: Option<String>,
    /// The price of one unit of the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub rate: Option<String>,
    /// The value in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub notional: Option<String>,
    /// The currency of `rate` and `notional`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quoted_currency: Option<String>,
    /// The sender's address on the chain; `-` if nothing arrived.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub source_address: Option<String>,
    /// The receiving address on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_address: Option<String>,
    /// The id of the transaction on the chain; empty if nothing arrived.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub transaction_id: Option<String>,
    /// When the funds were credited.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub fund_timestamp: Option<Timestamp>,
    /// When the deposit arrived.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub deposit_timestamp: Option<Timestamp>,
    /// Whether this is the user's first deposit.
    #[serde(default, deserialize_with = "exact::optional_flag")]
    pub is_first_deposit: Option<bool>,
    /// The fee computed from the rate, in basis points.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub raw_fee_bps: Option<String>,
    /// The fee computed from the rate, in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub raw_fee_notional: Option<String>,
    /// The fee charged, after floors, in basis points.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_bps: Option<String>,
    /// The fee charged, after floors, in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_notional: Option<String>,
    /// `flat` or `tiered`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_type: Option<String>,
    /// The fee of the asset's issuer.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub issuer_fee_amount: Option<String>,
    /// Who bears the issuer's fee, such as `CUSTOMER`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub issuer_fee_payor_type: Option<String>,
}
