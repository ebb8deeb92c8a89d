//! zerohash's API, called with the organizations' stored credentials: the lists that are reconciled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use fundhook_domain::{Feed, ListId, ListKind, Timestamp};
use fundhook_http_api::ApiError;
use fundhook_ports::{Disposition, ListPage, ListQuery, ListSigned, PortError, chain};
use fundhook_reconciliation::PageKey;
use fundhook_zerohash_api::{
    AccountsQuery, Credentials, CryptoDepositsQuery, ExternalAccountsQuery, FundTransactionsQuery, Page,
    ParticipantsQuery, PaymentHistoriesQuery, PaymentStatusesQuery, PaymentsQuery, Position, Refusal, SecretEncoding,
    TimeWindow, ZerohashClient,
};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::Aws;
use crate::account_row::{is_told_by_webhooks, without_personal_data};
use crate::payment_history::{history, with_histories, without_history};
use crate::zerohash_config::{Configured, InvalidZerohashApiSettings, ZerohashApiConfig, configured};
use crate::zerohash_credentials::{Entries, FORM, READ_THE_CREDENTIALS, read_entries};

/// One call may take three attempts and the pauses between them.
const ATTEMPTS_MAX: u32 = 3;

/// How far back one bank payment is looked for: it may be returned for 70 days, and what is overdue is asked for during a
/// further 30.
const BANK_PAYMENTS_REACH: Duration = Duration::from_secs(100 * 86_400);

/// How many payments are named in one request for their histories: 2.7 KB of UUIDs in its URL.
const HISTORIES_AT_A_TIME: usize = 50;

/// No further request for histories begins after this time. One request may take 30 s: three attempts, and pauses.
const HISTORIES_WITHIN: Duration = Duration::from_secs(30);

const READ_THE_LIST: &str = "read a list of zerohash";

/// zerohash's API for the organizations whose credentials are stored.
#[derive(Debug)]
pub struct ZerohashApi {
    client: ZerohashClient,
    base: String,
    secrets: Client,
    secret_id: String,
    encoding: SecretEncoding,
    lists: Vec<ListKind>,
    payment_histories: bool,
    clock: fn() -> Timestamp,
    /// The organizations' credentials, as of the last time that they were read.
    known: Mutex<BTreeMap<Feed, Credentials>>,
}

impl ZerohashApi {
    pub fn new(aws: &Aws, config: ZerohashApiConfig) -> Result<Self, InvalidZerohashApiSettings> {
        let Configured { settings, lists, payment_histories, encoding } = configured(&config, ATTEMPTS_MAX)?;
        let ZerohashApiConfig { base_url, options: _, credentials_secret_id: secret_id, clock } = config;
        let base = format!("{}{}", base_url.trim_end_matches('/'), settings.path_prefix);
        let (client, secrets) = (ZerohashClient::new(settings)?, Client::new(aws.sdk_config()));
        Ok(Self {
            client,
            base,
            secrets,
            secret_id,
            encoding,
            lists,
            payment_histories,
            clock,
            known: Mutex::default(),
        })
    }

    /// Reads the credentials, in each run: they change without a deployment. An invalid entry is logged; the others are used.
    async fn credentials(&self) -> Result<BTreeMap<Feed, Credentials>, PortError> {
        let Entries { of_feeds, of_none } = read_entries(&self.secrets, &self.secret_id, self.encoding).await?;
        for entry in of_none {
            tracing::warn!(
                entry,
                "credentials for zerohash's API: the entry {entry:?} does not name a tenant; ignoring it"
            );
        }
        let mut valid = BTreeMap::new();
        for (feed, entry) in of_feeds {
            match entry {
                Ok(credentials) => drop(valid.insert(feed, credentials)),
                Err(error) => {
                    tracing::warn!(%feed, error, "credentials of {feed} for zerohash's API are invalid; expected {FORM}: {error}");
                }
            }
        }
        self.known.lock().await.clone_from(&valid);
        Ok(valid)
    }

    async fn credentials_of(&self, feed: &Feed) -> Result<Credentials, PortError> {
        if let Some(known) = self.known.lock().await.get(feed) {
            return Ok(known.clone());
        }
        let known = self.credentials().await?.remove(feed);
        known.ok_or_else(|| {
            let why = format!("the secret has no entry for {feed}; expected {FORM}");
            PortError::new(READ_THE_CREDENTIALS, Disposition::DeadLetter, why)
        })
    }

