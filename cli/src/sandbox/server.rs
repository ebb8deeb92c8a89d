//! The sandbox's HTTP server.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::{get, post};
use axum::{Router, serve};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{KeyError, SandboxError, SandboxSecrets, SignRequest, SignedHeaders, SigningKey, TokenRequest};

/// Where the key set is published, as at Connect.
pub const JWKS_PATH: &str = "/v1/jwks";

/// A running sandbox provider. It ends when this value is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// Its keys: the last published one signs.
struct Keys {
    published: Vec<SigningKey>,
    /// Never published: what a forger would sign with.
    foreign: SigningKey,
    secrets: SandboxSecrets,
    fetched: u64,
}

impl Keys {
    /// The key that signs now: the newest one, or the forger's.
    fn signing(&self, forge: bool) -> &SigningKey {
        let newest = self.published.last().filter(|_| !forge);
        newest.unwrap_or(&self.foreign)
    }
}

type Shared = Arc<RwLock<Keys>>;

impl Sandbox {
    /// Starts a sandbox on `port` of the loopback interface, 0 for any that is free.
    pub async fn start(port: u16) -> Result<Self, SandboxError> {
        let keys = Keys {
            published: vec![SigningKey::generate()?],
            foreign: SigningKey::generate()?,
            secrets: SandboxSecrets::generate()?,
            fetched: 0,
        };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(SandboxError::Bind)?;
        let address = listener.local_addr().map_err(SandboxError::Bind)?;
        let router = Router::new()
            .route(JWKS_PATH, get(jwks))
            .route("/sandbox/sign", post(sign))
            .route("/sandbox/secrets/{provider}", post(secrets))
            .route("/sandbox/secrets/{provider}/rotate", post(rotate_secrets))
            .route("/sandbox/token", post(token))
            .route("/sandbox/rotate", post(rotate))
            .route("/sandbox/fetched", get(fetched))
            .with_state(Arc::new(RwLock::new(keys)));
        let server = tokio::spawn(async move {
            if let Err(error) = serve(listener, router).await {
                eprintln!("the sandbox provider ended: {error}");
            }
        });
        Ok(Self { address, server })
    }

    /// Its address, `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the process ends.
    pub async fn serve_forever(mut self) {
        // An error here means that the server's task panicked or was aborted; there is nothing left to serve.
        (&mut self.server).await.ok();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn jwks(State(keys): State<Shared>) -> Json<Value> {
    let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
    keys.fetched += 1;
    Json(json!({ "keys": keys.published.iter().map(SigningKey::public_jwk).collect::<Vec<_>>() }))
}

async fn fetched(State(keys): State<Shared>) -> Json<u64> {
    Json(keys.read().unwrap_or_else(PoisonError::into_inner).fetched)
}

async fn sign(State(keys): State<Shared>, Json(request): Json<SignRequest>) -> Result<Json<SignedHeaders>, Refusal> {
    let body = BASE64_STANDARD.decode(&request.body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let keys = keys.read().unwrap_or_else(PoisonError::into_inner);
    let signed = match request.feed.provider() {
        Provider::Connect => keys.signing(request.forge).sign(&request.url, request.timestamp, &body),
        Provider::Zerohash | Provider::Striga => keys.secrets.sign(&request, &body),
    };
    signed.map(Json).map_err(refusal)
}

async fn secrets(
    State(keys): State<Shared>,
    Path(provider): Path<Provider>,
    Json(feeds): Json<Vec<Feed>>,
) -> Result<Json<Value>, Refusal> {
    let keys = keys.read().unwrap_or_else(PoisonError::into_inner);
    keys.secrets.stored(provider, &feeds).map(Json).map_err(refusal)
}

async fn rotate_secrets(State(keys): State<Shared>, Path(provider): Path<Provider>) -> Json<()> {
    keys.write().unwrap_or_else(PoisonError::into_inner).secrets.rotate(provider);
    Json(())
}

async fn token(State(keys): State<Shared>, Json(request): Json<TokenRequest>) -> Result<Json<String>, Refusal> {
    let keys = keys.read().unwrap_or_else(PoisonError::into_inner);
    keys.signing(request.forge).token(&request.claims).map(Json).map_err(refusal)
}

#[derive(Deserialize)]
struct Rotation {
    /// Whether the old keys stay published beside the new one.
    #[serde(default)]
    overlap: bool,
}

async fn rotate(State(keys): State<Shared>, Query(rotation): Query<Rotation>) -> Result<Json<usize>, Refusal> {
    let new = SigningKey::generate().map_err(refusal)?;
    let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
    if !rotation.overlap {
        keys.published.clear();
    }
    keys.published.push(new);
    Ok(Json(keys.published.len()))
}

type Refusal = (StatusCode, String);

fn refusal(error: KeyError) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
