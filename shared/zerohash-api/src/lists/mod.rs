//! The lists, one file each: which rows a query selects, how it is sent, and what a row contains.

mod accounts;
mod crypto_deposits;
mod deposits;
mod external_accounts;
mod fund_transactions;
mod movements;
mod participants;
mod payment_histories;
mod payment_statuses;
mod payments;

use fundhook_http_api::ApiError;
use reqwest::Url;

pub use accounts::{Account, AccountsQuery};
pub use crypto_deposits::{CryptoDeposit, CryptoDepositsQuery, StateChange};
pub use deposits::{Deposit, DepositsQuery};
pub use external_accounts::{ExternalAccount, ExternalAccountsQuery};
pub use fund_transactions::{FundTransaction, FundTransactionsQuery};
pub use movements::{AccountMovement, AccountMovementsQuery, Movement, MovementsQuery};
pub use participants::{Participant, ParticipantsQuery};
pub use payment_histories::{PaymentHistoriesQuery, PaymentHistory, PaymentStep};
pub use payment_statuses::{PaymentStatusRow, PaymentStatusesQuery};
pub use payments::{OboParticipant, Payment, PaymentDetails, PaymentsQuery};

use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::Settings;

/// A query for a page of a list.
pub(crate) trait List {
    /// What a row contains.
    type Row;
    /// How the list says what comes after a page.
    const PAGING: Paging;

    /// The URL of the list, without a query.
    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError>;

    /// The page, if it is not the first.
    fn position(&self) -> Option<&Position>;

    /// The parameter with the number of rows of a page, and its value; `None` if the list has no such parameter.
    fn size(&self, _: &Settings) -> Option<(&'static str, u32)> {
        None
    }

    fn filters(&self, settings: &Settings) -> Filters;
}

/// The URL of something below `url`; its first segment is the value of `name`.
pub(crate) fn below(url: &Url, name: &str, segments: &[&str]) -> Result<Url, ApiError> {
    let mut url = url.clone();
    if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
        return Err(ApiError::InvalidRequest(format!("{name} is empty or a path, expected an id")));
    }
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(segments);
    }
    Ok(url)
}
