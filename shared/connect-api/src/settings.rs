//! How the provider's API is reached: everything about it that is not documented beyond doubt is a setting.

use std::collections::BTreeMap;
use std::time::Duration;

/// The base URL of production (seed 000, "Connect uses the following domain URL's").
pub const PRODUCTION_URL: &str = "https://api.connect.xyz";
/// The base URL of the sandbox (the same place).
pub const SANDBOX_URL: &str = "https://api.sandbox.connect.xyz";

/// Where the API lies, what it calls its headers and parameters, what is signed, and how long is waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Scheme and host, `https` but for this computer's own: [`PRODUCTION_URL`] or [`SANDBOX_URL`].
    pub base_url: String,
    /// What stands before each path: empty in seed 000, `/api/v1` in the provider's published OpenAPI.
    pub path_prefix: String,
    /// The path of each call, below the prefix.
    pub paths: Paths,
    /// What the headers are called.
    pub headers: HeaderNames,
    /// What the parameters of `GET /transactions` and `GET /users` are called.
    pub parameters: ParameterNames,
    /// Further fields of the token request: none in seed 000; the published OpenAPI has `audience` and
    /// `grant_type` = `client_credentials`.
    pub token_fields: BTreeMap<String, String>,
    /// What is signed to open a session, its parts one after the other with nothing between them. The provider
    /// documents none for requests: the default is the string that it signs its own webhooks over.
    pub string_to_sign: Vec<SignedPart>,
    /// How long one attempt may take.
    pub timeouts: Timeouts,
    /// How often and how patiently a call is repeated.
    pub retries: Retries,
}

impl Settings {
    /// The API at `base_url`, every other value as in seed 000.
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
    /// Where an access token is requested: `/oauth/token`.
    pub token: String,
    /// Where a session is opened: `/sessions`.
    pub sessions: String,
    /// Where a session is opened that is for withdrawals alone: `/v1/sessions`, as seed 000 writes it. The published
    /// OpenAPI knows one path for both: with its prefix, set this one to `/sessions` too.
    pub withdrawal_sessions: String,
    /// Where users are created and listed: `/users`.
    pub users: String,
    /// Where transactions are listed: `/transactions`.
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

/// The names of the headers that the provider's documents differ about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNames {
    /// Carries the organization's id: `client-id` in seed 000, `x-connect-client-id` in the published OpenAPI.
    pub client_id: String,
    /// Carries the signature in standard base64: `signature`.
    pub signature: String,
    /// Carries the UNIX time in seconds at which it was signed: `timestamp`.
    pub timestamp: String,
}

impl Default for HeaderNames {
    fn default() -> Self {
        Self { client_id: "client-id".to_owned(), signature: "signature".to_owned(), timestamp: "timestamp".to_owned() }
    }
}

/// The names of the parameters of `GET /transactions`; seed 000 names none, so they are those of the provider's
/// published sibling, `GET /fund/transactions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterNames {
    /// The earliest deposit time, itself included: `deposit_timestamp_gte`. `None`: never sent, and the rows come
    /// unfiltered.
    pub deposited_from: Option<String>,
    /// The time that every deposit lies before: `deposit_timestamp_lt`. `None`: never sent, and the rows come unfiltered.
    pub deposited_before: Option<String>,
    /// The number of the page, from 1: `page`.
    pub page: String,
    /// The most rows in a page: `page_size`.
    pub page_size: String,
    /// One transaction: `fund_id`.
    pub fund_id: String,
    /// One user's: `participant_code`.
    pub participant_code: String,
    /// One session's: `reference_id`.
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
    /// The value of the timestamp's header.
    Timestamp,
    /// `POST`.
    Method,
    /// The whole URL that the request goes to.
    Url,
    /// The URL's path alone, the prefix included.
    Path,
    /// The body, byte for byte.
    Body,
}

/// How long an attempt may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included: 2 s.
    pub connect: Duration,
    /// Until the answer is read to its end, the connection included: 10 s.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), attempt: Duration::from_secs(10) }
    }
}

/// How a call is repeated that may be.
///
/// The pauses double from `first_pause` up to `pause_max`, each shortened at random by up to a half. With every attempt
/// timing out, the defaults take 4 × 10 s and at most 1.4 s of pauses; with a provider that asks for time, 60 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The most attempts, the first included: 4.
    pub attempts_max: u32,
    /// The pause after the first attempt: 200 ms.
    pub first_pause: Duration,
    /// The longest pause that is chosen here: 5 s.
    pub pause_max: Duration,
    /// The most time in pauses together: 20 s. A `Retry-After` is waited for when it fits into what is left of it;
    /// otherwise the call fails at once and says how long the provider asked to wait.
    pub wait_max: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts_max: 4,
            first_pause: Duration::from_millis(200),
            pause_max: Duration::from_secs(5),
            wait_max: Duration::from_secs(20),
        }
    }
}
