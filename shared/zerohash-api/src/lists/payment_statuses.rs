//! `GET /payments/status`: payments in fiat money [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::{FilterTime, FilterUnit, Settings};

/// Which payments in fiat money to list. Without dates the provider lists those of the last day only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentStatusesQuery {
    /// The earliest date, sent in seconds.
    pub from: Option<Timestamp>,
    /// The latest date, sent in seconds.
    pub until: Option<Timestamp>,
    /// Only this user's payments.
    pub participant: Option<String>,
    /// Only the payment with this id.
    pub transaction_id: Option<String>,
    /// Only the payments of this trade.
    pub trade_id: Option<String>,
    /// Only payments with this status.
    pub status: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for PaymentStatusesQuery {
    type Row = PaymentStatusRow;
    const PAGING: Paging = Paging::ShortPage;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.payment_statuses.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        Some(("size", settings.page_sizes.payment_statuses))
    }

    fn filters(&self, _: &Settings) -> Filters {
        let seconds = FilterTime::Unix(FilterUnit::Seconds);
        Filters::default()
            .from("start_date", self.from, seconds)
            .to("end_date", self.until, seconds)
            .personal("participant", self.participant.as_ref())
            .text("transaction_id", self.transaction_id.as_ref())
            .text("trade_id", self.trade_id.as_ref())
            .text("status", self.status.as_ref())
    }
}

/// A payment in fiat money, without unknown fields. Identifiers and amounts are exact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentStatusRow {
    /// The payment's id, as in every webhook about it.
    #[serde(deserialize_with = "exact::text")]
    pub transaction_id: String,
    /// Its status. None is final: a settled payment may be returned up to 60 days later [zerohash-ach-returns].
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status: Option<String>,
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The amount.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub amount: Option<String>,
    /// The trade, if the money was converted.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub trade_id: Option<String>,
    /// Why the bank returned it.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub ach_failure_reason: Option<String>,
    /// When it was created.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub updated_at: Option<Timestamp>,
}
