//! One call: its attempts, the pauses between them, and its answer.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Method, Request, Url, redirect};
use serde::de::DeserializeOwned;

use crate::answer::Reading;
use crate::error::{ApiError, Call};
use crate::retries::{Budget, Repeats};
use crate::settings::{Retries, Timeouts};
use crate::words::Hidden;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What this client calls itself.
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// A request that may be sent more than once, but for the headers that belong to an attempt.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) repeats: Repeats,
    pub(crate) hidden: Hidden,
    /// The shape of the answer, in words.
    pub(crate) expected: &'static str,
}

impl Outgoing {
    /// What the call is named in errors: without the query, which may hold a user's data.
    pub(crate) fn call(&self) -> Call {
        let mut url = self.url.clone();
        url.set_query(None);
        Call::new(self.method.as_str(), url.as_str())
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

/// Sends requests.
pub(crate) struct Exchange {
    timeouts: Timeouts,
    retries: Retries,
    /// Made at the first call: the web's authorities take a few milliseconds to read.
    client: OnceLock<Client>,
}

impl Exchange {
    pub(crate) fn new(timeouts: Timeouts, retries: Retries) -> Self {
        Self { timeouts, retries, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, ApiError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let authorities = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let authorities = authorities.filter_map(|der| Certificate::from_der(der).ok());
        let client = Client::builder()
            .tls_certs_only(authorities)
            .connect_timeout(self.timeouts.connect)
            .timeout(self.timeouts.attempt)
            // Secrets go to the configured host, not to wherever it points.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(USER_AGENT)
            .build()
            .map_err(ApiError::Client)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Makes the call until it succeeds, fails for good, or neither attempts nor patience are left. `headers` are those of
    /// an attempt that is made so long after the first.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        outgoing: &Outgoing,
        headers: impl Fn(Duration) -> Result<HeaderMap, ApiError>,
    ) -> Result<T, ApiError> {
        let call = outgoing.call();
        let began = Instant::now();
        let mut budget = Budget::new(&self.retries);
        loop {
            let request = outgoing.request(headers(began.elapsed())?);
            let error = match self.attempt(&call, outgoing, request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !outgoing.repeats.after(&error) {
                return Err(error);
            }
            let Some(pause) = budget.pause(error.retry_after(), draw) else {
                return Err(error);
            };
            let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(call = call.as_str(), pause_ms, error = %error, "a call is repeated after a pause");
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        call: &Call,
        outgoing: &Outgoing,
        request: Request,
    ) -> Result<T, ApiError> {
        let attempt = self.timeouts.attempt;
        let response = self.client()?.execute(request).await.map_err(|source| {
            let (call, source) = (call.clone(), source.without_url());
            if source.is_connect() {
                ApiError::NoConnection { call, source }
            } else if source.is_timeout() {
                ApiError::TimedOut { call, after: attempt }
            } else {
                ApiError::Disconnected { call, source }
            }
        })?;
        Reading { call, expected: outgoing.expected, hidden: &outgoing.hidden, attempt }.read(response).await
    }
}

/// A random duration up to `most`.
fn draw(most: Duration) -> Duration {
    Duration::from_nanos(fastrand::u64(0..=u64::try_from(most.as_nanos()).unwrap_or(u64::MAX)))
}
