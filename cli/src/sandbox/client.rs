//! Asking a sandbox provider, in this process or another.

use fundhook_domain::{Feed, Provider};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{JWKS_PATH, KeyError, SignRequest, SignedHeaders, TokenRequest};

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
        Self { url: url.to_owned(), http: crate::stack::loopback_client() }
    }

    /// The headers of a signed webhook.
    pub async fn sign(&self, request: &SignRequest) -> Result<SignedHeaders, SandboxError> {
        self.ask(self.http.post(format!("{}/sandbox/sign", self.url)).json(request)).await
    }

    /// What the operator stores for `provider`: the secrets of these feeds of its.
    pub async fn secrets(&self, provider: Provider, feeds: &[Feed]) -> Result<Value, SandboxError> {
        self.ask(self.http.post(format!("{}/sandbox/secrets/{provider}", self.url)).json(feeds)).await
    }

    /// Signs with new secrets of `provider` from now on; those before become the previous ones.
    pub async fn rotate_secrets(&self, provider: Provider) -> Result<(), SandboxError> {
        self.ask(self.http.post(format!("{}/sandbox/secrets/{provider}/rotate", self.url))).await
    }

    /// A JWT with these claims, as Connect may send one along; with `forge`, by a key that is not in the key set.
    pub async fn token(&self, claims: &Value, forge: bool) -> Result<String, SandboxError> {
        let request = TokenRequest { claims: claims.clone(), forge };
        self.ask(self.http.post(format!("{}/sandbox/token", self.url)).json(&request)).await
    }

    /// The key set, as anybody gets it.
    pub async fn key_set(&self) -> Result<Value, SandboxError> {
        self.ask(self.http.get(format!("{}{JWKS_PATH}", self.url))).await
    }

    /// Makes a new key and signs with it from now on. With `overlap`, the old ones stay published.
    pub async fn rotate(&self, overlap: bool) -> Result<usize, SandboxError> {
        self.ask(self.http.post(format!("{}/sandbox/rotate?overlap={overlap}", self.url))).await
    }

    /// How often the key set was fetched, by whomever.
    pub async fn fetched(&self) -> Result<u64, SandboxError> {
        self.ask(self.http.get(format!("{}/sandbox/fetched", self.url))).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, SandboxError> {
        let failed = |source| SandboxError::Http { url: self.url.clone(), source };
        let answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        answer.json().await.map_err(failed)
    }
}
