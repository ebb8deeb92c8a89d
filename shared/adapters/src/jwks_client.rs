//! Fetches key sets from the URLs in the settings.

use std::collections::BTreeMap;
use std::string::FromUtf8Error;
use std::time::Duration;

use fundhook_domain::Feed;
use fundhook_http_api::{BodyError, HttpClient, HttpError, HttpLimits, HttpResponse, Timeouts, retry_after};
use fundhook_ports::{Disposition, FetchKeySet, FetchedKeySet, PortError};
use http::header::{AGE, CACHE_CONTROL, ETAG, IF_NONE_MATCH, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, StatusCode};

const LIMITS: HttpLimits = HttpLimits {
    // After a failed verification, a fetch must fit into the receiver's own timeout of 10 s.
    timeouts: Timeouts { connect: Duration::from_secs(2), attempt: Duration::from_secs(4) },
    // A key of 4,096 bits takes about 1 KB, and no provider publishes a hundred.
    body_bytes_max: 128 * 1024,
};

/// Fetches the key set of each feed from its URL.
#[derive(Debug)]
pub struct JwksClient {
    urls: BTreeMap<Feed, String>,
    http: HttpClient,
}

/// Why a key set could not be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("GET {url} failed")]
    Http {
        url: String,
        #[source]
        source: HttpError,
    },
    #[error("GET {url} returned status {status}, expected 200")]
    Status { url: String, status: u16, retry_after: Option<Duration> },
    #[error("GET {url} returned a body that could not be read")]
    Body {
        url: String,
        #[source]
        source: BodyError,
    },
    #[error("GET {url} returned a body that is not UTF-8")]
    NotUtf8 {
        url: String,
        #[source]
        source: FromUtf8Error,
    },
    #[error("the stored entity tag is not a valid header value")]
    EntityTag(#[source] InvalidHeaderValue),
    #[error("no key set URL is configured for {0}")]
    NoUrl(Feed),
}

impl FetchError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Http { .. } | Self::Body { .. } | Self::NotUtf8 { .. } | Self::EntityTag(_) | Self::NoUrl(_) => None,
        }
    }
}

impl JwksClient {
    pub fn new(urls: BTreeMap<Feed, String>) -> Self {
        Self { urls, http: HttpClient::new(LIMITS) }
    }

    async fn get(&self, url: &str, etag: Option<&str>) -> Result<FetchedKeySet, FetchError> {
        let mut headers = HeaderMap::new();
        if let Some(etag) = etag {
            headers.insert(IF_NONE_MATCH, etag.parse().map_err(FetchError::EntityTag)?);
        }
        let response = self.http.get(url, headers).await;
        let response = response.map_err(|source| FetchError::Http { url: url.to_owned(), source })?;
        match response.status() {
            StatusCode::OK => served(url, response).await,
            StatusCode::NOT_MODIFIED if etag.is_some() => {
                Ok(FetchedKeySet::NotModified { fresh_for: fresh_for(response.headers()) })
            }
            status => {
                let retry_after = retry_after(response.headers());
                Err(FetchError::Status { url: url.to_owned(), status: status.as_u16(), retry_after })
            }
        }
    }
}

async fn served(url: &str, response: HttpResponse) -> Result<FetchedKeySet, FetchError> {
    let fresh_for = fresh_for(response.headers());
    let etag = text(response.headers(), &ETAG).map(str::to_owned);
    let body = response.body().await.map_err(|source| FetchError::Body { url: url.to_owned(), source })?;
    let jwks = String::from_utf8(body).map_err(|source| FetchError::NotUtf8 { url: url.to_owned(), source })?;
    Ok(FetchedKeySet::Served { jwks, etag, fresh_for })
}

/// How long a response stays fresh by its `Cache-Control` (RFC 9111 section 5.2.2): its `max-age` less its `Age`, zero for
/// `no-store` and `no-cache`, `None` when the header does not say.
fn fresh_for(headers: &HeaderMap) -> Option<Duration> {
    let directives = text(headers, &CACHE_CONTROL)?.split(',');
    let directives: Vec<String> = directives.map(|directive| directive.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|directive| directive == "no-store" || directive == "no-cache") {
        return Some(Duration::ZERO);
    }
    let max_age = directives.iter().find_map(|directive| directive.strip_prefix("max-age="));
    let max_age: u64 = max_age?.trim_matches('"').parse().ok()?;
    let age: u64 = text(headers, &AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(max_age.saturating_sub(age)))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
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
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_response_stays_fresh_as_long_as_its_cache_control_says() {
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
