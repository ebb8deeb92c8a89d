//! `GET /payments`: payments in crypto [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::{FilterTime, FilterUnit, Settings};

/// Which payments in crypto to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentsQuery {
    /// The earliest creation, sent in seconds.
    pub created_from: Option<Timestamp>,
    /// The latest creation, sent in seconds.
    pub created_until: Option<Timestamp>,
    /// Only this user's payments.
    pub participant_code: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for PaymentsQuery {
    type Row = Payment;
    const PAGING: Paging = Paging::ShortPage;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.payments.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        Some(("size", settings.page_sizes.payments))
    }

    fn filters(&self, _: &Settings) -> Filters {
        let seconds = FilterTime::Unix(FilterUnit::Seconds);
        Filters::default()
            .from("start_date", self.created_from, seconds)
            .to("end_date", self.created_until, seconds)
            .personal("participant_code", self.participant_code.as_ref())
    }
}

/// A payment in crypto, without unknown fields. Identifiers and amounts are exact. `GET /payments/{payment_id}` answers with
/// one of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Payment {
    /// The payment's id.
    #[serde(deserialize_with = "exact::text")]
    pub payment_id: String,
    /// `initialized`, `submitted`, `pending`, `posted`, `settled`, `failed` or `abandoned`. The last three are final.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status: Option<String>,
    /// The kind of payment, such as `payout`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub payment_type: Option<String>,
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The user on whose behalf the payment is made.
    #[serde(default)]
    pub obo_participant: Option<OboParticipant>,
    /// The asset with its network; empty while the payment is initialized.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub asset: Option<String>,
    /// The network.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub network: Option<String>,
    /// The currency of `total`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quoted_asset: Option<String>,
    /// What was asked for.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub total: Option<String>,
    /// What is sent.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub quantity: Option<String>,
    /// The account that receives it.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub external_account_id: Option<String>,
    /// Why it failed.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub failure_reason: Option<String>,
    /// The platform's reference.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reference_id: Option<String>,
    /// When it was created.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub created_at: Option<Timestamp>,
    /// When it last changed. It equals `created_at` in every known sample.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub updated_at: Option<Timestamp>,
    /// How it is carried out.
    #[serde(default)]
    pub payment_details: Option<PaymentDetails>,
}

/// The user on whose behalf a payment is made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OboParticipant {
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The account's group.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_group: Option<String>,
    /// The account's label.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_label: Option<String>,
}

/// How a payment is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentDetails {
    /// The withdrawal request; empty at first.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub withdrawal_request_id: Option<String>,
    /// The trade, if the money was converted.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub trade_id: Option<String>,
    /// The id of the transaction on the chain; empty until it is posted.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub on_chain_transaction_id: Option<String>,
    /// The network's fee in the quoted currency.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub network_fee_notional: Option<String>,
    /// The network's fee in the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub network_fee_quantity: Option<String>,
    /// The receiving address on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub destination_address: Option<String>,
}
