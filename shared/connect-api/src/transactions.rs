//! Transactions: the provider's own list of what was deposited.

use fundhook_domain::Timestamp;
use reqwest::Url;
use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::exact;
use crate::settings::ParameterNames;

/// The most rows that the provider puts in a page.
const PAGE_SIZE_MAX: u32 = 50;

/// Which transactions are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionsQuery {
    /// The number of the page, from 1.
    pub page: u32,
    /// The most rows in it, 1 to 50.
    pub page_size: u32,
    /// The earliest deposit time, itself included. It is sent in milliseconds, a fraction of a second rounded down.
    pub deposited_from: Option<Timestamp>,
    /// The time that every deposit lies before. It is sent in milliseconds, a fraction of a second rounded down.
    pub deposited_before: Option<Timestamp>,
    /// One transaction.
    pub fund_id: Option<String>,
    /// One user's.
    pub participant_code: Option<String>,
    /// One session's, and whatever arrived late at an address of it.
    pub reference_id: Option<String>,
}

impl Default for TransactionsQuery {
    /// The first page of everything.
    fn default() -> Self {
        Self {
            page: 1,
            page_size: PAGE_SIZE_MAX,
            deposited_from: None,
            deposited_before: None,
            fund_id: None,
            participant_code: None,
            reference_id: None,
        }
    }
}

impl TransactionsQuery {
    /// `url` with this query, its parameters called as `names` say.
    pub(crate) fn on(&self, mut url: Url, names: &ParameterNames) -> Result<Url, ApiError> {
        if self.page == 0 {
            return Err(ApiError::InvalidRequest("page is 0, expected 1 or more".into()));
        }
        if !(1..=PAGE_SIZE_MAX).contains(&self.page_size) {
            let problem = format!("page_size is {}, expected 1 to {PAGE_SIZE_MAX}", self.page_size);
            return Err(ApiError::InvalidRequest(problem));
        }
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair(&names.page, &self.page.to_string());
        pairs.append_pair(&names.page_size, &self.page_size.to_string());
        let times = [(&names.deposited_from, self.deposited_from), (&names.deposited_before, self.deposited_before)];
        for (name, at) in times {
            if let (Some(name), Some(at)) = (name, at) {
                pairs.append_pair(name, &(i128::from(at.unix_seconds()) * 1000).to_string());
            }
        }
        let texts = [
            (&names.fund_id, &self.fund_id),
            (&names.participant_code, &self.participant_code),
            (&names.reference_id, &self.reference_id),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                pairs.append_pair(name, text);
            }
        }
        drop(pairs);
        Ok(url)
    }
}

/// A page of transactions: `{message, page, page_size, total_pages}`.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct TransactionsPage {
    /// Each row verbatim, byte for byte as the provider sent it.
    #[serde(rename = "message", deserialize_with = "rows")]
    pub transactions: Vec<Box<RawValue>>,
    /// The number of the page as the provider counts: where it is not the one that was asked for, the provider knows the
    /// parameter by another name.
    #[serde(deserialize_with = "exact::whole")]
    pub page: u32,
    /// The most rows in a page.
    #[serde(deserialize_with = "exact::whole")]
    pub page_size: u32,
    /// How many pages there are; 0 or 1 where there is no row.
    #[serde(deserialize_with = "exact::whole")]
    pub total_pages: u32,
}

impl TransactionsPage {
    pub(crate) const SHAPE: &str = "{message: […], page, page_size, total_pages}";

    /// The rows as typed values, in their order; one that cannot be read spoils no other. The error of a row may quote
    /// what is in it.
    pub fn typed(&self) -> Vec<Result<Transaction, serde_json::Error>> {
        self.transactions.iter().map(|row| serde_json::from_str(row.get())).collect()
    }
}

/// The rows, none where the list is `null`; there must be one or the other.
fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<RawValue>>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A row of `GET /transactions` (seed 000, "Get Transactions"), unknown fields left out. Identifiers and amounts are the
/// exact text, or the digits of the number, that was sent; nothing but the id and the success is taken to be there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Transaction {
    /// The transaction's id, the same in every webhook about it.
    #[serde(deserialize_with = "exact::text")]
    pub fund_id: String,
    /// Whether the funds were credited. `false` is not final, and `true` may come with an exception in `status_reason`.
    #[serde(deserialize_with = "exact::flag")]
    pub success: bool,
    /// Why, in words.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status_reason: Option<String>,
    /// Why, as a code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status_reason_code: Option<String>,
    /// The user.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The platform's reference: the most recent session's, so not unique to a deposit.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reference_id: Option<String>,
    /// Where it was credited.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_label: Option<String>,
    /// What was credited, asset and network in one: `USDC.ETH`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub fund_asset: Option<String>,
    /// What arrived.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposited_asset: Option<String>,
    /// How much, in whole units of the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quantity: Option<String>,
    /// How much in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub notional: Option<String>,
    /// The price of one unit.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub rate: Option<String>,
    /// The currency of price and notional.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quoted_currency: Option<String>,
    /// From where, on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub source_address: Option<String>,
    /// To where, on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_address: Option<String>,
    /// The transaction on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub transaction_id: Option<String>,
    /// When it was credited.
    #[serde(default, deserialize_with = "exact::optional_instant")]
    pub fund_timestamp: Option<Timestamp>,
    /// When it arrived.
    #[serde(default, deserialize_with = "exact::optional_instant")]
    pub deposit_timestamp: Option<Timestamp>,
    /// Whether it is the user's first.
    #[serde(default, deserialize_with = "exact::optional_flag")]
    pub is_first_deposit: Option<bool>,
    /// The fee before discounts, in hundredths of a percent.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub raw_fee_bps: Option<String>,
    /// The fee before discounts, in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub raw_fee_notional: Option<String>,
    /// The fee, in hundredths of a percent.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_bps: Option<String>,
    /// The fee, in the quoted currency; may be empty.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_notional: Option<String>,
    /// From what kind of account it came.
    pub source: Option<TransactionSource>,
}

/// From what kind of account a transaction came.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct TransactionSource {
    /// `CUSTODIAL`, `NON_CUSTODIAL` or `MANUAL`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Which: `coinbase`, `metamask`, `manual` …
    pub integration: Option<String>,
}
