//! An answer is read to its end, within a bound, and judged once.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::error::{ApiError, Call};
use crate::words::{Hidden, ProviderWords};

/// The longest answer. A page has 50 rows of about 1 KB; eighty times that is no page.
pub(crate) const BYTES_MAX: usize = 4 * 1024 * 1024;

/// What there is to know for reading a call's answer.
pub(crate) struct Reading<'a> {
    pub(crate) call: &'a Call,
    pub(crate) expected: &'static str,
    pub(crate) hidden: &'a Hidden,
    /// The time that an attempt has.
    pub(crate) attempt: Duration,
}

impl Reading<'_> {
    /// What `response` says.
    pub(crate) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, ApiError> {
        let status = response.status();
        let headers = response.headers().clone();
        let body = self.body(response).await;
        if status.is_success() {
            return self.parsed(status, content_type(&headers), &body?);
        }
        // A refusal is one even when its words cannot be read to their end.
        let said = body.map(|body| ProviderWords::read(&body, content_type(&headers), self.hidden));
        Err(self.refused(status, retry_after(&headers), said.unwrap_or_default()))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, ApiError> {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > BYTES_MAX => {
                    return Err(ApiError::TooLarge { call: self.call.clone(), bytes_max: BYTES_MAX });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => {
                    return Err(ApiError::TimedOut { call: self.call.clone(), after: self.attempt });
                }
                Err(error) => {
                    let (bytes, source) = (body.len(), Some(error.without_url()));
                    return Err(ApiError::HalfBody { call: self.call.clone(), status, bytes, source });
                }
            }
        }
    }

    fn parsed<T: DeserializeOwned>(&self, status: StatusCode, content_type: &str, body: &[u8]) -> Result<T, ApiError> {
        let (call, status) = (self.call.clone(), status.as_u16());
        if body.trim_ascii().is_empty() {
            return Err(ApiError::Empty { call, status, expected: self.expected });
        }
        let error = match serde_json::from_slice(body) {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        Err(match error.classify() {
            Category::Eof => ApiError::HalfBody { call, status, bytes: body.len(), source: None },
            Category::Data => ApiError::OtherShape { call, expected: self.expected, problem: without_values(&error) },
            Category::Syntax | Category::Io => {
                ApiError::NotJson { call, status, content_type: content_type.to_owned() }
            }
        })
    }

    fn refused(&self, status: StatusCode, retry_after: Option<Duration>, said: ProviderWords) -> ApiError {
        let (call, said) = (self.call.clone(), Box::new(said));
        match status {
            StatusCode::UNAUTHORIZED => ApiError::Unauthorized { call, said },
            StatusCode::TOO_MANY_REQUESTS => ApiError::TooManyRequests { call, retry_after, said },
            status => ApiError::Status { call, status: status.as_u16(), retry_after, said },
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What the answer says that it is, without parameters such as the character set.
fn content_type(headers: &HeaderMap) -> &str {
    let named = text(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next()).map(str::trim);
    named.filter(|name| !name.is_empty()).unwrap_or("none")
}

/// How long an answer with these headers asks to wait: its `Retry-After` in seconds, or a date (RFC 9110, section 10.2.3). A
/// date is held against the answer's own `Date`, so that this computer's clock is of no account where there is one.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a number holds are more than anyone waits for.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let answered = text(headers, &DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    Some(at.duration_since(answered.unwrap_or_else(SystemTime::now)).unwrap_or(Duration::ZERO))
}

/// What `error` says about the shape, without the values that it quotes: they may be secrets.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // serde writes what was there before what was expected, and only the former comes from the answer.
    if let Some((_, expected)) = text.rsplit_once(", expected ") {
        return format!("expected {expected}");
    }
    if ["missing field", "duplicate field", "expected "].iter().any(|start| text.starts_with(start)) {
        return text;
    }
    format!("line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(HeaderName, &str)]) -> Option<Duration> {
        let parsed = |value: &str| value.parse().expect("a header's value");
        retry_after(&pairs.iter().map(|(name, value)| (name.clone(), parsed(value))).collect())
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date_held_against_the_answers_own() {
        let date = (DATE, "Tue, 07 Oct 2025 19:44:50 GMT");
        for (sent, seconds) in [
            ("0", Some(0)),
            ("17", Some(17)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Tue, 07 Oct 2025 19:45:30 GMT", Some(40)),
            ("Tue, 07 Oct 2025 19:44:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(asked(&[(RETRY_AFTER, sent), date.clone()]), seconds.map(Duration::from_secs), "{sent}");
        }
        assert_eq!(asked(&[(RETRY_AFTER, "Tue, 07 Oct 2025 19:45:30 GMT")]), Some(Duration::ZERO), "it is past");
        assert_eq!(asked(&[date]), None);
    }

    #[test]
    fn a_problem_of_shape_is_told_without_the_values() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "it is never read whole")]
        struct Shape {
            count: u32,
        }
        for (json, told) in [
            (r#"{"count":"canary"}"#, "expected u32 at line 1 column 17"),
            (r#"{"count":"canary, expected canary"}"#, "expected u32 at line 1 column 34"),
            (r#"{"other":"canary"}"#, "missing field `count` at line 1 column 18"),
            (r#""canary""#, "expected struct Shape at line 1 column 8"),
        ] {
            let error = serde_json::from_str::<Shape>(json).expect_err(json);
            assert_eq!(without_values(&error), told);
        }
    }
}
