//! The client and its calls.

use std::collections::BTreeMap;
use std::fmt;

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, Exchange, Idempotency, Outgoing, Redactions, header};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::endpoints::{Endpoints, InvalidSettings};
use crate::sessions::{SessionReply, SessionRequest, SessionToken};
use crate::settings::Settings;
use crate::signing::{SignedRequest, SigningKey};
use crate::token::{AccessToken, Caller, Credentials, TokenReply};
use crate::transactions::{TransactionsPage, TransactionsQuery};
use crate::users::{CreatedReply, CreatedUser, NewUser, Users, UsersQuery};

/// A client of zerohash Connect's API.
///
/// It holds no secret and keeps connections open between calls, so one client serves all organizations of a process.
pub struct ConnectClient {
    settings: Settings,
    endpoints: Endpoints,
    exchange: Exchange,
}

impl ConnectClient {
    /// A client with these settings. It opens no connection and parses no certificate before the first call.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        let endpoints = Endpoints::of(&settings)?;
        let exchange = Exchange::new(settings.timeouts, settings.retries);
        Ok(Self { settings, endpoints, exchange })
    }

    /// The URL of `GET /transactions`, without a query.
    pub fn transactions_url(&self) -> String {
        self.endpoints.transactions.to_string()
    }

    /// Exchanges the credentials for an access token. Failed attempts are repeated as [`Settings::retries`] allows: a second
    /// token does no harm.
    pub async fn request_token(&self, credentials: &Credentials) -> Result<AccessToken, ApiError> {
        let secret = credentials.client_secret.expose_secret();
        let mut fields: BTreeMap<&str, &str> =
            self.settings.token_fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.insert("client_id", &credentials.client_id);
        fields.insert("client_secret", secret);
        fields.insert("organization_id", &credentials.organization_id);
        let body = serde_json::to_vec(&fields).map_err(|_| invalid("the credentials cannot be serialized as JSON"))?;
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.endpoints.token.clone(),
            body: Some(body),
            idempotency: Idempotency::Idempotent,
            redactions: Redactions::of([secret.to_owned()]),
            expected: TokenReply::SHAPE,
        };
        let reply: TokenReply = self.exchange.send(&outgoing, |_| Ok(HeaderMap::new())).await?;
        reply.granted(&outgoing.call())
    }

    /// Opens a session for one user. The request is signed with the organization's key at `now`, and each repeated attempt is
    /// signed again. An attempt is repeated only where the provider cannot have opened the session.
    pub async fn open_session(
        &self,
        caller: &Caller,
        key: &SigningKey,
        request: &SessionRequest,
        now: Timestamp,
    ) -> Result<SessionToken, ApiError> {
        let url =
            if request.is_for_withdrawals() { &self.endpoints.withdrawal_sessions } else { &self.endpoints.sessions };
        let body = request.body()?;
        let outgoing = Outgoing {
            method: Method::POST,
            url: url.clone(),
            body: Some(body.clone()),
            idempotency: Idempotency::NotIdempotent,
            redactions: request.redactions().and(redactions_of(caller)),
            expected: SessionReply::SHAPE,
        };
        let signed = |elapsed| {
            let timestamp = now.plus(elapsed).unix_seconds().to_string();
            let signed = SignedRequest { timestamp: &timestamp, method: &outgoing.method, url, body: &body };
            let message = signed.bytes(&self.settings.string_to_sign);
            let signature = key.sign(&message).map_err(|error| ApiError::Signing(error.into()))?;
            let mut headers = self.headers_of(caller)?;
            let names = &self.endpoints.headers;
            headers.insert(&names.timestamp, header(&names.timestamp, &timestamp)?);
            headers.insert(&names.signature, header(&names.signature, &signature)?);
            Ok(headers)
        };
        let reply: SessionReply = self.exchange.send(&outgoing, signed).await?;
        reply.opened(&outgoing.call())
    }

    /// Creates a user. An attempt is repeated only where the provider cannot have created the user.
    pub async fn create_user(&self, caller: &Caller, user: &NewUser) -> Result<CreatedUser, ApiError> {
        let (body, redactions) = user.body()?;
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.endpoints.users.clone(),
            body: Some(body),
            idempotency: Idempotency::NotIdempotent,
            redactions: redactions.and(redactions_of(caller)),
            expected: CreatedReply::SHAPE,
        };
        let reply: CreatedReply = self.exchange.send(&outgoing, |_| self.headers_of(caller)).await?;
        Ok(reply.0)
    }

    /// Lists users. Failed attempts are repeated as [`Settings::retries`] allows.
    pub async fn users(&self, caller: &Caller, query: &UsersQuery) -> Result<Users, ApiError> {
        let url = query.on(self.endpoints.users.clone(), &self.settings.parameters);
        let redactions = Redactions::of(query.others.values().chain(&query.participant_code).cloned());
        let outgoing = Outgoing::get(url, redactions.and(redactions_of(caller)), Users::SHAPE);
        self.exchange.send(&outgoing, |_| self.headers_of(caller)).await
    }

    /// Reads one page of transactions. Failed attempts are repeated as [`Settings::retries`] allows.
    pub async fn transactions(&self, caller: &Caller, query: &TransactionsQuery) -> Result<TransactionsPage, ApiError> {
        let url = query.on(self.endpoints.transactions.clone(), &self.settings.parameters)?;
        let redactions = Redactions::of([&query.participant_code, &query.reference_id].into_iter().flatten().cloned());
        let outgoing = Outgoing::get(url, redactions.and(redactions_of(caller)), TransactionsPage::SHAPE);
        self.exchange.send(&outgoing, |_| self.headers_of(caller)).await
    }

    fn headers_of(&self, caller: &Caller) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        let name = &self.endpoints.headers.client_id;
        headers.insert(name, header(name, &caller.organization_id)?);
        headers.insert(AUTHORIZATION, bearer(&caller.token)?);
        Ok(headers)
    }
}

impl fmt::Debug for ConnectClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectClient").field("base_url", &self.settings.base_url).finish_non_exhaustive()
    }
}

fn redactions_of(caller: &Caller) -> Redactions {
    Redactions::of([caller.token.expose_secret().to_owned()])
}

fn bearer(token: &SecretString) -> Result<HeaderValue, ApiError> {
    let mut value = header(&AUTHORIZATION, &format!("Bearer {}", token.expose_secret()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn invalid(problem: &str) -> ApiError {
    ApiError::InvalidRequest(problem.to_owned())
}
