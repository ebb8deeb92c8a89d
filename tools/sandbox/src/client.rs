//! Asking a sandbox provider, in this process or another.

use fundhook_domain::{Feed, Provider};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::drops::DropShare;
use super::{
    ApiPath, Counts, Fault, FaultRequest, JWKS_PATH, KeyError, SignRequest, Signed, SignedHeaders, TokenRequest,
};

/// A sandbox provider at an address.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    url: String,
    http: reqwest::Client,
}

/// Why the sandbox did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It could not listen.
    #[error("the sandbox provider cannot listen on loopback")]
    Bind(#[source] std::io::Error),
    /// It has no keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It does not answer, or not as it should.
    #[error("the sandbox provider at {url} does not answer; is the stack up? (`cargo fundhook up`)")]
    Http {
        /// Its address.
        url: String,
        /// What became of the request.
        source: reqwest::Error,
    },
}

impl SandboxClient {
    /// The sandbox at `url`.
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), http: crate::loopback_client() }
    }

    /// The headers of a signed webhook, whether it is dropped or not.
    pub async fn sign(&self, request: &SignRequest) -> Result<SignedHeaders, SandboxError> {
        Ok(self.sign_or_drop(request).await?.headers)
    }

    /// A signed webhook, and whether the provider drops it.
    pub async fn sign_or_drop(&self, request: &SignRequest) -> Result<Signed, SandboxError> {
        self.ask(self.post("/sandbox/sign").json(request)).await
    }

    /// Drops `percent` of the webhooks from now on, which ones by `seed` and their bodies; 0 drops none.
    pub async fn drop_share(&self, percent: u8, seed: u64) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/drop").json(&DropShare { percent, seed })).await
    }

    /// What the operator stores for `provider`: the secrets of these feeds of its.
    pub async fn secrets(&self, provider: Provider, feeds: &[Feed]) -> Result<Value, SandboxError> {
        self.ask(self.post(&format!("/sandbox/secrets/{provider}")).json(feeds)).await
    }

    /// Signs with new secrets of `provider` from now on; those before become the previous ones.
    pub async fn rotate_secrets(&self, provider: Provider) -> Result<(), SandboxError> {
        self.ask(self.post(&format!("/sandbox/secrets/{provider}/rotate"))).await
    }

    /// A JWT with these claims, as Connect may send one along; with `forge`, by a key that is not in the key set.
    pub async fn token(&self, claims: &Value, forge: bool) -> Result<String, SandboxError> {
        let request = TokenRequest { claims: claims.clone(), forge };
        self.ask(self.post("/sandbox/token").json(&request)).await
    }

    /// The key set, as anybody gets it.
    pub async fn key_set(&self) -> Result<Value, SandboxError> {
        self.ask(self.http.get(format!("{}{JWKS_PATH}", self.url))).await
    }

    /// Makes a new key and signs with it from now on. With `overlap`, the old ones stay published.
    pub async fn rotate(&self, overlap: bool) -> Result<usize, SandboxError> {
        self.ask(self.post(&format!("/sandbox/rotate?overlap={overlap}"))).await
    }

    /// How often the key set was fetched, by whomever.
    pub async fn fetched(&self) -> Result<u64, SandboxError> {
        self.ask(self.http.get(format!("{}/sandbox/fetched", self.url))).await
    }

    /// What the operator stores for Connect's API: the credentials of these feeds of Connect.
    pub async fn api_secret(&self, feeds: &[Feed]) -> Result<Value, SandboxError> {
        self.ask(self.post("/sandbox/api-secret").json(feeds)).await
    }

    /// Grants tokens that expire after `seconds` from now on, 0 for ones that are never good. Those granted before stay as
    /// they are.
    pub async fn expire_tokens_after(&self, seconds: u64) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/tokens/expire-after").json(&seconds)).await
    }

    /// Takes back all tokens that it has granted.
    pub async fn revoke_tokens(&self) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/tokens/revoke")).await
    }

    /// Says of the key set that it may be kept for `seconds` (`Cache-Control: max-age`).
    pub async fn key_set_max_age(&self, seconds: u64) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/jwks/max-age").json(&seconds)).await
    }

    /// Spoils the next `times` answers of `path`, after those that it was told to spoil before; 0 ends the path's faults. A
    /// fault that does not fit the path is refused.
    pub async fn fault(&self, path: ApiPath, fault: Fault, times: u32) -> Result<(), SandboxError> {
        self.ask(self.post("/sandbox/faults").json(&FaultRequest { path, fault, times })).await
    }

    /// What its API has answered so far.
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
