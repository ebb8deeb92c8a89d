//! How zerohash's API is called: the settings of a deployment, and what the provider's documents leave open.

use std::time::Duration;

use fundhook_domain::{ListKind, Provider, Timestamp};
use fundhook_http_api::{Retries, Timeouts};
use fundhook_zerohash_api::{
    AbsentBody, Brackets, FilterTime, FilterUnit, InvalidSettings, ListForm, SecretEncoding, Settings,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Bounds on one attempt at a call, and pauses that let one rate limit of 10 s pass.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const WAIT_MAX: Duration = Duration::from_secs(15);

/// How to call zerohash's API.
#[derive(Clone, Debug)]
pub struct ZerohashApiConfig {
    /// Scheme and host.
    pub base_url: String,
    /// A JSON object of what the provider's documents leave open, where it differs from the defaults: `path_prefix`,
    /// `lists`, `secret_encoding`, `get_body_signed`, `post_body_signed`, `brackets_signed`, `deposit_timestamp_unit`,
    /// `crypto_deposit_time`, `crypto_deposit_lists`, `payments_page_size`, `crypto_deposits_page_size`,
    /// `payment_histories`.
    pub options: String,
    /// The ARN or name of the secret with the credentials: a JSON object with an entry for each organization.
    pub credentials_secret_id: String,
    /// The current time: each request is signed with it.
    pub clock: fn() -> Timestamp,
}

/// What the options of the configuration select.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) settings: Settings,
    /// The lists to read.
    pub(crate) lists: Vec<ListKind>,
    /// Whether the histories of payments by a bank are read.
    pub(crate) payment_histories: bool,
    /// How a secret is encoded.
    pub(crate) encoding: SecretEncoding,
}

/// The settings of a client that makes at most `attempts_max` attempts at a call, with the options of the configuration.
pub(crate) fn configured(
    config: &ZerohashApiConfig,
    attempts_max: u32,
) -> Result<Configured, InvalidZerohashApiSettings> {
    let settings = Settings {
        timeouts: Timeouts { attempt: ATTEMPT_TIMEOUT, ..Timeouts::default() },
        retries: Retries { attempts_max, wait_max: WAIT_MAX, ..Retries::default() },
        ..Settings::new(&config.base_url)
    };
    let options = Options::parse(&config.options).map_err(InvalidZerohashApiSettings::Options)?;
    options.apply(settings)
}

/// Why zerohash's API cannot be used with these settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidZerohashApiSettings {
    #[error(
        "the options of zerohash's API are not a JSON object of known members and values, such as {{\"deposit_timestamp_unit\":\"s\"}}"
    )]
    Options(#[source] serde_json::Error),
    #[error("the option `lists` of zerohash's API names no list; expected one or more of {names}", names = list_names())]
    NoLists,
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
}

/// What the provider's documents leave open.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    path_prefix: Option<String>,
    lists: Option<Vec<ListKind>>,
    secret_encoding: Option<EncodingOption>,
    get_body_signed: Option<BodyOption>,
    post_body_signed: Option<BodyOption>,
    brackets_signed: Option<BracketsOption>,
    deposit_timestamp_unit: Option<UnitOption>,
    crypto_deposit_time: Option<TimeOption>,
    crypto_deposit_lists: Option<ListFormOption>,
    payments_page_size: Option<u32>,
    crypto_deposits_page_size: Option<u32>,
    payment_histories: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EncodingOption {
    Base64,
    Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BodyOption {
    Braces,
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BracketsOption {
    Encoded,
    Raw,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnitOption {
    Ms,
    S,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TimeOption {
    Rfc3339,
    Ms,
    S,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ListFormOption {
    Repeated,
    Commas,
}

impl From<UnitOption> for FilterUnit {
    fn from(option: UnitOption) -> Self {
        match option {
            UnitOption::Ms => Self::Milliseconds,
            UnitOption::S => Self::Seconds,
        }
    }
}

impl From<BodyOption> for AbsentBody {
    fn from(option: BodyOption) -> Self {
        match option {
            BodyOption::Braces => Self::Braces,
            BodyOption::Nothing => Self::Nothing,
        }
    }
}

fn set<T, O: Into<T>>(known: &mut T, option: Option<O>) {
    if let Some(option) = option {
        *known = option.into();
    }
}

impl Options {
    /// Parses an object first: serde also deserializes a struct from an array.
    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Map<String, Value>>(text)
            .and_then(|members| serde_json::from_value(Value::Object(members)))
    }

    fn apply(self, mut settings: Settings) -> Result<Configured, InvalidZerohashApiSettings> {
        set(&mut settings.path_prefix, self.path_prefix);
        set(&mut settings.get_body_signed, self.get_body_signed);
        set(&mut settings.post_body_signed, self.post_body_signed);
        set(&mut settings.deposit_timestamp_unit, self.deposit_timestamp_unit);
        set(&mut settings.page_sizes.payments, self.payments_page_size);
        set(&mut settings.page_sizes.crypto_deposits, self.crypto_deposits_page_size);
        if let Some(option) = self.brackets_signed {
            settings.brackets_signed = match option {
                BracketsOption::Encoded => Brackets::Encoded,
                BracketsOption::Raw => Brackets::Raw,
            };
        }
        if let Some(option) = self.crypto_deposit_time {
            settings.crypto_deposit_time = match option {
                TimeOption::Rfc3339 => FilterTime::Rfc3339,
                TimeOption::Ms => FilterTime::Unix(FilterUnit::Milliseconds),
                TimeOption::S => FilterTime::Unix(FilterUnit::Seconds),
            };
        }
        if let Some(option) = self.crypto_deposit_lists {
            settings.crypto_deposit_lists = match option {
                ListFormOption::Repeated => ListForm::Repeated,
                ListFormOption::Commas => ListForm::Commas,
            };
        }
        let all = ListKind::of(Provider::Zerohash);
        let lists: Vec<ListKind> = match self.lists {
            Some(chosen) => all.filter(|list| chosen.contains(list)).collect(),
            None => all.collect(),
        };
        if lists.is_empty() {
            return Err(InvalidZerohashApiSettings::NoLists);
        }
        let encoding = match self.secret_encoding {
            Some(EncodingOption::Text) => SecretEncoding::Text,
            Some(EncodingOption::Base64) | None => SecretEncoding::Base64,
        };
        Ok(Configured { settings, lists, payment_histories: self.payment_histories.unwrap_or(true), encoding })
    }
}

fn list_names() -> String {
    let names: Vec<&str> = ListKind::of(Provider::Zerohash).map(ListKind::as_str).collect();
    names.join(", ")
}
