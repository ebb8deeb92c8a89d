//! `GET /payments/history`: every status of payments in fiat money [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::{ListForm, Settings};

/// Of which payments in fiat money to list the histories. The list has no filter by date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentHistoriesQuery {
    /// Only this user's payments.
    pub participant: Option<String>,
    /// Only the payments with these ids.
    pub transaction_ids: Vec<String>,
    /// Only payments of this kind, such as `ach`.
    pub transfer_type: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for PaymentHistoriesQuery {
    type Row = PaymentHistory;
    const PAGING: Paging = Paging::ShortPage;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.payment_histories.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        Some(("size", settings.page_sizes.payment_statuses))
    }

    fn filters(&self, _: &Settings) -> Filters {
        Filters::default()
            .personal("participant", self.participant.as_ref())
            .list("transaction_ids", &self.transaction_ids, ListForm::Repeated)
            .text("transfer_type", self.transfer_type.as_ref())
    }
}

/// The history of a payment in fiat money, without unknown fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentHistory {
    /// The payment's id, as in every webhook about it.
    #[serde(deserialize_with = "exact::text")]
    pub transaction_id: String,
    /// Its statuses. The provider documents no order.
    #[serde(default)]
    pub status_history: Vec<PaymentStep>,
}

/// That a payment reached a status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentStep {
    /// The status.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status: Option<String>,
    /// When it was reached.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub timestamp: Option<Timestamp>,
}
