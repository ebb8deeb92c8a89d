//! The client and its calls.

use std::fmt;
use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, Call, Exchange, Idempotency, Outgoing, Redactions, header};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::RawValue;

use crate::auth_token::{ClientAuthToken, ClientAuthTokenReply, ClientAuthTokenRequest};
use crate::credentials::Credentials;
use crate::endpoints::{Endpoints, InvalidSettings, RETRY_HEADER};
use crate::fund_rfq::{FundRfq, FundRfqReply, FundRfqRequest};
use crate::lists::{
    Account, AccountMovement, AccountMovementsQuery, AccountsQuery, CryptoDeposit, CryptoDepositsQuery, Deposit,
    DepositsQuery, ExternalAccount, ExternalAccountsQuery, FundTransaction, FundTransactionsQuery, List, Movement,
    MovementsQuery, Participant, ParticipantsQuery, Payment, PaymentHistoriesQuery, PaymentHistory, PaymentStatusRow,
    PaymentStatusesQuery, PaymentsQuery, below,
};
use crate::page::{Page, PageReply, Paging, Position};
use crate::refusal::{Refusal, refusal};
use crate::server_time::{ServerTime, TimeReply};
use crate::settings::{RATE_LIMIT_PAUSE, Settings};
use crate::signing::SignedRequest;

/// A client of the zerohash platform's API.
///
/// It holds no secret and keeps connections open between calls, so one client serves all organizations of a process. Each
/// call takes the time `now`, at which its first attempt is signed; each repeated attempt is signed again, at its own time.
pub struct ZerohashClient {
    settings: Settings,
    endpoints: Endpoints,
    exchange: Exchange,
}

