//! `GET /v1/jwks`: the key set, which may be kept for a while.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::digest_hex;
use serde_json::{Value, json};

use super::answer::Answer;
use super::faults::{ApiPath, Fault, answered};
use crate::SigningKey;
use crate::state::Shared;

/// Where the key set is published, as at Connect.
pub const JWKS_PATH: &str = "/v1/jwks";

/// How long the key set may be kept. Connect says it nowhere; five minutes are what providers commonly say.
pub(super) const MAX_AGE_SECONDS: u64 = 300;

pub(super) async fn answer(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let fault = {
        let mut api = shared.api();
        api.fetched += 1;
        api.faults.next(ApiPath::Jwks)
    };
    answered(fault.clone(), || requested(&shared, &headers, fault.as_ref())).await
}

fn requested(shared: &Shared, headers: &HeaderMap, fault: Option<&Fault>) -> Answer {
    let mut keys: Vec<Value> = shared.keys().published.iter().map(SigningKey::public_jwk).collect();
    if fault == Some(&Fault::EmptyKeySet) {
        keys.clear();
    }
    if fault == Some(&Fault::PrivateKey) {
        keys.iter_mut().for_each(|key| key["d"] = json!(made_up_exponent()));
    }
    let set = json!({ "keys": keys });
    let etag = format!("\"{}\"", &digest_hex(set.to_string().as_bytes())[..32]);
    let is_known = matches(headers, &etag);
    let mut api = shared.api();
    let answer = if is_known {
        api.counts.key_sets_not_modified += 1;
        Answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        api.counts.key_sets_served += 1;
        Answer::ok(&set)
    };
    let max_age = format!("max-age={}", api.key_set_max_age_seconds);
    // Both belong to a 304 as well (RFC 9110 section 15.4.5).
    answer.with(ETAG, &etag).with(CACHE_CONTROL, &max_age)
}

/// Whether `If-None-Match` names this entity tag, by the weak comparison (RFC 9110 section 13.1.2).
fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let sent = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = sent.flat_map(|value| value.split(',')).map(str::trim);
    named.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// What looks like a private exponent of 2,048 bits. It is nobody's: the sandbox gives its own to nobody.
fn made_up_exponent() -> String {
    BASE64_URL_SAFE_NO_PAD.encode([0x5a; 256])
}
