//! How the API is called. Whatever the provider's documents do not settle is a setting.

use std::time::Duration;

use fundhook_http_api::{Retries, Timeouts};

/// The base URL of production in the United States [zerohash-first-call].
pub const US_PRODUCTION_URL: &str = "https://api.zerohash.com";
/// The base URL of the test environment in the United States [zerohash-first-call].
pub const US_CERT_URL: &str = "https://api.cert.zerohash.com";
/// The base URL of production in Europe [zerohash-fund-overview].
pub const EU_PRODUCTION_URL: &str = "https://api.zerohash.eu";
/// The base URL of the test environment in Europe [zerohash-fund-overview].
pub const EU_CERT_URL: &str = "https://api.cert.zerohash.eu";

/// How long the provider answers 429 once an address has made 2,000 requests within 10 s [zerohash-api-security]. It documents
/// no `Retry-After`.
pub const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(10);

/// The API's URL, the names of its headers, what is signed, the units of filters, page sizes, timeouts and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Scheme and host, such as [`US_PRODUCTION_URL`]. The scheme is `https`, except on the loopback interface.
    pub base_url: String,
    /// The prefix of each path: empty by default. It is signed as part of the path.
    pub path_prefix: String,
    /// The path of each call, after the prefix.
    pub paths: Paths,
    /// The names of the headers.
    pub headers: HeaderNames,
    /// What is signed as the body of a `GET`, which has none: [`AbsentBody::Braces`] by default, as documented
    /// [zerohash-api-auth].
    pub get_body_signed: AbsentBody,
    /// What is signed as the body of a `POST` without one: [`AbsentBody::Braces`] by default. Not documented; clients do so.
    pub post_body_signed: AbsentBody,
    /// How the brackets of `settle_timestamp[gte]` are signed: [`Brackets::Encoded`] by default. Not documented.
    pub brackets_signed: Brackets,
    /// The unit of the filters `deposit_timestamp_*` of `GET /fund/transactions`: [`FilterUnit::Milliseconds`] by default,
    /// that of the rows. Not documented; a similar list, `GET /pay/transactions`, takes seconds [zerohash-payins-api].
    pub deposit_timestamp_unit: FilterUnit,
    /// The form of `from_timestamp` and `to_timestamp` of `GET /deposits/crypto`: [`FilterTime::Rfc3339`] by default, that of
    /// the rows. Not documented.
    pub crypto_deposit_time: FilterTime,
    /// How several values of one filter of `GET /deposits/crypto` are sent: [`ListForm::Repeated`] by default, as OpenAPI
    /// does unless it says otherwise. Not documented.
    pub crypto_deposit_lists: ListForm,
    /// How many rows a page is to have.
    pub page_sizes: PageSizes,
    /// The timeouts of one attempt.
    pub timeouts: Timeouts,
    /// How often a failed call is repeated, and with what pauses.
    pub retries: Retries,
}

impl Settings {
    /// The API at `base_url`, with every other value at its default.
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            path_prefix: String::new(),
            paths: Paths::default(),
            headers: HeaderNames::default(),
            get_body_signed: AbsentBody::Braces,
            post_body_signed: AbsentBody::Braces,
            brackets_signed: Brackets::Encoded,
            deposit_timestamp_unit: FilterUnit::Milliseconds,
            crypto_deposit_time: FilterTime::Rfc3339,
            crypto_deposit_lists: ListForm::Repeated,
            page_sizes: PageSizes::default(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
        }
    }
}

/// What is signed where a request has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsentBody {
    /// The two bytes `{}`.
    Braces,
    /// Nothing.
    Nothing,
}

/// How `[` and `]` in the names of parameters are signed. They are always sent percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brackets {
    /// As they are sent: `%5B` and `%5D`.
    Encoded,
    /// As they are written: `[` and `]`.
    Raw,
}

/// The unit of a UNIX time in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterUnit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// The form of a time in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterTime {
    /// A date-time such as `2026-01-01T00:00:00Z`.
    Rfc3339,
    /// A UNIX time.
    Unix(FilterUnit),
}

/// How several values of one filter are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// The parameter is repeated: `states=A&states=B`.
    Repeated,
    /// The values are separated by commas: `states=A,B`.
    Commas,
}

