//! Transactions: the provider's own list of deposits.

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde_json::value::RawValue;

use crate::settings::ParameterNames;

/// The most rows that the provider puts on a page [connect-guide §7].
const PAGE_SIZE_MAX: u32 = 50;

/// Which transactions to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionsQuery {
    /// The number of the page, from 1.
    pub page: u32,
    /// The most rows on the page, 1 to 50.
    pub page_size: u32,
    /// The earliest deposit time, inclusive. It is sent in milliseconds, rounded down to a whole second.
    pub deposited_from: Option<Timestamp>,
    /// The latest deposit time, exclusive. It is sent in milliseconds, rounded down to a whole second.
    pub deposited_before: Option<Timestamp>,
    /// Only the transaction with this id.
    pub fund_id: Option<String>,
    /// Only this user's transactions.
    pub participant_code: Option<String>,
    /// Only this session's transactions, including those that arrived late at one of its addresses.
    pub reference_id: Option<String>,
}

impl Default for TransactionsQuery {
    /// The first page of all transactions.
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
    /// Appends this query to `url`, with the parameter names in `names`.
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
    /// The rows, byte for byte as the provider sent them.
    #[serde(rename = "message", deserialize_with = "exact::rows")]
    pub transactions: Vec<Box<RawValue>>,
    /// The number of the page, as the provider counts. If it differs from the requested page, the provider does not know
    /// the parameter by the name in [`ParameterNames::page`].
    #[serde(deserialize_with = "exact::whole")]
    pub page: u32,
    /// The most rows on a page.
    #[serde(deserialize_with = "exact::whole")]
    pub page_size: u32,
    /// The number of pages; 0 or 1 when there are no rows.
    #[serde(deserialize_with = "exact::whole")]
    pub total_pages: u32,
}

impl TransactionsPage {
    pub(crate) const SHAPE: &str = "{message: […], page, page_size, total_pages}";

    /// The rows as typed values, in order. A row that cannot be parsed does not affect the others. Its error may quote the
    /// row's content, so do not log it.
    pub fn typed(&self) -> Vec<Result<Transaction, serde_json::Error>> {
        self.transactions.iter().map(|row| serde_json::from_str(row.get())).collect()
    }
}

/// A row of `GET /transactions` [connect-guide §7], without unknown fields. Identifiers and amounts are the exact string, or
/// the digits of the number, that was sent. Only `fund_id` and `success` are required.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Transaction {
    /// The transaction's id, as in every webhook about it.
    #[serde(deserialize_with = "exact::text")]
    pub fund_id: String,
    /// Whether the funds were credited. `false` is not final; `true` may come with an exception in `status_reason`.
    #[serde(deserialize_with = "exact::flag")]
    pub success: bool,
    /// The reason for the status, in words.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status_reason: Option<String>,
    /// The reason for the status, as a code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status_reason_code: Option<String>,
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The platform's reference. It is that of the most recent session, so several deposits may share it.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reference_id: Option<String>,
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
    /// The value in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub notional: Option<String>,
    /// The price of one unit of the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub rate: Option<String>,
    /// The currency of `rate` and `notional`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quoted_currency: Option<String>,
    /// The sender's address on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub source_address: Option<String>,
    /// The receiving address on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_address: Option<String>,
    /// The id of the transaction on the chain.
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
    /// The fee before discounts, in basis points.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub raw_fee_bps: Option<String>,
    /// The fee before discounts, in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub raw_fee_notional: Option<String>,
    /// The fee, in basis points.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_bps: Option<String>,
    /// The fee, in the quoted currency; may be empty.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_fee_notional: Option<String>,
    /// The account that the deposit came from.
    pub source: Option<TransactionSource>,
}

/// The account that a transaction came from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct TransactionSource {
    /// The kind of account: `CUSTODIAL`, `NON_CUSTODIAL` or `MANUAL`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The integration: `coinbase`, `metamask`, `manual` …
    pub integration: Option<String>,
}
