//! What Fundhook asks of providers over HTTP.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use fundhook_connect_api::retry_after;
use fundhook_domain::Feed;
use fundhook_ports::{Disposition, FetchKeySet, FetchedKeySet, PortError};
use reqwest::header::{AGE, CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH};
use reqwest::{Certificate, Client, redirect};

/// Bounds on fetching a key set. It must fit into a receiver's answer (10 s) after a failed verification.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const FETCH_TIMEOUT: Duration = Duration::from_secs(4);
/// A key of 4,096 bits takes about 1 KB; a set of more than a hundred is no key set.
const JWKS_BYTES_MAX: usize = 128 * 1024;

/// Fetches key sets from the URLs that the settings name.
#[derive(Debug)]
pub struct JwksClient {
    urls: BTreeMap<Feed, String>,
    /// Made at the first fetch: most receivers never fetch, and the web's authorities take a few milliseconds to read.
    client: OnceLock<Client>,
}

/// Why a key set could not be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
    #[error("GET {url} failed")]
    Get {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("GET {url} was answered with status {status}, expected 200")]
    Status { url: String, status: u16, retry_after: Option<Duration> },
    #[error("GET {0} was answered with more than {JWKS_BYTES_MAX} bytes")]
    TooLarge(String),
    #[error("GET {0} was answered with bytes that are not UTF-8")]
    NotText(String),
    #[error("no URL of a key set is set for {0}")]
    NoUrl(Feed),
}

impl FetchError {
    /// How long the provider asked to be left alone.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Client(_) | Self::Get { .. } | Self::TooLarge(_) | Self::NotText(_) | Self::NoUrl(_) => None,
        }
    }
}

impl JwksClient {
    /// Fetches each feed's keys from its URL.
    pub fn new(urls: BTreeMap<Feed, String>) -> Self {
        Self { urls, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let authorities = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let authorities = authorities.filter_map(|der| Certificate::from_der(der).ok());
        let client = Client::builder()
            .tls_certs_only(authorities)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(FETCH_TIMEOUT)
            // Keys come from the configured host, not from wherever it points.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(FetchError::Client)?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn get(&self, url: &str, etag: Option<&str>) -> Result<FetchedKeySet, FetchError> {
        let failed = |source: reqwest::Error| FetchError::Get { url: url.to_owned(), source: source.without_url() };
        let request = self.client()?.get(url);
        let request = match etag {
            Some(etag) => request.header(IF_NONE_MATCH, etag),
            None => request,
        };
        let mut answer = request.send().await.map_err(failed)?;
        let fresh_for = fresh_for(answer.headers());
        if etag.is_some() && answer.status() == reqwest::StatusCode::NOT_MODIFIED {
            return Ok(FetchedKeySet::NotModified { fresh_for });
        }
        if answer.status() != reqwest::StatusCode::OK {
            let (url, status) = (url.to_owned(), answer.status().as_u16());
            return Err(FetchError::Status { url, status, retry_after: retry_after(answer.headers()) });
        }
        let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > JWKS_BYTES_MAX {
                return Err(FetchError::TooLarge(url.to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let jwks = String::from_utf8(body).map_err(|_| FetchError::NotText(url.to_owned()))?;
        Ok(FetchedKeySet::Served { jwks, etag, fresh_for })
    }
}

/// How long an answer may still be held by its `Cache-Control` (RFC 9111 section 5.2.2): its `max-age` less its `Age`, no
/// time at all for one that is not to be kept; `None` when it does not say.
fn fresh_for(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let directives: Vec<String> =
        text(CACHE_CONTROL)?.split(',').map(|directive| directive.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|directive| directive == "no-store" || directive == "no-cache") {
        return Some(Duration::ZERO);
    }
    let max_age = directives.iter().find_map(|directive| directive.strip_prefix("max-age="));
    let max_age: u64 = max_age?.trim_matches('"').parse().ok()?;
    let age: u64 = text(AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(max_age.saturating_sub(age)))
}

impl FetchKeySet for JwksClient {
    async fn fetch(&self, feed: &Feed, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
        let failed = |error: FetchError| {
            let retry_after = error.retry_after();
            PortError::new("fetch the key set", Disposition::Retry, error).with_retry_after(retry_after)
        };
        let url = self.urls.get(feed).ok_or_else(|| failed(FetchError::NoUrl(feed.clone())))?;
        self.get(url, etag).await.map_err(failed)
    }

    fn url(&self, feed: &Feed) -> Option<String> {
        self.urls.get(feed).cloned()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn an_answer_may_be_held_for_as_long_as_it_says() {
        for (cache_control, age, fresh) in [
            (None, None, None),
            (Some("public"), None, None),
            (Some("public, max-age=600"), None, Some(600)),
            (Some("Max-Age=600, must-revalidate"), Some("100"), Some(500)),
            (Some("max-age=60"), Some("100"), Some(0)),
            (Some("no-store, max-age=600"), None, Some(0)),
            (Some("no-cache"), None, Some(0)),
            (Some("max-age=soon"), None, None),
            (Some("s-maxage=600"), None, None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(CACHE_CONTROL, cache_control), (AGE, age)] {
                headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
            }
            assert_eq!(fresh_for(&headers), fresh.map(Duration::from_secs), "{cache_control:?} {age:?}");
        }
    }
}
