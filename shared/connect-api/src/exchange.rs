//! One call: its attempts and the pauses between them.

use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Call};
use crate::http::{HttpClient, HttpError, HttpLimits};
use crate::provider_message::Redactions;
use crate::response::{BODY_BYTES_MAX, ResponseReader};
use crate::retries::{Idempotency, RetryBudget};
use crate::settings::{Retries, Timeouts};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request that may be sent more than once, without the headers that differ between attempts.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) idempotency: Idempotency,
    pub(crate) redactions: Redactions,
    /// The shape of a successful response, for errors.
    pub(crate) expected: &'static str,
}

impl Outgoing {
    pub(crate) fn call(&self) -> Call {
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
pub(crate) struct Exchange {
    http: HttpClient,
    retries: Retries,
}

impl Exchange {
    pub(crate) fn new(timeouts: Timeouts, retries: Retries) -> Self {
        let http = HttpClient::new(HttpLimits { timeouts, body_bytes_max: BODY_BYTES_MAX });
        Self { http, retries }
    }

    /// Makes the call until it succeeds, fails permanently, or the retry budget is used up. `headers` makes the headers of
    /// an attempt from the time since the first attempt.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        outgoing: &Outgoing,
        headers: impl Fn(Duration) -> Result<HeaderMap, ApiError>,
    ) -> Result<T, ApiError> {
        let call = outgoing.call();
        let began = Instant::now();
        let mut budget = RetryBudget::new(&self.retries);
        loop {
            let request = outgoing.request(headers(began.elapsed())?);
            let error = match self.attempt(&call, outgoing, request).await {
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

    async fn attempt<T: DeserializeOwned>(
        &self,
        call: &Call,
        outgoing: &Outgoing,
        request: Request,
    ) -> Result<T, ApiError> {
        let response = self.http.send(request).await.map_err(|error| api_error(call.clone(), error))?;
        ResponseReader { call, expected: outgoing.expected, redactions: &outgoing.redactions }.read(response).await
    }
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
