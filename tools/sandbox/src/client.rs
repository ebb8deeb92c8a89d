//! A client of a sandbox provider in this process or in another process.

use fundhook_domain::{Feed, Provider};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::connect::{Counts, DropShare, JWKS_PATH};
use crate::faults::{ApiPath, Fault, FaultRequest};
use crate::http::loopback_client;
use crate::keys::KeyError;
use crate::requests::{SignRequest, Signed, SignedHeaders, TokenRequest};
use crate::zerohash::ZerohashCounts;

#[derive(Clone, Debug)]
pub struct SandboxClient {
    url: String,
    http: reqwest::Client,
}

/// Why a request to the sandbox failed.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the sandbox provider cannot listen on loopback")]
    Bind(#[source] std::io::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No answer, or an invalid one.
    #[error("the sandbox provider at {url} does not answer; is the stack up? (`cargo fundhook up`)")]
    Http { url: String, source: reqwest::Error },
}

impl SandboxClient {
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), http: loopback_client() }
    }

    /// Where the provider's APIs are.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Signs a webhook, and ignores whether the provider drops it.
    pub async fn sign(&self, request: &SignRequest) -> Result<SignedHeaders, SandboxError> {
        Ok(self.sign_or_drop(request).await?.headers)
    }

    pub async fn sign_or_drop(&self, request: &SignRequest) -> Result<Signed, SandboxError> {
        self.ask(self.post("/sandbox/sign").json(request)).await
    }

    /// Drops this share of the webhooks from now on.
    pub async fn drop_share(&self, share: DropShare) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/drop").json(&share)).await
    }

    /// What the operator stores for `provider`: the secrets of its feeds among `feeds`.
    pub async fn secrets(&self, provider: Provider, feeds: &[Feed]) -> Result<Value, SandboxError> {
        self.ask(self.post(&format!("/sandbox/secrets/{provider}")).json(feeds)).await
    }

    /// Signs with new secrets of `provider` from now on; the former ones become the previous ones.
    pub async fn rotate_secrets(&self, provider: Provider) -> Result<(), SandboxError> {
        self.ask(self.post(&format!("/sandbox/secrets/{provider}/rotate"))).await
    }

    /// A JWT with these claims, such as accompanies a webhook; with `forge`, signed with a key that is not in the key set.
    pub async fn token(&self, claims: &Value, forge: bool) -> Result<String, SandboxError> {
        let request = TokenRequest { claims: claims.clone(), forge };
        self.ask(self.post("/sandbox/token").json(&request)).await
    }

    /// The key set, from its public path.
    pub async fn key_set(&self) -> Result<Value, SandboxError> {
        self.ask(self.http.get(format!("{}{JWKS_PATH}", self.url))).await
    }

    /// Signs with a new key from now on and returns the number of published keys. With `overlap`, the old keys stay
    /// published.
    pub async fn rotate(&self, overlap: bool) -> Result<usize, SandboxError> {
        self.ask(self.post(&format!("/sandbox/rotate?overlap={overlap}"))).await
    }

    /// How often the key set was requested.
    pub async fn fetched(&self) -> Result<u64, SandboxError> {
        self.ask(self.http.get(format!("{}/sandbox/fetched", self.url))).await
    }

    /// What the operator stores for Connect's API: the credentials of Connect's feeds among `feeds`.
    pub async fn api_secret(&self, feeds: &[Feed]) -> Result<Value, SandboxError> {
        self.ask(self.post("/sandbox/api-secret").json(feeds)).await
    }

    /// What the operator stores for zerohash's API: the credentials of zerohash's feeds among `feeds`.
    pub async fn zerohash_api_secret(&self, feeds: &[Feed]) -> Result<Value, SandboxError> {
        self.ask(self.post("/sandbox/zerohash-api-secret").json(feeds)).await
    }

    /// Sets zerohash's clock this many seconds ahead of this computer's clock.
    pub async fn zerohash_clock_ahead(&self, seconds: i64) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/zerohash-clock").json(&seconds)).await
    }

    /// What zerohash's API has answered.
    pub async fn zerohash_counts(&self) -> Result<ZerohashCounts, SandboxError> {
        self.ask(self.http.get(format!("{}/sandbox/zerohash-counts", self.url))).await
    }

    /// Grants tokens that expire after `seconds` from now on; with 0, tokens that are never valid. Earlier tokens keep
    /// their expiry.
    pub async fn expire_tokens_after(&self, seconds: u64) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/tokens/expire-after").json(&seconds)).await
    }

    /// Revokes all tokens.
    pub async fn revoke_tokens(&self) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/tokens/revoke")).await
    }

    /// Sets how long the key set may be cached (`Cache-Control: max-age`).
    pub async fn key_set_max_age(&self, seconds: u64) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/jwks/max-age").json(&seconds)).await
    }

    /// Makes the next `times` answers of `path` faulty, after those requested before; 0 removes the path's faults. A fault
    /// that the path cannot have is an error.
    pub async fn fault(&self, path: ApiPath, fault: Fault, times: u32) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/faults").json(&FaultRequest { path, fault, times })).await
    }

    /// What Connect's API has answered.
    pub async fn counts(&self) -> Result<Counts, SandboxError> {
        self.ask(self.http.get(format!("{}/sandbox/counts", self.url))).await
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    async fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, SandboxError> {
        let failed = |source| SandboxError::Http { url: self.url.clone(), source };
        let answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        answer.json().await.map_err(failed)
    }
}
