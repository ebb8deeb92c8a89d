//! How the provider's API is called. Whatever the provider's documents do not settle is a setting.

use std::collections::BTreeMap;

use fundhook_http_api::{Retries, Timeouts};

/// The base URL of production [connect-guide §O5].
pub const PRODUCTION_URL: &str = "https://api.connect.xyz";
/// The base URL of the sandbox [connect-guide §O5].
pub const SANDBOX_URL: &str = "https://api.sandbox.connect.xyz";

/// The API's URL, the names of its headers and parameters, the signed string, timeouts and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Scheme and host: [`PRODUCTION_URL`] or [`SANDBOX_URL`]. The scheme is `https`, except on the loopback interface.
    pub base_url: String,
    /// The prefix of each path: empty in [connect-guide], `/api/v1` in [connect-openapi].
    pub path_prefix: String,
    /// The path of each call, after the prefix.
    pub paths: Paths,
    /// The names of the headers.
    pub headers: HeaderNames,
    /// The names of the parameters of `GET /transactions` and `GET /users`.
    pub parameters: ParameterNames,
    /// Further fields of the token request: none in [connect-guide §3]; `audience` and `grant_type` = `client_credentials`
    /// in [connect-openapi].
    pub token_fields: BTreeMap<String, String>,
    /// The string that is signed to open a session: these parts in order, with nothing between them. The provider documents
    /// none for requests; the default is the string that it signs for its webhooks.
    pub string_to_sign: Vec<SignedPart>,
    /// The timeouts of one attempt.
    pub timeouts: Timeouts,
    /// How often a failed call is repeated, and with what pauses.
    pub retries: Retries,
}

impl Settings {
    /// The API at `base_url`, with every other value as in [connect-guide].
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            path_prefix: String::new(),
            paths: Paths::default(),
            headers: HeaderNames::default(),
            parameters: ParameterNames::default(),
            token_fields: BTreeMap::new(),
            string_to_sign: vec![SignedPart::Timestamp, SignedPart::Method, SignedPart::Url, SignedPart::Body],
            timeouts: Timeouts::default(),
            retries: Retries::default(),
        }
    }
}

/// The paths of the calls, each beginning with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The path to request an access token: `/oauth/token`.
    pub token: String,
    /// The path to open a session: `/sessions`.
    pub sessions: String,
    /// The path to open a session for withdrawals only: `/v1/sessions` [connect-guide §W2]. [connect-openapi] has one path
    /// for both kinds; with its prefix, set this path to `/sessions` too.
    pub withdrawal_sessions: String,
    /// The path to create and list users: `/users`.
    pub users: String,
    /// The path to list transactions: `/transactions`.
    pub transactions: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            token: "/oauth/token".to_owned(),
            sessions: "/sessions".to_owned(),
            withdrawal_sessions: "/v1/sessions".to_owned(),
            users: "/users".to_owned(),
            transactions: "/transactions".to_owned(),
        }
    }
}

/// The names of the headers that differ between the provider's documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNames {
    /// The header with the organization's id: `client-id` [connect-guide §4], `x-connect-client-id` [connect-openapi].
    pub client_id: String,
    /// The header with the signature in standard base64: `signature`.
    pub signature: String,
    /// The header with the UNIX time of the signature, in seconds: `timestamp`.
    pub timestamp: String,
}

impl Default for HeaderNames {
    fn default() -> Self {
        Self { client_id: "client-id".to_owned(), signature: "signature".to_owned(), timestamp: "timestamp".to_owned() }
    }
}

/// The names of the parameters of `GET /transactions`. [connect-guide §7] names none, so the defaults are those of
/// `GET /fund/transactions` [zerohash-openapi].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterNames {
    /// The earliest deposit time, inclusive: `deposit_timestamp_gte`. With `None` it is never sent, and the rows are not
    /// filtered by it.
    pub deposited_from: Option<String>,
    /// The latest deposit time, exclusive: `deposit_timestamp_lt`. With `None` it is never sent, and the rows are not
    /// filtered by it.
    pub deposited_before: Option<String>,
    /// The number of the page, from 1: `page`.
    pub page: String,
    /// The most rows on a page: `page_size`.
    pub page_size: String,
    /// The id of one transaction: `fund_id`.
    pub fund_id: String,
    /// The code of one user: `participant_code`.
    pub participant_code: String,
    /// The reference of one session: `reference_id`.
    pub reference_id: String,
}

impl Default for ParameterNames {
    fn default() -> Self {
        Self {
            deposited_from: Some("deposit_timestamp_gte".to_owned()),
            deposited_before: Some("deposit_timestamp_lt".to_owned()),
            page: "page".to_owned(),
            page_size: "page_size".to_owned(),
            fund_id: "fund_id".to_owned(),
            participant_code: "participant_code".to_owned(),
            reference_id: "reference_id".to_owned(),
        }
    }
}

/// A part of the string that is signed to open a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedPart {
    /// The value of the header [`HeaderNames::timestamp`].
    Timestamp,
    /// The method, `POST`.
    Method,
    /// The whole URL of the request.
    Url,
    /// Only the URL's path, including the prefix.
    Path,
    /// The body, byte for byte.
    Body,
}