impl ZerohashClient {
    /// A client with these settings. It opens no connection and parses no certificate before the first call.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        let endpoints = Endpoints::of(&settings)?;
        let exchange = Exchange::new(settings.timeouts, settings.retries)
            .with_retry_header(RETRY_HEADER)
            .with_rate_limit_pause(RATE_LIMIT_PAUSE);
        Ok(Self { settings, endpoints, exchange })
    }

    /// The provider's clock. It needs no credentials, so a refusal is about the address that the request comes from.
    pub async fn time(&self) -> Result<ServerTime, ApiError> {
        let outgoing = Outgoing::get(self.endpoints.time.clone(), Redactions::default(), TimeReply::SHAPE);
        let reply: TimeReply = self.exchange.send(&outgoing, |_| Ok(HeaderMap::new())).await?;
        Ok(ServerTime { now: reply.message.epoch })
    }

    /// Requests a token for the SDK. An attempt is repeated only where the provider cannot have acted: a token for
    /// withdrawals creates a payment, which a lost response leaves behind as `initialized` and then `abandoned`
    /// [zerohash-payment-statuses].
    pub async fn client_auth_token(
        &self,
        credentials: &Credentials,
        request: &ClientAuthTokenRequest,
        now: Timestamp,
    ) -> Result<ClientAuthToken, ApiError> {
        let (body, redactions) = request.body()?;
        let url = &self.endpoints.client_auth_token;
        let outgoing = post(url, body, redactions.and(redactions_of(credentials)), ClientAuthTokenReply::SHAPE);
        Ok(self.send::<ClientAuthTokenReply>(credentials, &outgoing, now).await?.message)
    }

    /// Revokes a token for the SDK. An attempt is repeated only where the provider cannot have acted.
    pub async fn revoke_auth_token(
        &self,
        credentials: &Credentials,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let token = token.expose_secret();
        let body = json!({ "token": token }).to_string().into_bytes();
        let redactions = redactions_of(credentials).and(Redactions::of([token.to_owned()]));
        let outgoing = post(&self.endpoints.revoke_auth_token, body, redactions, "no content");
        self.exchange.send_without_reply(&outgoing, self.headers(credentials, &outgoing, now)).await
    }

    /// Requests a quote with a deposit address. An attempt is repeated only where the provider cannot have acted.
    pub async fn fund_rfq(
        &self,
        credentials: &Credentials,
        request: &FundRfqRequest,
        now: Timestamp,
    ) -> Result<FundRfq, ApiError> {
        let (body, redactions) = request.body()?;
        let redactions = redactions.and(redactions_of(credentials));
        let outgoing = post(&self.endpoints.fund_rfq, body, redactions, FundRfqReply::SHAPE);
        Ok(self.send::<FundRfqReply>(credentials, &outgoing, now).await?.message)
    }

    /// A page of fund transactions. Whether the list has sessions that expired, and deposits without a matched user, is
    /// not documented: absence from it proves nothing.
    pub async fn fund_transactions(
        &self,
        credentials: &Credentials,
        query: &FundTransactionsQuery,
        now: Timestamp,
    ) -> Result<Page<FundTransaction>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of settled deposits.
    pub async fn deposits(
        &self,
        credentials: &Credentials,
        query: &DepositsQuery,
        now: Timestamp,
    ) -> Result<Page<Deposit>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of deposits on a chain.
    pub async fn crypto_deposits(
        &self,
        credentials: &Credentials,
        query: &CryptoDepositsQuery,
        now: Timestamp,
    ) -> Result<Page<CryptoDeposit>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// One deposit on a chain, byte for byte as the provider sent it; `None` if there is none. `serde_json::from_str` makes a
    /// [`CryptoDeposit`] of it.
    pub async fn crypto_deposit(
        &self,
        credentials: &Credentials,
        deposit_id: &str,
        now: Timestamp,
    ) -> Result<Option<Box<RawValue>>, ApiError> {
        let url = below(&self.endpoints.crypto_deposits, "deposit_id", &[deposit_id])?;
        self.one(credentials, url, "{message: {depositId, …}}", now).await
    }

    /// A page of payments in crypto.
    pub async fn payments(
        &self,
        credentials: &Credentials,
        query: &PaymentsQuery,
        now: Timestamp,
    ) -> Result<Page<Payment>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// One payment in crypto, byte for byte as the provider sent it; `None` if there is none. `serde_json::from_str` makes a
    /// [`Payment`] of it.
    pub async fn payment(
        &self,
        credentials: &Credentials,
        payment_id: &str,
        now: Timestamp,
    ) -> Result<Option<Box<RawValue>>, ApiError> {
        let url = below(&self.endpoints.payments, "payment_id", &[payment_id])?;
        self.one(credentials, url, "{message: {payment_id, …}}", now).await
    }

    /// A page of payments in fiat money.
    pub async fn payment_statuses(
        &self,
        credentials: &Credentials,
        query: &PaymentStatusesQuery,
        now: Timestamp,
    ) -> Result<Page<PaymentStatusRow>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of histories of payments in fiat money.
    pub async fn payment_histories(
        &self,
        credentials: &Credentials,
        query: &PaymentHistoriesQuery,
        now: Timestamp,
    ) -> Result<Page<PaymentHistory>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of movements.
    pub async fn movements(
        &self,
        credentials: &Credentials,
        query: &MovementsQuery,
        now: Timestamp,
    ) -> Result<Page<Movement>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of movements of one account.
    pub async fn account_movements(
        &self,
        credentials: &Credentials,
        query: &AccountMovementsQuery,
        now: Timestamp,
    ) -> Result<Page<AccountMovement>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of participants.
    pub async fn participants(
        &self,
        credentials: &Credentials,
        query: &ParticipantsQuery,
        now: Timestamp,
    ) -> Result<Page<Participant>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of users' accounts at banks.
    pub async fn external_accounts(
        &self,
        credentials: &Credentials,
        query: &ExternalAccountsQuery,
        now: Timestamp,
    ) -> Result<Page<ExternalAccount>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// A page of accounts.
    pub async fn accounts(
        &self,
        credentials: &Credentials,
        query: &AccountsQuery,
        now: Timestamp,
    ) -> Result<Page<Account>, ApiError> {
        self.list(credentials, query, now).await
    }

    /// What `error`, of a call of this client, refused, if it refused the caller: the address that the request came from, or
    /// the credentials. [`Refusal`] states the remedies.
    ///
    /// A 401, and a 403 with the API's own error in JSON, refuse the credentials [zerohash-openapi]. A stranger's address gets
    /// "403 or Cloudflare's 1020" [zerohash-errors]; the body is not documented. Any other 403 counts as that, and any 403 of
    /// [`ZerohashClient::time`], which needs no credentials. An address that the API itself refuses in its own JSON cannot be
    /// told apart: if [`ZerohashClient::time`] is refused as well, it is the address.
    pub fn refusal(&self, error: &ApiError) -> Option<Refusal> {
        refusal(error, &Call::new(&Method::GET, &self.endpoints.time))
    }

    /// Reads a page. Failed attempts are repeated as [`Settings::retries`] allows.
    async fn list<Q: List>(
        &self,
        credentials: &Credentials,
        query: &Q,
        now: Timestamp,
    ) -> Result<Page<Q::Row>, ApiError> {
        let requested = query.position().cloned().unwrap_or(Position::Page(1));
        let size = query.size(&self.settings);
        let filters = query.filters(&self.settings);
        let mut url = query.url(&self.endpoints)?;
        {
            let mut pairs = url.query_pairs_mut();
            match (&requested, Q::PAGING) {
                (Position::Page(1), Paging::Cursor) => {}
                (Position::Page(0), _) => return Err(invalid("the page is 0, expected 1 or more")),
                (Position::Page(page), Paging::TotalPages | Paging::ShortPage) => {
                    pairs.append_pair("page", &page.to_string());
                }
                (Position::Cursor(cursor), Paging::Cursor) => {
                    pairs.append_pair("cursor", cursor);
                }
                (Position::Page(_), Paging::Cursor) => {
                    return Err(invalid("the position is a page, expected a cursor: this list has no page numbers"));
                }
                (Position::Cursor(_), Paging::TotalPages | Paging::ShortPage) => {
                    return Err(invalid("the position is a cursor, expected a page: this list has no cursors"));
                }
            }
            if let Some((name, rows)) = size {
                pairs.append_pair(name, &rows.to_string());
            }
            pairs.extend_pairs(filters.pairs());
        }
        // A list without paging parameters and filters has no query, not an empty one.
        if url.query() == Some("") {
            url.set_query(None);
        }
        let redactions = filters.redactions().and(redactions_of(credentials));
        let outgoing = Outgoing::get(url, redactions, Q::PAGING.shape());
        let reply: PageReply = self.send(credentials, &outgoing, now).await?;
        let page = Q::PAGING.page(reply, &requested, size.map(|(_, rows)| rows));
        page.map_err(|problem| ApiError::UnusableReply { call: outgoing.call(), problem })
    }

    /// Reads one row. A 404 of a proxy before the API does not say that there is none.
    async fn one(
        &self,
        credentials: &Credentials,
        url: Url,
        expected: &'static str,
        now: Timestamp,
    ) -> Result<Option<Box<RawValue>>, ApiError> {
        let outgoing = Outgoing::get(url, redactions_of(credentials), expected);
        match self.send::<OneRow>(credentials, &outgoing, now).await {
            Ok(reply) => Ok(Some(reply.message.0)),
            Err(ApiError::Status { status: 404, message, .. }) if message.is_api_error => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        credentials: &Credentials,
        outgoing: &Outgoing,
        now: Timestamp,
    ) -> Result<T, ApiError> {
        self.exchange.send(outgoing, self.headers(credentials, outgoing, now)).await
    }

    /// Makes the headers of each attempt: signed at its own time, with the request id of the first attempt.
    fn headers(
        &self,
        credentials: &Credentials,
        outgoing: &Outgoing,
        now: Timestamp,
    ) -> impl Fn(Duration) -> Result<HeaderMap, ApiError> {
        let request_id = request_id();
        move |elapsed| {
            let timestamp = now.plus(elapsed).unix_seconds().to_string();
            let signed = SignedRequest {
                timestamp: &timestamp,
                method: &outgoing.method,
                url: &outgoing.url,
                body: outgoing.body.as_deref(),
                absent_body: if outgoing.method == Method::GET {
                    self.settings.get_body_signed
                } else {
                    self.settings.post_body_signed
                },
                brackets: self.settings.brackets_signed,
            };
            let signature = credentials.secret.sign(&signed.bytes());
            let names = &self.endpoints.headers;
            let mut headers = HeaderMap::new();
            headers.insert(&names.api_key, sensitive(&names.api_key, credentials.api_key.expose_secret())?);
            headers.insert(&names.passphrase, sensitive(&names.passphrase, credentials.passphrase.expose_secret())?);
            headers.insert(&names.timestamp, header(&names.timestamp, &timestamp)?);
            headers.insert(&names.signature, sensitive(&names.signature, &signature)?);
            headers.insert(&names.request_id, header(&names.request_id, &request_id)?);
            Ok(headers)
        }
    }
}

