//! Bounded HTTP: one client per process, with timeouts, a size limit on bodies, and `Retry-After`.
//!
//! The client trusts the public certificate authorities, follows no redirect (a secret or a key set belongs to the
//! configured host, not to the host that it points to) and uses no proxy. It retries nothing: the caller decides that.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Request, StatusCode, redirect};

use crate::settings::Timeouts;

/// What every request says about its sender, so that a provider can tell which version it talks to.
const USER_AGENT: &str = concat!("fundhook/", env!("CARGO_PKG_VERSION"));

/// The bounds on every exchange of an [`HttpClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// How long a connection and a whole exchange may take.
    pub timeouts: Timeouts,
    /// The largest body that is read.
    pub body_bytes_max: usize,
}

/// Sends HTTP requests within its limits.
#[derive(Debug)]
pub struct HttpClient {
    limits: HttpLimits,
    /// Built at the first request: most receivers never send one, and parsing the certificate authorities takes a few
    /// milliseconds.
    client: OnceLock<Client>,
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The HTTP client could not be built. The fault is on this computer.
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
    /// No connection was made, so the server has not seen the request.
    #[error("no connection")]
    ConnectFailed(#[source] reqwest::Error),
    /// No response arrived in time. The server may have acted.
    #[error("no complete response within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The connection closed before a response began. The server may have acted.
    #[error("the connection closed before a response")]
    Disconnected(#[source] reqwest::Error),
}

/// Why a response's body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The body is larger than the limit.
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The rest of the body did not arrive in time.
    #[error("no complete response within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The connection closed within the body.
    #[error("the body broke off after {bytes} bytes")]
    Truncated {
        /// How many bytes arrived.
        bytes: usize,
        /// Why the connection closed.
        #[source]
        source: reqwest::Error,
    },
}

/// A response whose status and headers have arrived; its body has not been read yet.
#[derive(Debug)]
pub struct HttpResponse {
    response: reqwest::Response,
    limits: HttpLimits,
}

impl HttpClient {
    /// A client with these limits. Nothing is connected to before the first request.
    pub fn new(limits: HttpLimits) -> Self {
        Self { limits, client: OnceLock::new() }
    }

    /// Sends `GET url` with `headers`, once.
    pub async fn get(&self, url: &str, headers: HeaderMap) -> Result<HttpResponse, HttpError> {
        let request = self.client()?.get(url).headers(headers).build();
        self.send(request.map_err(|error| HttpError::ConnectFailed(error.without_url()))?).await
    }

    /// Sends `request` once.
    pub async fn send(&self, request: Request) -> Result<HttpResponse, HttpError> {
        let response = self.client()?.execute(request).await.map_err(|source| {
            let source = source.without_url();
            if source.is_connect() {
                HttpError::ConnectFailed(source)
            } else if source.is_timeout() {
                HttpError::TimedOut(self.limits.timeouts.attempt)
            } else {
                HttpError::Disconnected(source)
            }
        })?;
        Ok(HttpResponse { response, limits: self.limits })
    }

    fn client(&self) -> Result<&Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.builder().build().map_err(HttpError::Client)?;
        Ok(self.client.get_or_init(|| client))
    }

    fn builder(&self) -> ClientBuilder {
        let authorities = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let authorities = authorities.filter_map(|der| Certificate::from_der(der).ok());
        Client::builder()
            .user_agent(USER_AGENT)
            .tls_certs_only(authorities)
            .connect_timeout(self.limits.timeouts.connect)
            .timeout(self.limits.timeouts.attempt)
            .redirect(redirect::Policy::none())
            .no_proxy()
    }
}

impl HttpResponse {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Reads the body to its end, within the limits.
    pub async fn body(mut self) -> Result<Vec<u8>, BodyError> {
        let bytes_max = self.limits.body_bytes_max;
        let mut body = Vec::new();
        loop {
            match self.response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > bytes_max => {
                    return Err(BodyError::TooLarge { bytes_max });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(BodyError::TimedOut(self.limits.timeouts.attempt)),
                Err(error) => {
                    return Err(BodyError::Truncated { bytes: body.len(), source: error.without_url() });
                }
            }
        }
    }
}

/// The text of the header `name`.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// How long a response with these headers asks the client to wait: its `Retry-After`, either in seconds or as a date
/// (RFC 9110, section 10.2.3). A date is compared with the response's own `Date` where it has one, so that this computer's
/// clock does not matter.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a u64 holds are more than anyone waits.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let sent_at = text(headers, &DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    Some(until.duration_since(sent_at.unwrap_or_else(SystemTime::now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after_of(headers: &[(HeaderName, &str)]) -> Option<Duration> {
        let value = |value: &str| value.parse().expect("a header value");
        retry_after(&headers.iter().map(|(name, text)| (name.clone(), value(text))).collect())
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date_relative_to_the_responses_own_date() {
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
            assert_eq!(
                retry_after_of(&[(RETRY_AFTER, sent), date.clone()]),
                seconds.map(Duration::from_secs),
                "{sent}"
            );
        }
        let past = retry_after_of(&[(RETRY_AFTER, "Tue, 07 Oct 2025 19:45:30 GMT")]);
        assert_eq!(past, Some(Duration::ZERO), "the date is in the past");
        assert_eq!(retry_after_of(&[date]), None);
    }
}
