//! One call: its attempts and the pauses between them.

use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Call};
use crate::http::{HttpClient, HttpError, HttpLimits};
use crate::provider_message::Redactions;
use crate::response::{Parse, ResponseReader};
use crate::retries::{Idempotency, RetryBudget};
use crate::settings::{Retries, Timeouts};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The largest response body. A page has at most 100 rows of about 1 KB; this is forty times as much.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A request that may be sent more than once, without the headers that differ between attempts.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The URL with its query.
    pub url: Url,
    /// The JSON body.
    pub body: Option<Vec<u8>>,
    /// Whether it may be sent twice.
    pub idempotency: Idempotency,
    /// The values that no error may repeat.
    pub redactions: Redactions,
    /// The shape of a successful response, for errors.
    pub expected: &'static str,
}

impl Outgoing {
    /// A `GET`, which may be repeated.
    pub fn get(url: Url, redactions: Redactions, expected: &'static str) -> Self {
        Self { method: Method::GET, url, body: None, idempotency: Idempotency::Idempotent, redactions, expected }
    }

    /// The call, for errors.
    pub fn call(&self) -> Call {
        Call::new(&self.method, &self.url)
    }

    fn request(&self, headers: HeaderMap) -> Request {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = headers;
        request.headers_mut().insert(ACCEPT, JSON);
        if let Some(body) = &self.body {
            request.headers_mut().insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(body.clone().into());
        }
        request
    }
}

/// Sends requests, and repeats those that may be repeated.
#[derive(Debug)]
pub struct Exchange {
    http: HttpClient,
    retries: Retries,
    retry_header: Option<HeaderName>,
    rate_limit_pause: Option<Duration>,
}

impl Exchange {
    /// Connects to nothing before the first call. A response is read up to 4 MiB.
    pub fn new(timeouts: Timeouts, retries: Retries) -> Self {
        let http = HttpClient::new(HttpLimits { timeouts, body_bytes_max: BODY_BYTES_MAX });
        Self { http, retries, retry_header: None, rate_limit_pause: None }
    }

    /// The same, for a provider that allows any request to be repeated after a 503 with the header `name: true`.
    #[must_use]
    pub fn with_retry_header(self, name: HeaderName) -> Self {
        Self { retry_header: Some(name), ..self }
    }

    /// The same, for a provider that answers 429 for this long once a limit is exceeded: a 429 without `Retry-After` counts
    /// as one that asks to wait so long.
    #[must_use]
    pub fn with_rate_limit_pause(self, pause: Duration) -> Self {
        Self { rate_limit_pause: Some(pause), ..self }
    }

    /// Makes the call until it succeeds, fails permanently, or the retry budget is used up. `headers` makes the headers of
    /// an attempt from the time since the first attempt.
    pub async fn send<T: DeserializeOwned>(
        &self,
        outgoing: &Outgoing,
        headers: impl Fn(Duration) -> Result<HeaderMap, ApiError>,
    ) -> Result<T, ApiError> {
        self.repeat(outgoing, headers, |reader, status, media, body| reader.json(status, media, body)).await
    }

    /// As [`Exchange::send`], for a call that succeeds without content.
    pub async fn send_without_reply(
        &self,
        outgoing: &Outgoing,
        headers: impl Fn(Duration) -> Result<HeaderMap, ApiError>,
    ) -> Result<(), ApiError> {
        self.repeat(outgoing, headers, |_, _, _, _| Ok(())).await
    }

    async fn repeat<T>(
        &self,
        outgoing: &Outgoing,
        headers: impl Fn(Duration) -> Result<HeaderMap, ApiError>,
        parse: Parse<T>,
    ) -> Result<T, ApiError> {
        let call = outgoing.call();
        let began = Instant::now();
        let mut budget = RetryBudget::new(&self.retries);
        loop {
            let request = outgoing.request(headers(began.elapsed())?);
            let error = match self.attempt(&call, outgoing, request, parse).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if !outgoing.idempotency.allows_retry_despite(&error) {
                return Err(error);
            }
            let Some(pause) = budget.pause(error.retry_after(), random_up_to) else {
                return Err(error);
            };
            let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(call = call.as_str(), pause_ms, %error, "{call} failed; retrying in {pause_ms} ms");
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        outgoing: &Outgoing,
        request: Request,
        parse: Parse<T>,
    ) -> Result<T, ApiError> {
        let response = self.http.send(request).await.map_err(|error| api_error(call.clone(), error))?;
        let Outgoing { expected, redactions, .. } = outgoing;
        let (retry_header, rate_limit_pause) = (self.retry_header.as_ref(), self.rate_limit_pause);
        ResponseReader { call, expected, redactions, retry_header, rate_limit_pause }.read(response, parse).await
    }
}

/// The value of the header `name`. The error does not repeat an invalid value: it may be a secret.
pub fn header(name: &HeaderName, value: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(value).map_err(|_| {
        ApiError::InvalidRequest(format!(
            "the value of the header {name} has characters that are not allowed in a header"
        ))
    })
}

fn api_error(call: Call, error: HttpError) -> ApiError {
    match error {
        HttpError::Client(source) => ApiError::Client(source),
        HttpError::ConnectFailed(source) => ApiError::ConnectFailed { call, source },
        HttpError::TimedOut(after) => ApiError::TimedOut { call, after },
        HttpError::Disconnected(source) => ApiError::Disconnected { call, source },
    }
}

fn random_up_to(bound: Duration) -> Duration {
    Duration::from_nanos(fastrand::u64(0..=u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX)))
}