impl fmt::Debug for ZerohashClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZerohashClient").field("base_url", &self.settings.base_url).finish_non_exhaustive()
    }
}

/// A response with one row.
#[derive(Deserialize)]
struct OneRow {
    message: Object,
}

/// A JSON object, byte for byte.
#[derive(Deserialize)]
#[serde(try_from = "Box<RawValue>")]
struct Object(Box<RawValue>);

impl TryFrom<Box<RawValue>> for Object {
    type Error = &'static str;

    fn try_from(raw: Box<RawValue>) -> Result<Self, Self::Error> {
        if raw.get().starts_with('{') { Ok(Self(raw)) } else { Err("expected an object in message") }
    }
}

fn post(url: &Url, body: Vec<u8>, redactions: Redactions, expected: &'static str) -> Outgoing {
    let (method, url, body) = (Method::POST, url.clone(), Some(body));
    Outgoing { method, url, body, idempotency: Idempotency::NotIdempotent, redactions, expected }
}

fn redactions_of(credentials: &Credentials) -> Redactions {
    let secrets = [&credentials.api_key, &credentials.passphrase, credentials.secret.text()];
    Redactions::of(secrets.map(|secret| secret.expose_secret().to_owned()))
}

/// A random UUID, version 4 [zerohash-request-ids].
fn request_id() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid().to_string()
}

fn sensitive(name: &HeaderName, value: &str) -> Result<HeaderValue, ApiError> {
    let mut value = header(name, value)?;
    value.set_sensitive(true);
    Ok(value)
}

fn invalid(problem: &str) -> ApiError {
    ApiError::InvalidRequest(problem.to_owned())
}
