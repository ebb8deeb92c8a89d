//! What Fundhook asks of providers over HTTP.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use fundhook_domain::Feed;
use fundhook_domain::port::{Disposition, FetchKeySet, PortError};
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
    Status { url: String, status: u16 },
    #[error("GET {0} was answered with more than {JWKS_BYTES_MAX} bytes")]
    TooLarge(String),
    #[error("GET {0} was answered with bytes that are not UTF-8")]
    NotText(String),
    #[error("no URL of a key set is set for {0}")]
    NoUrl(Feed),
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

    async fn get(&self, url: &str) -> Result<String, FetchError> {
        let failed = |source: reqwest::Error| FetchError::Get { url: url.to_owned(), source: source.without_url() };
        let mut answer = self.client()?.get(url).send().await.map_err(failed)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status { url: url.to_owned(), status: answer.status().as_u16() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > JWKS_BYTES_MAX {
                return Err(FetchError::TooLarge(url.to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| FetchError::NotText(url.to_owned()))
    }
}

impl FetchKeySet for JwksClient {
    async fn fetch(&self, feed: &Feed) -> Result<String, PortError> {
        let failed = |error: FetchError| PortError::new("fetch the key set", Disposition::Retry, error);
        let url = self.urls.get(feed).ok_or_else(|| failed(FetchError::NoUrl(feed.clone())))?;
        self.get(url).await.map_err(failed)
    }
}