    /// The rows with this id.
    async fn by_id(&self, credentials: &Credentials, list: ListKind, id: &str) -> Result<Rows, ApiError> {
        let now = (self.clock)();
        match list {
            ListKind::FundTransactions => {
                let query = FundTransactionsQuery { fund_id: Some(id.to_owned()), ..FundTransactionsQuery::default() };
                self.client.fund_transactions(credentials, &query, now).await.map(Rows::from)
            }
            ListKind::Deposits => self.client.crypto_deposit(credentials, id, now).await.map(Rows::from),
            ListKind::Payments => self.client.payment(credentials, id, now).await.map(Rows::from),
            ListKind::BankPayments => {
                // Without dates, the list has the last day only [zerohash-openapi].
                let (from, until) = (Some(now.minus(BANK_PAYMENTS_REACH)), Some(now));
                let transaction_id = Some(id.to_owned());
                let query = PaymentStatusesQuery { transaction_id, from, until, ..PaymentStatusesQuery::default() };
                self.client.payment_statuses(credentials, &query, now).await.map(Rows::from)
            }
            ListKind::Participants => {
                let query = ParticipantsQuery { participant_code: Some(id.to_owned()), ..ParticipantsQuery::default() };
                self.client.participants(credentials, &query, now).await.map(Rows::from)
            }
            // These lists have no filter by id, and nothing in them is asked for by its id.
            ListKind::ConnectTransactions | ListKind::ExternalAccounts | ListKind::Accounts => Ok(Rows::default()),
        }
    }

    /// A page of a list that has no filter by date.
    async fn whole(
        &self,
        credentials: &Credentials,
        list: ListKind,
        position: Option<Position>,
    ) -> Result<Rows, ApiError> {
        let now = (self.clock)();
        match list {
            ListKind::Participants => {
                let query = ParticipantsQuery { position, ..ParticipantsQuery::default() };
                self.client.participants(credentials, &query, now).await.map(Rows::from)
            }
            ListKind::ExternalAccounts => {
                let query = ExternalAccountsQuery { position, ..ExternalAccountsQuery::default() };
                self.client.external_accounts(credentials, &query, now).await.map(Rows::from)
            }
            ListKind::Accounts => {
                let query = AccountsQuery { position, ..AccountsQuery::default() };
                self.client.accounts(credentials, &query, now).await.map(Rows::from)
            }
            // These lists are read by date.
            ListKind::ConnectTransactions
            | ListKind::FundTransactions
            | ListKind::Deposits
            | ListKind::Payments
            | ListKind::BankPayments => Ok(Rows::default()),
        }
    }

    /// A page of the rows dated `from..before`. Where the provider includes the end, the first rows of the next window come
    /// too.
    async fn dated(
        &self,
        credentials: &Credentials,
        list: ListKind,
        (from, before): (Timestamp, Timestamp),
        position: Option<Position>,
    ) -> Result<Rows, ApiError> {
        let now = (self.clock)();
        match list {
            ListKind::FundTransactions => {
                let deposited = TimeWindow::between(from, before);
                let query = FundTransactionsQuery { deposited, position, ..FundTransactionsQuery::default() };
                self.client.fund_transactions(credentials, &query, now).await.map(Rows::from)
            }
            ListKind::Deposits => {
                let (from, until) = (Some(from), Some(before));
                let query = CryptoDepositsQuery { from, until, position, ..CryptoDepositsQuery::default() };
                self.client.crypto_deposits(credentials, &query, now).await.map(Rows::from)
            }
            ListKind::Payments => {
                let (created_from, created_until) = (Some(from), Some(before));
                let query = PaymentsQuery { created_from, created_until, position, ..PaymentsQuery::default() };
                self.client.payments(credentials, &query, now).await.map(Rows::from)
            }
            ListKind::BankPayments => {
                let (from, until) = (Some(from), Some(before));
                let query = PaymentStatusesQuery { from, until, position, ..PaymentStatusesQuery::default() };
                self.client.payment_statuses(credentials, &query, now).await.map(Rows::from)
            }
            // These lists are not zerohash's, or have no filter by date.
            ListKind::ConnectTransactions
            | ListKind::Participants
            | ListKind::ExternalAccounts
            | ListKind::Accounts => Ok(Rows::default()),
        }
    }

    /// The rows of payments by a bank, each with its history. Without the histories, the newest statuses still count: a
    /// history that cannot be read is logged, and asked for again when the hour is totalled.
    async fn with_payment_histories(&self, credentials: &Credentials, list: &ListId, rows: Vec<String>) -> Vec<String> {
        let ids: BTreeSet<String> = rows.iter().filter_map(|row| without_history(row)).collect();
        let mut histories = BTreeMap::new();
        if let Err(failed) = self.add_payment_histories(credentials, list, Vec::from_iter(ids), &mut histories).await {
            let error = chain(&failed);
            tracing::warn!(
                feed = %list.feed(), %list, error,
                "some histories of payments by a bank were not read, so statuses that they have left are not recorded; if this \
                 stays so, check what the key may read, or set the option `payment_histories` to false: {error}"
            );
        }
        with_histories(rows, &histories)
    }

