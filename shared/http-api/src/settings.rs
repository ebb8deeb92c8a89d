//! The settings that every client has, and the checks of them. Each error names the setting, its value and what is expected.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderName;

/// Headers that the clients set themselves or that have a meaning in HTTP.
const HEADERS_TAKEN: [&str; 6] =
    ["authorization", "content-type", "content-length", "host", "accept", "transfer-encoding"];
/// A provider that fails so often needs a pause, not more attempts.
const ATTEMPTS_MAX: u32 = 10;

/// The timeouts of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The time to connect, including TLS: 2 s by default.
    pub connect: Duration,
    /// The time to read the response to its end, including the connection: 10 s by default.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), attempt: Duration::from_secs(10) }
    }
}

/// How a failed call is repeated.
///
/// The pauses double from `first_pause` up to `pause_max`. Random jitter shortens each by up to half. If every attempt times
/// out, a call with the defaults takes 4 × 10 s and at most 1.4 s of pauses; with `Retry-After` in the responses, at most
/// 60 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The most attempts, including the first: 4 by default.
    pub attempts_max: u32,
    /// The pause after the first attempt: 200 ms by default.
    pub first_pause: Duration,
    /// The longest pause, unless the provider asks for more: 5 s by default.
    pub pause_max: Duration,
    /// The most time spent in all pauses together: 20 s by default. A `Retry-After` that fits into the remaining time is
    /// waited for; otherwise the call fails at once, and its error says how long the provider asked to wait.
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

/// Why a setting that every client has is invalid. The message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The base URL is not a URL, would send secrets unencrypted, or has a part that does not belong in it.
    #[error("base_url {problem}; expected scheme and host, such as {example}")]
    BaseUrl {
        /// What is wrong.
        problem: &'static str,
        /// A valid value.
        example: &'static str,
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
    #[error("headers.{name} is {value:?}; expected a token of letters, digits and hyphens, such as {example}")]
    HeaderName {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// A valid value.
        example: &'static str,
    },
    /// The name of a header is already in use.
    #[error("headers.{name} is {value:?}, which is already the name of another header; expected a unique name")]
    HeaderTaken {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
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

/// The validated base URL and path prefix of an API.
#[derive(Clone, Debug)]
pub struct Base {
    url: Url,
    prefix: String,
}

impl Base {
    /// Scheme and host are `base_url`; `path_prefix` may be empty. `example` is a valid `base_url`, for the error.
    pub fn new(base_url: &str, path_prefix: &str, example: &'static str) -> Result<Self, InvalidSettings> {
        let url = parsed(base_url).map_err(|problem| InvalidSettings::BaseUrl { problem, example })?;
        if !path_prefix.is_empty() {
            check_path("path_prefix", path_prefix, "/api/v1")?;
        }
        Ok(Self { url, prefix: path_prefix.to_owned() })
    }

    /// The URL of `path`, which is the value of the setting `name`.
    pub fn url(&self, name: &'static str, path: &str, example: &'static str) -> Result<Url, InvalidSettings> {
        check_path(name, path, example)?;
        let whole = format!("{}{}{path}", self.url.as_str().trim_end_matches('/'), self.prefix);
        Url::parse(&whole).map_err(|_| InvalidSettings::Path { name, value: path.to_owned(), example })
    }
}

/// The URL, or what is wrong with it. The error does not repeat it: it may contain a password, and errors are logged.
fn parsed(text: &str) -> Result<Url, &'static str> {
    let Ok(url) = Url::parse(text) else {
        return Err("is not a URL");
    };
    let is_loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return Err("is neither https, nor http on 127.0.0.1 or localhost");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment");
    }
    if url.path() != "/" {
        return Err("has a path, which belongs into path_prefix");
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

/// The header names of a client, each valid and different from the others.
#[derive(Debug, Default)]
pub struct UniqueHeaders(Vec<HeaderName>);

impl UniqueHeaders {
    /// Takes `value`, the value of the setting `headers.{name}`.
    pub fn take(
        &mut self,
        name: &'static str,
        value: &str,
        example: &'static str,
    ) -> Result<HeaderName, InvalidSettings> {
        let Ok(header) = HeaderName::from_bytes(value.as_bytes()) else {
            return Err(InvalidSettings::HeaderName { name, value: value.to_owned(), example });
        };
        if HEADERS_TAKEN.contains(&header.as_str()) || self.0.contains(&header) {
            return Err(InvalidSettings::HeaderTaken { name, value: header.to_string() });
        }
        self.0.push(header.clone());
        Ok(header)
    }
}

/// Checks that the timeouts and retries let a call end and let it begin.
pub fn check_durations(timeouts: &Timeouts, retries: &Retries) -> Result<(), InvalidSettings> {
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
