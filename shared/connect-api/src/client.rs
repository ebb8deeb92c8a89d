//! The calls.

use std::collections::BTreeMap;
use std::fmt;

use fundhook_domain::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::endpoints::{Endpoints, InvalidSettings};
use crate::error::ApiError;
use crate::exchange::{Exchange, Outgoing};
use crate::retries::Repeats;
use crate::sessions::{SessionReply, SessionRequest, SessionToken};
use crate::settings::Settings;
use crate::signing::{SigningKey, string_to_sign};
use crate::token::{Caller, Credentials, GrantedToken, TokenReply};
use crate::transactions::{TransactionsPage, TransactionsQuery};
use crate::users::{CreatedReply, CreatedUser, NewUser, Users, UsersQuery};
use crate::words::Hidden;

/// A client of zerohash Connect's API. It holds no secret; one is enough for all organizations of a process, and it keeps
/// connections open between calls.
pub struct ConnectClient {
    settings: Settings,
    endpoints: Endpoints,
    exchange: Exchange,
}

impl ConnectClient {
    /// A client by these settings. Nothing is connected to, and no certificate read, before the first call.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        let endpoints = Endpoints::of(&settings)?;
        let exchange = Exchange::new(settings.timeouts, settings.retries);
        Ok(Self { settings, endpoints, exchange })
    }

    /// The URL of the list of transactions, without a query.
    pub fn transactions_url(&self) -> String {
        self.endpoints.transactions.to_string()
    }

    /// Exchanges the credentials for an access token. Repeated where the settings allow it: a token that is granted twice
    /// harms nobody.
    pub async fn request_token(&self, credentials: &Credentials) -> Result<GrantedToken, ApiError> {
        let secret = credentials.client_secret.expose_secret();
        let mut fields: BTreeMap<&str, &str> =
            self.settings.token_fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.insert("client_id", &credentials.client_id);
        fields.insert("client_secret", secret);
        fields.insert("organization_id", &credentials.organization_id);
        let body = serde_json::to_vec(&fields).map_err(|_| invalid("the credentials cannot be written as JSON"))?;
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.endpoints.token.clone(),
            body: Some(body),
            repeats: Repeats::Harmless,
            hidden: Hidden::of([secret.to_owned()]),
            expected: TokenReply::SHAPE,
        };
        let reply: TokenReply = self.exchange.send(&outgoing, |_| Ok(HeaderMap::new())).await?;
        reply.granted(&outgoing.call())
    }

    /// Opens a session for one user, signed with the organization's key at `now`; a repeated attempt is signed anew.
    /// Repeated only where the provider cannot have opened it.
    pub async fn open_session(
        &self,
        caller: &Caller,
        key: &SigningKey,
        request: &SessionRequest,
        now: Timestamp,
    ) -> Result<SessionToken, ApiError> {
        let of_withdrawals = request.is_of_withdrawals();
        let url = if of_withdrawals { &self.endpoints.withdrawal_sessions } else { &self.endpoints.sessions };
        let body = request.body()?;
        let outgoing = Outgoing {
            method: Method::POST,
            url: url.clone(),
            body: Some(body.clone()),
            repeats: Repeats::Harmful,
            hidden: request.personal().and(hidden_of(caller)),
            expected: SessionReply::SHAPE,
        };
        let signed = |elapsed| {
            let timestamp = now.plus(elapsed).unix_seconds().to_string();
            let method = outgoing.method.as_str();
            let message = string_to_sign(&self.settings.string_to_sign, &timestamp, method, url, &body);
            let signature = key.sign(&message).map_err(ApiError::Signing)?;
            let mut headers = self.headers_of(caller)?;
            headers.insert(&self.endpoints.timestamp, header(&self.endpoints.timestamp, &timestamp)?);
            headers.insert(&self.endpoints.signature, header(&self.endpoints.signature, &signature)?);
            Ok(headers)
        };
        let reply: SessionReply = self.exchange.send(&outgoing, signed).await?;
        reply.opened(&outgoing.call())
    }

    /// Creates a user. Repeated only where the provider cannot have created it.
    pub async fn create_user(&self, caller: &Caller, user: &NewUser) -> Result<CreatedUser, ApiError> {
        let (body, personal) = user.body()?;
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.endpoints.users.clone(),
            body: Some(body),
            repeats: Repeats::Harmful,
            hidden: personal.and(hidden_of(caller)),
            expected: CreatedReply::SHAPE,
        };
        let reply: CreatedReply = self.exchange.send(&outgoing, |_| self.headers_of(caller)).await?;
        Ok(reply.0)
    }

    /// Lists users. Repeated where the settings allow it.
    pub async fn users(&self, caller: &Caller, query: &UsersQuery) -> Result<Users, ApiError> {
        let url = query.on(self.endpoints.users.clone(), &self.settings.parameters);
        let personal = Hidden::of(query.others.values().chain(&query.participant_code).cloned());
        let outgoing = listing(url, personal.and(hidden_of(caller)), Users::SHAPE);
        self.exchange.send(&outgoing, |_| self.headers_of(caller)).await
    }

    /// Lists a page of transactions. Repeated where the settings allow it.
    pub async fn transactions(&self, caller: &Caller, query: &TransactionsQuery) -> Result<TransactionsPage, ApiError> {
        let url = query.on(self.endpoints.transactions.clone(), &self.settings.parameters)?;
        let personal = Hidden::of([&query.participant_code, &query.reference_id].into_iter().flatten().cloned());
        let outgoing = listing(url, personal.and(hidden_of(caller)), TransactionsPage::SHAPE);
        self.exchange.send(&outgoing, |_| self.headers_of(caller)).await
    }

    fn headers_of(&self, caller: &Caller) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        let name = &self.endpoints.client_id;
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

fn listing(url: Url, hidden: Hidden, expected: &'static str) -> Outgoing {
    Outgoing { method: Method::GET, url, body: None, repeats: Repeats::Harmless, hidden, expected }
}

fn hidden_of(caller: &Caller) -> Hidden {
    Hidden::of([caller.token.expose_secret().to_owned()])
}

fn bearer(token: &SecretString) -> Result<HeaderValue, ApiError> {
    let mut value = header(&AUTHORIZATION, &format!("Bearer {}", token.expose_secret()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The value of a header. Where it cannot be one, the error names the header and not the value: it may be a secret.
fn header(name: &HeaderName, value: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(value)
        .map_err(|_| invalid(&format!("the value of the header {name} has characters that none has")))
}

fn invalid(problem: &str) -> ApiError {
    ApiError::InvalidRequest(problem.to_owned())
}
