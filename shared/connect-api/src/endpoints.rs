//! Validates the settings once, when a client is made: every URL and header name of a client is valid.

use reqwest::Url;
use reqwest::header::HeaderName;

use crate::settings::{HeaderNames, PRODUCTION_URL, ParameterNames, Settings, SignedPart};

/// Headers that the client sets itself or that have a meaning in HTTP.
const HEADERS_TAKEN: [&str; 6] =
    ["authorization", "content-type", "content-length", "host", "accept", "transfer-encoding"];
/// The fields of every token request, which `token_fields` must not repeat.
const TOKEN_FIELDS: [&str; 3] = ["client_id", "client_secret", "organization_id"];
/// A provider that fails so often needs a pause, not more attempts.
const ATTEMPTS_MAX: u32 = 10;

/// Why a client cannot be made with these settings. The message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The base URL is not a URL, would send secrets unencrypted, or has a part that does not belong in it.
    #[error("base_url {problem}; expected scheme and host, such as {PRODUCTION_URL}")]
    BaseUrl {
        /// What is wrong.
        problem: &'static str,
    },
    /// The prefix or a path does not make a valid URL.
    #[error(
        "{name} is {value:?}; expected a path that starts with `/`, does not end with `/` and has no query, such as {example}"
    )]
    Path {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// A valid value.
        example: &'static str,
    },
    /// The name of a header is not a token (RFC 9110, section 5.6.2).
    #[error("headers.{name} is {value:?}; expected a token of letters, digits and hyphens, such as client-id")]
    HeaderName {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The name of a header is already in use.
    #[error("headers.{name} is {value:?}, which is already the name of another header; expected a unique name")]
    HeaderTaken {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
    },
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
    /// A timeout is zero, or the connect timeout is longer than that of the attempt.
    #[error("timeouts.connect is {connect_ms} ms and timeouts.attempt {attempt_ms} ms; expected 0 < connect ≤ attempt")]
    Timeouts {
        /// The connect timeout in milliseconds.
        connect_ms: u128,
        /// The attempt's timeout in milliseconds.
        attempt_ms: u128,
    },
    /// The number of attempts is zero or too large.
    #[error("retries.attempts_max is {0}; expected 1 (never repeat) to {ATTEMPTS_MAX}")]
    Attempts(u32),
    /// A pause is zero, or the first pause is longer than the longest.
    #[error(
        "retries.first_pause is {first_pause_ms} ms and retries.pause_max {pause_max_ms} ms; expected 0 < first_pause ≤ pause_max"
    )]
    Pauses {
        /// The first pause in milliseconds.
        first_pause_ms: u128,
        /// The longest pause in milliseconds.
        pause_max_ms: u128,
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
        let base = base_url(&settings.base_url)?;
        let prefix = &settings.path_prefix;
        if !prefix.is_empty() {
            check_path("path_prefix", prefix, "/api/v1")?;
        }
        let url = |name, path: &str, example| {
            check_path(name, path, example)?;
            let whole = format!("{}{prefix}{path}", base.as_str().trim_end_matches('/'));
            Url::parse(&whole).map_err(|_| InvalidSettings::Path { name, value: path.to_owned(), example })
        };
        let paths = &settings.paths;
        let headers = Headers::of(&settings.headers)?;
        check_parameters(&settings.parameters)?;
        check_token_fields(settings)?;
        check_signed(&settings.string_to_sign)?;
        check_durations(settings)?;
        Ok(Self {
            token: url("paths.token", &paths.token, "/oauth/token")?,
            sessions: url("paths.sessions", &paths.sessions, "/sessions")?,
            withdrawal_sessions: url("paths.withdrawal_sessions", &paths.withdrawal_sessions, "/v1/sessions")?,
            users: url("paths.users", &paths.users, "/users")?,
            transactions: url("paths.transactions", &paths.transactions, "/transactions")?,
            headers,
        })
    }
}

fn base_url(text: &str) -> Result<Url, InvalidSettings> {
    // The error does not repeat the URL: it may contain a password, and errors are logged.
    let invalid = |problem| Err(InvalidSettings::BaseUrl { problem });
    let Ok(url) = Url::parse(text) else {
        return invalid("is not a URL");
    };
    let is_loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return invalid("is neither https, nor http on 127.0.0.1 or localhost");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid("has a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return invalid("has a query or a fragment");
    }
    if url.path() != "/" {
        return invalid("has a path, which belongs into path_prefix");
    }
    Ok(url)
}

fn check_path(name: &'static str, path: &str, example: &'static str) -> Result<(), InvalidSettings> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~');
    let fits = path.starts_with('/')
        && !path.ends_with('/')
        && path.bytes().all(plain)
        && !path.contains("//")
        && !path.split('/').any(|segment| matches!(segment, "." | ".."));
    if fits { Ok(()) } else { Err(InvalidSettings::Path { name, value: path.to_owned(), example }) }
}

impl Headers {
    fn of(names: &HeaderNames) -> Result<Self, InvalidSettings> {
        let mut taken: Vec<HeaderName> = Vec::new();
        let mut unique = |name, value: &String| {
            let Ok(header) = HeaderName::from_bytes(value.as_bytes()) else {
                return Err(InvalidSettings::HeaderName { name, value: value.clone() });
            };
            if HEADERS_TAKEN.contains(&header.as_str()) || taken.contains(&header) {
                return Err(InvalidSettings::HeaderTaken { name, value: header.to_string() });
            }
            taken.push(header.clone());
            Ok(header)
        };
        Ok(Self {
            client_id: unique("client_id", &names.client_id)?,
            signature: unique("signature", &names.signature)?,
            timestamp: unique("timestamp", &names.timestamp)?,
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

fn check_durations(settings: &Settings) -> Result<(), InvalidSettings> {
    let (timeouts, retries) = (&settings.timeouts, &settings.retries);
    if timeouts.connect.is_zero() || timeouts.connect > timeouts.attempt {
        return Err(InvalidSettings::Timeouts {
            connect_ms: timeouts.connect.as_millis(),
            attempt_ms: timeouts.attempt.as_millis(),
        });
    }
    if !(1..=ATTEMPTS_MAX).contains(&retries.attempts_max) {
        return Err(InvalidSettings::Attempts(retries.attempts_max));
    }
    if retries.first_pause.is_zero() || retries.first_pause > retries.pause_max {
        return Err(InvalidSettings::Pauses {
            first_pause_ms: retries.first_pause.as_millis(),
            pause_max_ms: retries.pause_max.as_millis(),
        });
    }
    Ok(())
}
