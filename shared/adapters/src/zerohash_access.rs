//! Whether zerohash's API accepts the calls of this deployment.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use fundhook_domain::{Feed, ListKind, Timestamp};
use fundhook_http_api::ApiError;
use fundhook_ports::{ApiAccessError, CheckApiAccess, Disposition, PortError, ProviderClock};
use fundhook_zerohash_api::{
    AccountsQuery, CLOCK_TOLERANCE, Credentials, CryptoDepositsQuery, ExternalAccountsQuery, FundTransactionsQuery,
    PageSizes, ParticipantsQuery, PaymentStatusesQuery, PaymentsQuery, Refusal, SecretEncoding, ZerohashClient,
};
use tokio::sync::Mutex;

use crate::Aws;
use crate::zerohash_config::{Configured, InvalidZerohashApiSettings, ZerohashApiConfig, configured};
use crate::zerohash_credentials::{FORM, READ_THE_CREDENTIALS, read_entries};

/// A call is not repeated: the next check is the next attempt.
const ATTEMPTS_MAX: u32 = 1;

/// A page has one row: it is read for the status of the response.
const ONE_ROW: PageSizes = PageSizes {
    fund_transactions: 1,
    deposits: None,
    crypto_deposits: 1,
    payments: 1,
    payment_statuses: 1,
    movements: 1,
    external_accounts: 1,
};

/// Asks zerohash's API whether it accepts calls: with a request without credentials, and with one read of the first list that
/// is reconciled, for each organization whose credentials are stored.
#[derive(Debug)]
pub struct ZerohashAccess {
    client: ZerohashClient,
    secrets: Client,
    secret_id: String,
    encoding: SecretEncoding,
    list: ListKind,
    clock: fn() -> Timestamp,
    /// The organizations' credentials as last read, or why they are invalid.
    known: Mutex<BTreeMap<Feed, Result<Credentials, String>>>,
}

impl ZerohashAccess {
    pub fn new(aws: &Aws, config: ZerohashApiConfig) -> Result<Self, InvalidZerohashApiSettings> {
        let Configured { mut settings, lists, payment_histories: _, encoding } = configured(&config, ATTEMPTS_MAX)?;
        settings.page_sizes = ONE_ROW;
        let list = lists.first().copied().ok_or(InvalidZerohashApiSettings::NoLists)?;
        let (client, secrets) = (ZerohashClient::new(settings)?, Client::new(aws.sdk_config()));
        let ZerohashApiConfig { credentials_secret_id: secret_id, clock, .. } = config;
        Ok(Self { client, secrets, secret_id, encoding, list, clock, known: Mutex::default() })
    }

    async fn read_one_row(&self, credentials: &Credentials) -> Result<(), ApiError> {
        let now = (self.clock)();
        match self.list {
            ListKind::FundTransactions => {
                self.client.fund_transactions(credentials, &FundTransactionsQuery::default(), now).await.map(drop)
            }
            ListKind::Deposits => {
                self.client.crypto_deposits(credentials, &CryptoDepositsQuery::default(), now).await.map(drop)
            }
            ListKind::Payments => self.client.payments(credentials, &PaymentsQuery::default(), now).await.map(drop),
            ListKind::BankPayments => {
                self.client.payment_statuses(credentials, &PaymentStatusesQuery::default(), now).await.map(drop)
            }
            ListKind::Participants => {
                self.client.participants(credentials, &ParticipantsQuery::default(), now).await.map(drop)
            }
            ListKind::ExternalAccounts => {
                self.client.external_accounts(credentials, &ExternalAccountsQuery::default(), now).await.map(drop)
            }
            ListKind::Accounts => self.client.accounts(credentials, &AccountsQuery::default(), now).await.map(drop),
            // Not a list of zerohash, so it is never chosen.
            ListKind::ConnectTransactions => Ok(()),
        }
    }
}

fn failed(attempted: &'static str, error: ApiError) -> PortError {
    let disposition = if error.is_transient() { Disposition::Retry } else { Disposition::DeadLetter };
    PortError::new(attempted, disposition, error)
}

fn invalid(why: String) -> ApiAccessError {
    ApiAccessError::Credentials(PortError::new(READ_THE_CREDENTIALS, Disposition::DeadLetter, why))
}

impl CheckApiAccess for ZerohashAccess {
    async fn provider_clock(&self) -> Result<ProviderClock, ApiAccessError> {
        match self.client.time().await {
            Ok(server) => Ok(ProviderClock { time: server.now, tolerance: CLOCK_TOLERANCE }),
            Err(error) => {
                let refusal = self.client.refusal(&error);
                let error = failed("ask zerohash for its time", error);
                // No credentials were sent, so whatever was refused is not they.
                Err(match refusal {
                    Some(Refusal::Address | Refusal::Credentials) => ApiAccessError::Address(error),
                    None => ApiAccessError::Port(error),
                })
            }
        }
    }

    async fn feeds(&self) -> Result<Vec<Feed>, ApiAccessError> {
        let entries = read_entries(&self.secrets, &self.secret_id, self.encoding).await;
        let entries = entries.map_err(|error| match error.disposition() {
            Disposition::Retry => ApiAccessError::Port(error),
            // The secret does not have the expected form.
            Disposition::DeadLetter => ApiAccessError::Credentials(error),
        })?;
        if entries.of_feeds.is_empty() {
            return Err(invalid(format!("the secret has no entry; expected {FORM}")));
        }
        let feeds = entries.of_feeds.keys().cloned().collect();
        *self.known.lock().await = entries.of_feeds;
        Ok(feeds)
    }

    async fn read(&self, feed: &Feed) -> Result<(), ApiAccessError> {
        let entry = self.known.lock().await.get(feed).cloned();
        let credentials = match entry {
            Some(Ok(credentials)) => credentials,
            Some(Err(why)) => return Err(invalid(format!("the entry is invalid; expected {FORM}: {why}"))),
            None => return Err(invalid(format!("the secret has no entry; expected {FORM}"))),
        };
        self.read_one_row(&credentials).await.map_err(|error| {
            let refusal = self.client.refusal(&error);
            let error = failed("read a list of zerohash", error);
            match refusal {
                Some(Refusal::Address) => ApiAccessError::Address(error),
                Some(Refusal::Credentials) => ApiAccessError::Credentials(error),
                None => ApiAccessError::Port(error),
            }
        })
    }
}
