//! The controls of the sandbox: signing, rotation, dropped webhooks, faults. No provider has these paths.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::{get, post};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::connect::{Counts, DropShare};
use crate::faults::FaultRequest;
use crate::keys::{KeyError, SandboxKey};
use crate::requests::{SignRequest, Signed, TokenRequest};
use crate::state::Shared;
use crate::zerohash::ZerohashCounts;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sandbox/sign", post(sign))
        .route("/sandbox/drop", post(drop_share))
        .route("/sandbox/secrets/{provider}", post(secrets))
        .route("/sandbox/secrets/{provider}/rotate", post(rotate_secrets))
        .route("/sandbox/token", post(token))
        .route("/sandbox/rotate", post(rotate))
        .route("/sandbox/fetched", get(fetched))
        .route("/sandbox/api-secret", post(api_secret))
        .route("/sandbox/zerohash-api-secret", post(zerohash_api_secret))
        .route("/sandbox/zerohash-clock", post(zerohash_clock))
        .route("/sandbox/zerohash-counts", get(zerohash_counts))
        .route("/sandbox/tokens/expire-after", post(expire_tokens_after))
        .route("/sandbox/tokens/revoke", post(revoke_tokens))
        .route("/sandbox/jwks/max-age", post(key_set_max_age))
        .route("/sandbox/faults", post(fault))
        .route("/sandbox/counts", get(counts))
}

type Refusal = (StatusCode, String);

fn refusal(error: KeyError) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn refused(why: impl ToString) -> Refusal {
    (StatusCode::BAD_REQUEST, why.to_string())
}

/// Signs a webhook. Unless it is forged, what it is about is listed, even if the webhook is dropped.
async fn sign(State(shared): State<Shared>, Json(request): Json<SignRequest>) -> Result<Json<Signed>, Refusal> {
    let body = BASE64_STANDARD.decode(&request.body).map_err(refused)?;
    let headers = {
        let keys = shared.keys();
        match request.feed.provider() {
            Provider::Connect => keys.signing(request.forge).sign(&request.url, request.timestamp, &body),
            Provider::Zerohash | Provider::Striga => keys.secrets.sign(&request, &body),
        }
    }
    .map_err(refusal)?;
    let dropped = !request.forge && shared.connect().record(&request.feed, &body);
    if !request.forge && request.feed.provider() == Provider::Zerohash {
        let signed_at = Timestamp::from_unix_seconds(request.timestamp).map_err(refused)?;
        shared.zerohash().record(request.feed.tenant(), &body, signed_at);
    }
    Ok(Json(Signed { headers, dropped }))
}

async fn drop_share(State(shared): State<Shared>, Json(share): Json<DropShare>) -> Result<Json<()>, Refusal> {
    if share.percent > 100 {
        return Err(refused(format!("the share is {} percent; at most 100", share.percent)));
    }
    shared.connect().drop_share = share;
    Ok(Json(()))
}

async fn secrets(
    State(shared): State<Shared>,
    Path(provider): Path<Provider>,
    Json(feeds): Json<Vec<Feed>>,
) -> Result<Json<Value>, Refusal> {
    shared.keys().secrets.stored(provider, &feeds).map(Json).map_err(refusal)
}

async fn rotate_secrets(State(shared): State<Shared>, Path(provider): Path<Provider>) -> Json<()> {
    shared.keys_mut().secrets.rotate(provider);
    Json(())
}

async fn token(State(shared): State<Shared>, Json(request): Json<TokenRequest>) -> Result<Json<String>, Refusal> {
    shared.keys().signing(request.forge).token(&request.claims).map(Json).map_err(refusal)
}

#[derive(Deserialize)]
struct Rotation {
    /// Whether the old keys stay published together with the new one.
    #[serde(default)]
    overlap: bool,
}

async fn rotate(State(shared): State<Shared>, Query(rotation): Query<Rotation>) -> Result<Json<usize>, Refusal> {
    let new = SandboxKey::generate().map_err(refusal)?;
    let mut keys = shared.keys_mut();
    if !rotation.overlap {
        keys.published.clear();
    }
    keys.published.push(new);
    Ok(Json(keys.published.len()))
}

async fn fetched(State(shared): State<Shared>) -> Json<u64> {
    Json(shared.connect().key_set_requests)
}

async fn api_secret(State(shared): State<Shared>, Json(feeds): Json<Vec<Feed>>) -> Json<Value> {
    Json(shared.connect().credentials.stored(&feeds))
}

async fn zerohash_api_secret(State(shared): State<Shared>, Json(feeds): Json<Vec<Feed>>) -> Json<Value> {
    Json(shared.zerohash().credentials.stored(&feeds))
}

async fn zerohash_clock(State(shared): State<Shared>, Json(seconds): Json<i64>) -> Json<()> {
    shared.zerohash().clock_ahead_seconds = seconds;
    Json(())
}

async fn zerohash_counts(State(shared): State<Shared>) -> Json<ZerohashCounts> {
    Json(shared.zerohash().counts.clone())
}

async fn expire_tokens_after(State(shared): State<Shared>, Json(seconds): Json<u64>) -> Json<()> {
    shared.connect().tokens.expire_after(seconds);
    Json(())
}

async fn revoke_tokens(State(shared): State<Shared>) -> Json<()> {
    shared.connect().tokens.revoke();
    Json(())
}

async fn key_set_max_age(State(shared): State<Shared>, Json(seconds): Json<u64>) -> Json<()> {
    shared.connect().key_set_max_age_seconds = seconds;
    Json(())
}

async fn fault(State(shared): State<Shared>, Json(request): Json<FaultRequest>) -> Result<Json<()>, Refusal> {
    request.fault.fits(request.path).map_err(refused)?;
    if request.path.is_of_zerohash() {
        shared.zerohash().faults.expect(request);
    } else {
        shared.connect().faults.expect(request);
    }
    Ok(Json(()))
}

async fn counts(State(shared): State<Shared>) -> Json<Counts> {
    Json(shared.connect().counts)
}
