//! `GET /deposits`: settled deposits of any kind, of the last two months [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position, TimeWindow};
use crate::settings::{FilterTime, FilterUnit, Settings};

/// Which settled deposits to list. The list reaches back two months.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DepositsQuery {
    /// When the deposit was settled.
    pub settled: TimeWindow,
    /// Only this user's deposits.
    pub participant_code: Option<String>,
    /// Only deposits to accounts with this label, such as `recovery_quarantine`.
    pub account_label: Option<String>,
    /// Only this asset.
    pub asset: Option<String>,
    /// Whether the customers' deposits are listed beside the platform's own.
    pub include_customer_deposits: Option<bool>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for DepositsQuery {
    type Row = Deposit;
    const PAGING: Paging = Paging::TotalPages;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.deposits.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        settings.page_sizes.deposits.map(|rows| ("page_size", rows))
    }

    fn filters(&self, _: &Settings) -> Filters {
        Filters::default()
            .window("settle_timestamp[", "]", self.settled, FilterTime::Unix(FilterUnit::Milliseconds))
            .personal("participant_code", self.participant_code.as_ref())
            .text("account_label", self.account_label.as_ref())
            .text("asset", self.asset.as_ref())
            .flag("include_customer_deposits", self.include_customer_deposits)
    }
}

/// A settled deposit, without unknown fields. Identifiers and amounts are exact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Deposit {
    /// The id of the movement that credited it.
    #[serde(deserialize_with = "exact::text")]
    pub movement_id: String,
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The account that was credited.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_label: Option<String>,
    /// The asset with its network.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub asset: Option<String>,
    /// The amount, in whole units of the asset.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub amount: Option<String>,
    /// The id of the transaction on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reference_id: Option<String>,
    /// Where it came from.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub source: Option<String>,
    /// The receiving address on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub received_address: Option<String>,
    /// When it was settled.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub settle_timestamp: Option<Timestamp>,
    /// The run that booked it. Runs are not in the order of time.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub run_id: Option<String>,
    /// The reason for its state.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub state_reason: Option<String>,
    /// The state of the travel rule check; `pending` while the deposit is held.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub travel_rule_status: Option<String>,
}