/// How many rows a page is to have, for the lists that document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSizes {
    /// `page_size` of `GET /fund/transactions`, 1 to 50: 50 by default.
    pub fund_transactions: u32,
    /// `page_size` of `GET /deposits`: not sent by default, because the list documents none.
    pub deposits: Option<u32>,
    /// `limit` of `GET /deposits/crypto`, 1 to 999: 100 by default.
    pub crypto_deposits: u32,
    /// `size` of `GET /payments`: 50 by default. The largest is not documented.
    pub payments: u32,
    /// `size` of `GET /payments/status` and `GET /payments/history`: 200 by default.
    pub payment_statuses: u32,
    /// `page_size` of `GET /movements`, 1 to 100: 100 by default.
    pub movements: u32,
    /// `size` of `GET /payments/external_accounts`: 200 by default. The largest is not documented.
    pub external_accounts: u32,
}

impl Default for PageSizes {
    fn default() -> Self {
        Self {
            fund_transactions: 50,
            deposits: None,
            crypto_deposits: 100,
            payments: 50,
            payment_statuses: 200,
            movements: 100,
            external_accounts: 200,
        }
    }
}

/// The paths of the calls, each beginning with `/` [zerohash-openapi].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The provider's clock: `/time`.
    pub time: String,
    /// To request a token for the SDK: `/client_auth_token`.
    pub client_auth_token: String,
    /// To revoke a token for the SDK: `/revoke_auth_token`.
    pub revoke_auth_token: String,
    /// To request a quote with a deposit address: `/fund/rfq`.
    pub fund_rfq: String,
    /// Fund transactions: `/fund/transactions`.
    pub fund_transactions: String,
    /// Settled deposits: `/deposits`.
    pub deposits: String,
    /// Deposits on a chain with their states: `/deposits/crypto`.
    pub crypto_deposits: String,
    /// Payments in crypto: `/payments`. One payment is below it.
    pub payments: String,
    /// Payments in fiat money: `/payments/status`.
    pub payment_statuses: String,
    /// The histories of payments in fiat money: `/payments/history`.
    pub payment_histories: String,
    /// Movements of all accounts: `/movements`.
    pub movements: String,
    /// Participants: `/participants`.
    pub participants: String,
    /// Users' accounts at banks: `/payments/external_accounts`.
    pub external_accounts: String,
    /// Accounts: `/accounts`. The movements of one account are below it.
    pub accounts: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            time: "/time".to_owned(),
            client_auth_token: "/client_auth_token".to_owned(),
            revoke_auth_token: "/revoke_auth_token".to_owned(),
            fund_rfq: "/fund/rfq".to_owned(),
            fund_transactions: "/fund/transactions".to_owned(),
            deposits: "/deposits".to_owned(),
            crypto_deposits: "/deposits/crypto".to_owned(),
            payments: "/payments".to_owned(),
            payment_statuses: "/payments/status".to_owned(),
            payment_histories: "/payments/history".to_owned(),
            movements: "/movements".to_owned(),
            participants: "/participants".to_owned(),
            external_accounts: "/payments/external_accounts".to_owned(),
            accounts: "/accounts".to_owned(),
        }
    }
}

/// The names of the headers [zerohash-api-auth] [zerohash-request-ids].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNames {
    /// The header with the API key: `X-SCX-API-KEY`.
    pub api_key: String,
    /// The header with the passphrase of the key: `X-SCX-PASSPHRASE`.
    pub passphrase: String,
    /// The header with the UNIX time of the signature, in seconds: `X-SCX-TIMESTAMP`.
    pub timestamp: String,
    /// The header with the signature in standard base64: `X-SCX-SIGNED`.
    pub signature: String,
    /// The header with the UUID of the request, which its repetitions share: `X-Request-Id`.
    pub request_id: String,
}

impl Default for HeaderNames {
    fn default() -> Self {
        Self {
            api_key: "X-SCX-API-KEY".to_owned(),
            passphrase: "X-SCX-PASSPHRASE".to_owned(),
            timestamp: "X-SCX-TIMESTAMP".to_owned(),
            signature: "X-SCX-SIGNED".to_owned(),
            request_id: "X-Request-Id".to_owned(),
        }
    }
}