    /// Adds the histories of the payments `ids`, as far as they are read in a part of a run's time.
    async fn add_payment_histories(
        &self,
        credentials: &Credentials,
        list: &ListId,
        ids: Vec<String>,
        histories: &mut BTreeMap<String, Box<RawValue>>,
    ) -> Result<(), ApiError> {
        let until = (self.clock)().plus(HISTORIES_WITHIN);
        for some in ids.chunks(HISTORIES_AT_A_TIME) {
            let mut query =
                PaymentHistoriesQuery { transaction_ids: some.to_vec(), ..PaymentHistoriesQuery::default() };
            loop {
                let now = (self.clock)();
                if now > until {
                    tracing::warn!(
                        feed = %list.feed(), %list, payments = ids.len(), read = histories.len(),
                        "no time was left for all histories of payments by a bank; the others are asked for when the hour is totalled"
                    );
                    return Ok(());
                }
                let page = self.client.payment_histories(credentials, &query, now).await?;
                histories.extend(page.rows.iter().filter_map(|row| history(row.get())));
                query.position = page.next;
                if query.position.is_none() || some.iter().all(|id| histories.contains_key(id)) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn port_error(&self, error: ApiError) -> PortError {
        let retry_after = error.retry_after();
        let disposition = if error.is_transient() { Disposition::Retry } else { Disposition::DeadLetter };
        let why: Box<dyn std::error::Error + Send + Sync> = match self.client.refusal(&error) {
            Some(refusal) => Box::new(Refused { refusal, error }),
            None => Box::new(error),
        };
        PortError::new(READ_THE_LIST, disposition, why).with_retry_after(retry_after)
    }
}

/// The provider refused the caller.
#[derive(Debug, thiserror::Error)]
#[error("zerohash refused the {refusal}{}", advice(.refusal))]
struct Refused {
    refusal: Refusal,
    #[source]
    error: ApiError,
}

fn advice(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Address => {
            ". It accepts calls from listed static addresses only: run this function in subnets whose traffic leaves by such an \
             address, and have that address listed"
        }
        Refusal::Credentials => {
            ". Check the entry in the secret of zerohash's API, the permissions of the key, and that it has not expired"
        }
    }
}

/// What is kept of a row about a user or an account; `None` if nothing is.
fn kept(list: &ListId, row: &str) -> Option<String> {
    match without_personal_data(row) {
        Ok(row) => (list.kind() != ListKind::Accounts || is_told_by_webhooks(&row)).then_some(row),
        // An error of serde may quote the row.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            tracing::error!(feed = %list.feed(), %list, line, column, "a row of the list {list} is not a JSON object; it is left out");
            None
        }
    }
}

fn position(page: &PageKey) -> Option<Position> {
    match page {
        PageKey::Number(1) => None,
        PageKey::Number(number) => Some(Position::Page(*number)),
        PageKey::Cursor(cursor) => Some(Position::Cursor(cursor.clone())),
    }
}

/// Rows, and what comes after them.
#[derive(Default)]
struct Rows {
    rows: Vec<String>,
    next: Option<PageKey>,
}

impl<R> From<Page<R>> for Rows {
    fn from(page: Page<R>) -> Self {
        let next = page.next.map(|next| match next {
            Position::Page(number) => PageKey::Number(number),
            Position::Cursor(cursor) => PageKey::Cursor(cursor),
        });
        Self { rows: page.rows.iter().map(|row| row.get().to_owned()).collect(), next }
    }
}

impl From<Option<Box<RawValue>>> for Rows {
    fn from(row: Option<Box<RawValue>>) -> Self {
        Self { rows: row.iter().map(|row| row.get().to_owned()).collect(), next: None }
    }
}

impl ListSigned for ZerohashApi {
    async fn lists(&self) -> Result<Vec<ListId>, PortError> {
        let feeds = self.credentials().await?.into_keys();
        Ok(feeds.flat_map(|feed| self.lists.iter().map(move |list| ListId::new(&feed, *list))).collect())
    }

    async fn list(&self, list: &ListId, query: &ListQuery) -> Result<ListPage, PortError> {
        let credentials = self.credentials_of(list.feed()).await?;
        let read = match query {
            ListQuery::Id(id) => match self.by_id(&credentials, list.kind(), id).await {
                // The provider does not document its response to an unknown id.
                Err(ApiError::Status { status: 404, .. }) => return Ok(ListPage::default()),
                Err(error @ ApiError::Status { status: 400 | 422, .. }) => {
                    let error = chain(&error);
                    tracing::warn!(%list, id, error, "{list} was asked for {id}, which counts as not listed: {error}");
                    return Ok(ListPage::default());
                }
                read => read,
            },
            ListQuery::Dated { from, before, page } => {
                self.dated(&credentials, list.kind(), (*from, *before), position(page)).await
            }
            ListQuery::Whole { page } => self.whole(&credentials, list.kind(), position(page)).await,
        };
        let Rows { mut rows, next } = read.map_err(|error| self.port_error(error))?;
        if list.kind() == ListKind::BankPayments && self.payment_histories {
            rows = self.with_payment_histories(&credentials, list, rows).await;
        }
        if !list.kind().is_dated() {
            rows = rows.iter().filter_map(|row| kept(list, row)).collect();
        }
        Ok(ListPage { rows, next, url: format!("{}{}", self.base, list.kind().path()) })
    }
}
