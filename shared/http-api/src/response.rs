//! Turns a response into a typed reply or an [`ApiError`].

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::error::{ApiError, Call};
use crate::http::{self, BodyError, HttpResponse, retry_after};
use crate::provider_message::{ProviderMessage, Redactions};

/// Makes a reply from the status, the media type and the body of a successful response.
pub(crate) type Parse<T> = fn(&ResponseReader<'_>, StatusCode, &str, Result<Vec<u8>, BodyError>) -> Result<T, ApiError>;

/// Reads the response to one call.
pub(crate) struct ResponseReader<'a> {
    pub(crate) call: &'a Call,
    /// The shape of a successful response, for errors.
    pub(crate) expected: &'static str,
    pub(crate) redactions: &'a Redactions,
    /// The header with which the provider allows a request to be repeated.
    pub(crate) retry_header: Option<&'a HeaderName>,
    /// How long a 429 without `Retry-After` asks to wait.
    pub(crate) rate_limit_pause: Option<Duration>,
}

impl ResponseReader<'_> {
    /// Reads the response: a success by `parse`, anything else as an error.
    pub(crate) async fn read<T>(&self, response: HttpResponse, parse: Parse<T>) -> Result<T, ApiError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.body().await;
        if status.is_success() {
            return parse(self, status, content_type(&headers), body);
        }
        // The status decides, even when the body that explains it cannot be read.
        let message = body.map(|body| ProviderMessage::read(&body, content_type(&headers), self.redactions));
        Err(self.refused(status, &headers, message.unwrap_or_default()))
    }

    /// Parses a JSON body.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        status: StatusCode,
        content_type: &str,
        body: Result<Vec<u8>, BodyError>,
    ) -> Result<T, ApiError> {
        let body = body.map_err(|error| self.unreadable(status, error))?;
        self.parsed(status, content_type, &body)
    }

    fn unreadable(&self, status: StatusCode, error: BodyError) -> ApiError {
        let call = self.call.clone();
        match error {
            BodyError::TooLarge { bytes_max } => ApiError::TooLarge { call, bytes_max },
            BodyError::TimedOut(after) => ApiError::TimedOut { call, after },
            BodyError::Truncated { bytes, source } => {
                ApiError::TruncatedBody { call, status: status.as_u16(), bytes, source: Some(source) }
            }
        }
    }

    fn parsed<T: DeserializeOwned>(&self, status: StatusCode, content_type: &str, body: &[u8]) -> Result<T, ApiError> {
        let (call, status) = (self.call.clone(), status.as_u16());
        if body.trim_ascii().is_empty() {
            return Err(ApiError::EmptyBody { call, status, expected: self.expected });
        }
        let error = match serde_json::from_slice(body) {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        Err(match error.classify() {
            Category::Eof => ApiError::TruncatedBody { call, status, bytes: body.len(), source: None },
            Category::Data => {
                ApiError::UnexpectedShape { call, expected: self.expected, problem: without_values(&error) }
            }
            Category::Syntax | Category::Io => {
                ApiError::NotJson { call, status, content_type: content_type.to_owned() }
            }
        })
    }

    fn refused(&self, status: StatusCode, headers: &HeaderMap, message: ProviderMessage) -> ApiError {
        let (call, message) = (self.call.clone(), Box::new(message));
        let retry_after = retry_after(headers);
        let allows_retry = self.retry_header.and_then(|name| http::text(headers, name));
        let allows_retry = allows_retry.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        match status {
            StatusCode::UNAUTHORIZED => ApiError::Unauthorized { call, message },
            StatusCode::TOO_MANY_REQUESTS => {
                let retry_after = retry_after.or(self.rate_limit_pause);
                ApiError::TooManyRequests { call, retry_after, message }
            }
            status => ApiError::Status { call, status: status.as_u16(), retry_after, allows_retry, message },
        }
    }
}

/// The media type of the response, without parameters such as the character set; `none` where it has none.
fn content_type(headers: &HeaderMap) -> &str {
    let named = http::text(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next()).map(str::trim);
    named.filter(|name| !name.is_empty()).unwrap_or("none")
}

/// What `error` says about the shape, without the values that serde quotes: they may be secrets.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // serde writes the value before what it expected, and only the value comes from the response.
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

    #[test]
    fn an_error_about_the_shape_does_not_repeat_values() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only its deserialization errors are used")]
        struct Shape {
            count: u32,
        }
        for (json, described) in [
            (r#"{"count":"canary"}"#, "expected u32 at line 1 column 17"),
            (r#"{"count":"canary, expected canary"}"#, "expected u32 at line 1 column 34"),
            (r#"{"other":"canary"}"#, "missing field `count` at line 1 column 18"),
            (r#""canary""#, "expected struct Shape at line 1 column 8"),
        ] {
            let error = serde_json::from_str::<Shape>(json).expect_err(json);
            assert_eq!(without_values(&error), described);
        }
    }
}
