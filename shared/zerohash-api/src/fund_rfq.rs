//! Quotes with a deposit address: `POST /fund/rfq` [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, Redactions, exact};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::auth_token::check_reference;

/// A quote to request. Fields that are `None` are not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FundRfqRequest {
    /// The user's code.
    pub participant_code: String,
    /// The asset with its network: `USDC.BASE`.
    pub fund_asset: String,
    /// The account to credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_label: Option<String>,
    /// The platform's reference, at most 50 characters. Webhooks and lists have it as `reference_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_fund_id: Option<String>,
}

impl FundRfqRequest {
    /// A quote for a deposit of `fund_asset`.
    pub fn new(participant_code: &str, fund_asset: &str) -> Self {
        let (participant_code, fund_asset) = (participant_code.to_owned(), fund_asset.to_owned());
        Self { participant_code, fund_asset, account_label: None, client_fund_id: None }
    }

    /// The request's body, and the values in it that no message may repeat.
    pub(crate) fn body(&self) -> Result<(Vec<u8>, Redactions), ApiError> {
        check_reference("client_fund_id", self.client_fund_id.as_deref())?;
        let body = serde_json::to_vec(self);
        let body = body.map_err(|_| ApiError::InvalidRequest("the request cannot be serialized as JSON".to_owned()))?;
        let personal = [Some(&self.participant_code), self.client_fund_id.as_ref()].into_iter().flatten().cloned();
        Ok((body, Redactions::of(personal)))
    }
}

/// A quote with a deposit address. Amounts are exact. It has no `fund_id` yet.
#[derive(Clone, Debug, Deserialize)]
pub struct FundRfq {
    /// The address to deposit at.
    #[serde(deserialize_with = "exact::text")]
    pub deposit_address: String,
    /// The quote's id.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub request_id: Option<String>,
    /// The price of one unit of the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub rate: Option<String>,
    /// The currency of `rate`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quoted_currency: Option<String>,
    /// When the price expires; `None` for stablecoins.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub expiry_timestamp: Option<Timestamp>,
    /// The smallest deposit that is converted.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub minimum_deposit: Option<String>,
    /// The largest deposit that is converted.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub maximum_deposit: Option<String>,
    /// The fee, in basis points.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_bps: Option<String>,
    /// The smallest fee of a user's first deposit.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub first_deposit_fee_floor: Option<String>,
    /// The smallest fee of every later deposit.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub subsequent_deposit_fee_floor: Option<String>,
    /// `flat` or `tiered`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_type: Option<String>,
    /// The tiers of the fee, as they were sent.
    #[serde(default)]
    pub deposit_fee_tiers: Option<Box<RawValue>>,
    /// The platform's reference.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reference_id: Option<String>,
}

/// The provider's response.
#[derive(Deserialize)]
pub(crate) struct FundRfqReply {
    pub(crate) message: FundRfq,
}

impl FundRfqReply {
    pub(crate) const SHAPE: &str = "{message: {deposit_address, …}}";
}
