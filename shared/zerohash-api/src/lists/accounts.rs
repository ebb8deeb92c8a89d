//! `GET /accounts`: the balances of accounts [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::Settings;

/// Which accounts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountsQuery {
    /// Only this user's accounts, by the `participant_code`.
    pub account_owner: Option<String>,
    /// Only the accounts of this group.
    pub account_group: Option<String>,
    /// Only accounts with this label, such as `general`.
    pub account_label: Option<String>,
    /// Only accounts of this type, such as `available` or `collateral`.
    pub account_type: Option<String>,
    /// Only accounts in this asset.
    pub asset: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for AccountsQuery {
    type Row = Account;
    const PAGING: Paging = Paging::TotalPages;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.accounts.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn filters(&self, _: &Settings) -> Filters {
        Filters::default()
            .personal("account_owner", self.account_owner.as_ref())
            .text("account_group", self.account_group.as_ref())
            .text("account_label", self.account_label.as_ref())
            .text("account_type", self.account_type.as_ref())
            .text("asset", self.asset.as_ref())
    }
}

/// An account, without unknown fields. Identifiers and amounts are exact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The account's id.
    #[serde(deserialize_with = "exact::text")]
    pub account_id: String,
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_owner: Option<String>,
    /// The group.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_group: Option<String>,
    /// The label, such as `general`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_label: Option<String>,
    /// Such as `available`, `collateral`, `payable` or `receivable`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub account_type: Option<String>,
    /// The asset with its network.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub asset: Option<String>,
    /// The balance.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub balance: Option<String>,
    /// When the balance last changed.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub last_update: Option<Timestamp>,
}
