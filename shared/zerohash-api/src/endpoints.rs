//! Validates the settings once, when a client is made: every URL and header name of a client is valid.

use fundhook_http_api::InvalidSettings as InvalidCommonSettings;
use fundhook_http_api::settings::{Base, UniqueHeaders, check_durations};
use reqwest::Url;
use reqwest::header::HeaderName;

use crate::settings::{HeaderNames, PageSizes, Settings, US_PRODUCTION_URL};

/// The header with which the provider allows any request to be repeated after a 503 [zerohash-openapi].
pub(crate) const RETRY_HEADER: HeaderName = HeaderName::from_static("zh-allow-retry");

/// Why a client cannot be made with these settings. The message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The base URL, a path, the name of a header, a timeout or the retries are invalid.
    #[error(transparent)]
    Common(#[from] InvalidCommonSettings),
    /// The list does not allow pages of this size.
    #[error("page_sizes.{name} is {value}; expected 1 to {max}")]
    PageSize {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: u32,
        /// The largest page.
        max: u32,
    },
}

/// The validated settings: the URL of each call and the names of the headers.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) time: Url,
    pub(crate) client_auth_token: Url,
    pub(crate) revoke_auth_token: Url,
    pub(crate) fund_rfq: Url,
    pub(crate) fund_transactions: Url,
    pub(crate) deposits: Url,
    pub(crate) crypto_deposits: Url,
    pub(crate) payments: Url,
    pub(crate) payment_statuses: Url,
    pub(crate) payment_histories: Url,
    pub(crate) movements: Url,
    pub(crate) participants: Url,
    pub(crate) external_accounts: Url,
    pub(crate) accounts: Url,
    pub(crate) headers: Headers,
}

/// The validated names of the headers.
#[derive(Clone, Debug)]
pub(crate) struct Headers {
    pub(crate) api_key: HeaderName,
    pub(crate) passphrase: HeaderName,
    pub(crate) timestamp: HeaderName,
    pub(crate) signature: HeaderName,
    pub(crate) request_id: HeaderName,
}

impl Endpoints {
    pub(crate) fn of(settings: &Settings) -> Result<Self, InvalidSettings> {
        let base = Base::new(&settings.base_url, &settings.path_prefix, US_PRODUCTION_URL)?;
        let paths = &settings.paths;
        let headers = Headers::of(&settings.headers)?;
        check_durations(&settings.timeouts, &settings.retries)?;
        check_page_sizes(&settings.page_sizes)?;
        Ok(Self {
            time: base.url("paths.time", &paths.time, "/time")?,
            client_auth_token: base.url("paths.client_auth_token", &paths.client_auth_token, "/client_auth_token")?,
            revoke_auth_token: base.url("paths.revoke_auth_token", &paths.revoke_auth_token, "/revoke_auth_token")?,
            fund_rfq: base.url("paths.fund_rfq", &paths.fund_rfq, "/fund/rfq")?,
            fund_transactions: base.url("paths.fund_transactions", &paths.fund_transactions, "/fund/transactions")?,
            deposits: base.url("paths.deposits", &paths.deposits, "/deposits")?,
            crypto_deposits: base.url("paths.crypto_deposits", &paths.crypto_deposits, "/deposits/crypto")?,
            payments: base.url("paths.payments", &paths.payments, "/payments")?,
            payment_statuses: base.url("paths.payment_statuses", &paths.payment_statuses, "/payments/status")?,
            payment_histories: base.url("paths.payment_histories", &paths.payment_histories, "/payments/history")?,
            movements: base.url("paths.movements", &paths.movements, "/movements")?,
            participants: base.url("paths.participants", &paths.participants, "/participants")?,
            external_accounts: base.url(
                "paths.external_accounts",
                &paths.external_accounts,
                "/payments/external_accounts",
            )?,
            accounts: base.url("paths.accounts", &paths.accounts, "/accounts")?,
            headers,
        })
    }
}

impl Headers {
    fn of(names: &HeaderNames) -> Result<Self, InvalidCommonSettings> {
        let mut unique = UniqueHeaders::default();
        Ok(Self {
            api_key: unique.take("api_key", &names.api_key, "X-SCX-API-KEY")?,
            passphrase: unique.take("passphrase", &names.passphrase, "X-SCX-PASSPHRASE")?,
            timestamp: unique.take("timestamp", &names.timestamp, "X-SCX-TIMESTAMP")?,
            signature: unique.take("signature", &names.signature, "X-SCX-SIGNED")?,
            request_id: unique.take("request_id", &names.request_id, "X-Request-Id")?,
        })
    }
}

fn check_page_sizes(sizes: &PageSizes) -> Result<(), InvalidSettings> {
    let limits = [
        ("fund_transactions", Some(sizes.fund_transactions), 50),
        ("deposits", sizes.deposits, 1000),
        ("crypto_deposits", Some(sizes.crypto_deposits), 999),
        ("payments", Some(sizes.payments), 1000),
        ("payment_statuses", Some(sizes.payment_statuses), 1000),
        ("movements", Some(sizes.movements), 100),
        ("external_accounts", Some(sizes.external_accounts), 1000),
    ];
    let stated = limits.into_iter().filter_map(|(name, value, max)| Some((name, value?, max)));
    match stated.into_iter().find(|(_, value, max)| !(1..=*max).contains(value)) {
        Some((name, value, max)) => Err(InvalidSettings::PageSize { name, value, max }),
        None => Ok(()),
    }
}
