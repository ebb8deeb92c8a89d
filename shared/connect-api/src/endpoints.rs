//! Validates the settings once, when a client is made: every URL and header name of a client is valid.

use fundhook_http_api::InvalidSettings as InvalidCommonSettings;
use fundhook_http_api::settings::{Base, UniqueHeaders, check_durations};
use reqwest::Url;
use reqwest::header::HeaderName;

use crate::settings::{HeaderNames, PRODUCTION_URL, ParameterNames, Settings, SignedPart};

/// The fields of every token request, which `token_fields` must not repeat.
const TOKEN_FIELDS: [&str; 3] = ["client_id", "client_secret", "organization_id"];

/// Why a client cannot be made with these settings. The message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The base URL, a path, the name of a header, a timeout or the retries are invalid.
    #[error(transparent)]
    Common(#[from] InvalidCommonSettings),
    /// The name of a parameter is empty, has invalid characters, or is already in use.
    #[error(
        "parameters.{name} is {value:?}; expected a unique name of letters, digits, `_`, `-`, `.`, `[` and `]`, such as {name}"
    )]
    Parameter {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// A further field of the token request has no name, or the name of a field that is always sent.
    #[error("token_fields contains {name:?}; expected a name that is neither empty nor one of {TOKEN_FIELDS:?}")]
    TokenField {
        /// The field.
        name: String,
    },
    /// The signed string lacks a part, so that a signature would be valid for more than one request.
    #[error(
        "string_to_sign lacks {missing:?}; expected Timestamp and Body among its parts, so that neither can be replaced"
    )]
    NotSigned {
        /// The part that is missing.
        missing: SignedPart,
    },
    /// The signed string has a part twice.
    #[error("string_to_sign has {part:?} twice; expected each part once")]
    SignedTwice {
        /// The part.
        part: SignedPart,
    },
}

/// The validated settings: the URL of each call and the names of the headers.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) token: Url,
    pub(crate) sessions: Url,
    pub(crate) withdrawal_sessions: Url,
    pub(crate) users: Url,
    pub(crate) transactions: Url,
    pub(crate) headers: Headers,
}

/// The validated names of the headers.
#[derive(Clone, Debug)]
pub(crate) struct Headers {
    pub(crate) client_id: HeaderName,
    pub(crate) signature: HeaderName,
    pub(crate) timestamp: HeaderName,
}

impl Endpoints {
    pub(crate) fn of(settings: &Settings) -> Result<Self, InvalidSettings> {
        let base = Base::new(&settings.base_url, &settings.path_prefix, PRODUCTION_URL)?;
        let paths = &settings.paths;
        let headers = Headers::of(&settings.headers)?;
        check_parameters(&settings.parameters)?;
        check_token_fields(settings)?;
        check_signed(&settings.string_to_sign)?;
        check_durations(&settings.timeouts, &settings.retries)?;
        Ok(Self {
            token: base.url("paths.token", &paths.token, "/oauth/token")?,
            sessions: base.url("paths.sessions", &paths.sessions, "/sessions")?,
            withdrawal_sessions: base.url("paths.withdrawal_sessions", &paths.withdrawal_sessions, "/v1/sessions")?,
            users: base.url("paths.users", &paths.users, "/users")?,
            transactions: base.url("paths.transactions", &paths.transactions, "/transactions")?,
            headers,
        })
    }
}

impl Headers {
    fn of(names: &HeaderNames) -> Result<Self, InvalidCommonSettings> {
        let mut unique = UniqueHeaders::default();
        Ok(Self {
            client_id: unique.take("client_id", &names.client_id, "client-id")?,
            signature: unique.take("signature", &names.signature, "signature")?,
            timestamp: unique.take("timestamp", &names.timestamp, "timestamp")?,
        })
    }
}

fn check_parameters(names: &ParameterNames) -> Result<(), InvalidSettings> {
    let named = [
        ("deposited_from", names.deposited_from.as_ref()),
        ("deposited_before", names.deposited_before.as_ref()),
        ("page", Some(&names.page)),
        ("page_size", Some(&names.page_size)),
        ("fund_id", Some(&names.fund_id)),
        ("participant_code", Some(&names.participant_code)),
        ("reference_id", Some(&names.reference_id)),
    ];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']');
    let mut seen: Vec<&String> = Vec::new();
    for (name, value) in named {
        let Some(value) = value else { continue };
        if value.is_empty() || !value.bytes().all(plain) || seen.contains(&value) {
            return Err(InvalidSettings::Parameter { name, value: value.clone() });
        }
        seen.push(value);
    }
    Ok(())
}

fn check_token_fields(settings: &Settings) -> Result<(), InvalidSettings> {
    let mut names = settings.token_fields.keys();
    match names.find(|name| name.is_empty() || TOKEN_FIELDS.contains(&name.as_str())) {
        Some(name) => Err(InvalidSettings::TokenField { name: name.clone() }),
        None => Ok(()),
    }
}

fn check_signed(parts: &[SignedPart]) -> Result<(), InvalidSettings> {
    let needed = [SignedPart::Timestamp, SignedPart::Body];
    if let Some(missing) = needed.into_iter().find(|part| !parts.contains(part)) {
        return Err(InvalidSettings::NotSigned { missing });
    }
    match parts.iter().enumerate().find(|(place, part)| parts[..*place].contains(part)) {
        Some((_, part)) => Err(InvalidSettings::SignedTwice { part: *part }),
        None => Ok(()),
    }
}
