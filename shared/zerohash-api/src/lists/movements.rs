//! `GET /movements` and `GET /accounts/{account_id}/movements`: what changed the balances of accounts [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::{List, below};
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position, TimeWindow};
use crate::settings::{FilterTime, FilterUnit, Settings};

/// Which movements to list. The list reaches back two months.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovementsQuery {
    /// Only the movements of this fund transaction or payment, by its `fund_id` or `payment_id`.
    pub parent_link_id: Option<String>,
    /// Only movements of this type.
    pub movement_type: Option<String>,
    /// Only transfers of this type.
    pub transfer_type: Option<String>,
    /// Only the movements of this account.
    pub account_id: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for MovementsQuery {
    type Row = Movement;
    const PAGING: Paging = Paging::TotalPages;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.movements.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        Some(("page_size", settings.page_sizes.movements))
    }

    fn filters(&self, _: &Settings) -> Filters {
        Filters::default()
            .text("parent_link_id", self.parent_link_id.as_ref())
            .text("movement_type", self.movement_type.as_ref())
            .text("transfer_type", self.transfer_type.as_ref())
            .text("account_id", self.account_id.as_ref())
    }
}

/// A movement of an account, without unknown fields. Identifiers and amounts are exact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Movement {
    /// The movement's id.
    #[serde(deserialize_with = "exact::text")]
    pub movement_id: String,
    /// The account.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_id: Option<String>,
    /// The type, such as `deposit`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub movement_type: Option<String>,
    /// The change of the balance, with its sign.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub change: Option<String>,
    /// When it happened.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub movement_timestamp: Option<Timestamp>,
    /// The run that booked it. Runs are not in the order of time.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub run_id: Option<String>,
    /// The deposit, by its id on the chain.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_reference_id: Option<String>,
    /// The withdrawal request.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub withdrawal_request_id: Option<String>,
    /// The trade.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub trade_id: Option<String>,
    /// The fund transaction or payment.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub parent_link_id: Option<String>,
}

/// Which movements of one account to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountMovementsQuery {
    /// The account, by the id that [`Account::account_id`](crate::Account::account_id) has.
    pub account_id: String,
    /// When the movement happened.
    pub moved: TimeWindow,
    /// Only the movements of this fund transaction or payment.
    pub parent_link_id: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl AccountMovementsQuery {
    /// All movements of the account.
    pub fn new(account_id: &str) -> Self {
        let moved = TimeWindow::default();
        Self { account_id: account_id.to_owned(), moved, parent_link_id: None, position: None }
    }
}

impl List for AccountMovementsQuery {
    type Row = AccountMovement;
    const PAGING: Paging = Paging::TotalPages;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        below(&endpoints.accounts, "account_id", &[&self.account_id, "movements"])
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn filters(&self, _: &Settings) -> Filters {
        Filters::default()
            .window("movement_timestamp[", "]", self.moved, FilterTime::Unix(FilterUnit::Milliseconds))
            .text("parent_link_id", self.parent_link_id.as_ref())
    }
}

/// A movement of one account, without unknown fields. Identifiers and amounts are exact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountMovement {
    /// The run that booked it. Runs are not in the order of time.
    #[serde(deserialize_with = "exact::text")]
    pub run_id: String,
    /// The movement's id.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub movement_id: Option<String>,
    /// The type, such as `deposit`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub movement_type: Option<String>,
    /// The change of the balance, with its sign.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub change: Option<String>,
    /// When it happened.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub movement_timestamp: Option<Timestamp>,
    /// The fund transaction or payment.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub parent_link_id: Option<String>,
}
