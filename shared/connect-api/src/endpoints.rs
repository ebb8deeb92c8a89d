//! Settings are checked once, where a client is made: what exists can be called.

use reqwest::Url;
use reqwest::header::HeaderName;

use crate::settings::{HeaderNames, PRODUCTION_URL, ParameterNames, Settings, SignedPart};

/// Headers that the client sets itself or that HTTP gives a meaning to.
const HEADERS_TAKEN: [&str; 6] =
    ["authorization", "content-type", "content-length", "host", "accept", "transfer-encoding"];
/// The fields of the token request that are not settings.
const TOKEN_FIELDS: [&str; 3] = ["client_id", "client_secret", "organization_id"];
/// Every attempt beyond that is a sign of a provider that should be left alone.
const ATTEMPTS_MAX: u32 = 10;

/// Why a client cannot be made of these settings, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The base URL is none, or one that would send secrets in the clear, or has a part that does not belong in it.
    #[error("base_url {problem}; right is scheme and host, such as {PRODUCTION_URL}")]
    BaseUrl {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The prefix or a path would not make a URL of the form that is expected.
    #[error(
        "{name} is {value:?}; right is a path that begins with `/`, ends with another character and has no query, such as {example}"
    )]
    Path {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// A value that would do.
        example: &'static str,
    },
    /// The name of a header is not one (RFC 9110, section 5.6.2).
    #[error("headers.{name} is {value:?}; right is a token of letters, digits and hyphens, such as client-id")]
    HeaderName {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The name of a header is also that of another.
    #[error("headers.{name} is {value:?}, which is another header's name; right is a name of its own")]
    HeaderTaken {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The name of a parameter is empty, has characters that none has, or is also that of another.
    #[error(
        "parameters.{name} is {value:?}; right is a name of its own of letters, digits, `_`, `-`, `.`, `[` and `]`, such as {name}"
    )]
    Parameter {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// A further field of the token request has no name, or the name of one that is always sent.
    #[error("token_fields has {name:?}; right is a name that is neither empty nor one of {TOKEN_FIELDS:?}")]
    TokenField {
        /// The field.
        name: String,
    },
    /// What is signed leaves out what makes a signature good for one request alone.
    #[error(
        "string_to_sign has no {missing:?}; right is one with Timestamp and Body, so that neither can be exchanged"
    )]
    NotSigned {
        /// What is left out.
        missing: SignedPart,
    },
    /// What is signed names a part twice.
    #[error("string_to_sign has {part:?} twice; right is each part once")]
    SignedTwice {
        /// Which.
        part: SignedPart,
    },
    /// A timeout of zero, or a connection that may take longer than the attempt that it is part of.
    #[error("timeouts.connect is {connect_ms} ms and timeouts.attempt {attempt_ms} ms; right is 0 < connect ≤ attempt")]
    Timeouts {
        /// The connection's.
        connect_ms: u128,
        /// The attempt's.
        attempt_ms: u128,
    },
    /// No attempt at all, or too many.
    #[error("retries.attempts_max is {0}; right is 1 (never repeat) to {ATTEMPTS_MAX}")]
    Attempts(u32),
    /// Pauses of no length, or a first that is longer than the longest.
    #[error(
        "retries.first_pause is {first_pause_ms} ms and retries.pause_max {pause_max_ms} ms; right is 0 < first_pause ≤ pause_max"
    )]
    Pauses {
        /// The first.
        first_pause_ms: u128,
        /// The longest.
        pause_max_ms: u128,
    },
}

/// The checked form of the settings: where each call goes, and what its headers are called.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) token: Url,
    pub(crate) sessions: Url,
    pub(crate) withdrawal_sessions: Url,
    pub(crate) users: Url,
    pub(crate) transactions: Url,
    pub(crate) client_id: HeaderName,
    pub(crate) signature: HeaderName,
    pub(crate) timestamp: HeaderName,
}

impl Endpoints {
    /// The endpoints that `settings` describe.
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
        let [client_id, signature, timestamp] = header_names(&settings.headers)?;
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
            client_id,
            signature,
            timestamp,
        })
    }
}

fn base_url(text: &str) -> Result<Url, InvalidSettings> {
    // The text is not repeated: whoever writes a password into it would read it in a log.
    let invalid = |problem| Err(InvalidSettings::BaseUrl { problem });
    let Ok(url) = Url::parse(text) else {
        return invalid("is no URL");
    };
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return invalid("is neither https, nor http on 127.0.0.1 or localhost");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid("has a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return invalid("has a query or a fragment");
    }
    if url.path() != "/" {
        return invalid("has a path, which belongs in path_prefix");
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

fn header_names(names: &HeaderNames) -> Result<[HeaderName; 3], InvalidSettings> {
    let parsed = |name, value: &String| {
        HeaderName::from_bytes(value.as_bytes()).map_err(|_| InvalidSettings::HeaderName { name, value: value.clone() })
    };
    let headers = [
        parsed("client_id", &names.client_id)?,
        parsed("signature", &names.signature)?,
        parsed("timestamp", &names.timestamp)?,
    ];
    for (place, name) in ["client_id", "signature", "timestamp"].into_iter().enumerate() {
        let header = &headers[place];
        if HEADERS_TAKEN.contains(&header.as_str()) || headers[..place].contains(header) {
            return Err(InvalidSettings::HeaderTaken { name, value: header.to_string() });
        }
    }
    Ok(headers)
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
