//! `GET /payments/external_accounts`: users' accounts at banks [zerohash-external-accounts].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::{ListForm, Settings};

/// Which external accounts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalAccountsQuery {
    /// Only the accounts of these users, by their codes. Empty is all.
    pub participants: Vec<String>,
    /// Only accounts with this status.
    pub account_status: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for ExternalAccountsQuery {
    type Row = ExternalAccount;
    const PAGING: Paging = Paging::ShortPage;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.external_accounts.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn size(&self, settings: &Settings) -> Option<(&'static str, u32)> {
        Some(("size", settings.page_sizes.external_accounts))
    }

    fn filters(&self, _: &Settings) -> Filters {
        Filters::default()
            .personal_list("participants", &self.participants, ListForm::Commas)
            .text("account_status", self.account_status.as_ref())
    }
}

/// A user's account at a bank, without its number and unknown fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ExternalAccount {
    /// The account's id, as in its webhooks.
    #[serde(deserialize_with = "exact::text")]
    pub external_account_id: String,
    /// The user's code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub participant_code: Option<String>,
    /// The status, such as `approved`. The list has words that no webhook has: `submitted`, `deleted`, `revoked`, `failed`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status: Option<String>,
    /// The reason for the status, as a code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status_reason: Option<String>,
    /// When it was linked.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub updated_at: Option<Timestamp>,
}
