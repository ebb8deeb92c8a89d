//! `GET /v1/jwks`: the key set, with an entity tag and a maximum age.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::digest_hex;
use serde_json::{Value, json};

use super::faults::respond;
use super::reply::ApiReply;
use crate::faults::{ApiPath, Fault};
use crate::keys::SandboxKey;
use crate::state::Shared;

pub(super) async fn handle(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let fault = {
        let mut connect = shared.connect();
        connect.key_set_requests += 1;
        connect.faults.next(ApiPath::Jwks)
    };
    respond(fault.clone(), || key_set(&shared, &headers, fault.as_ref())).await
}

fn key_set(shared: &Shared, headers: &HeaderMap, fault: Option<&Fault>) -> ApiReply {
    let mut keys: Vec<Value> = shared.keys().published.iter().map(SandboxKey::public_jwk).collect();
    if fault == Some(&Fault::EmptyKeySet) {
        keys.clear();
    }
    if fault == Some(&Fault::PrivateKey) {
        keys.iter_mut().for_each(|key| key["d"] = json!(made_up_exponent()));
    }
    let set = json!({ "keys": keys });
    let etag = format!("\"{}\"", &digest_hex(set.to_string().as_bytes())[..32]);
    let is_known = matches(headers, &etag);
    let mut connect = shared.connect();
    let reply = if is_known {
        connect.counts.key_sets_not_modified += 1;
        ApiReply::empty(StatusCode::NOT_MODIFIED)
    } else {
        connect.counts.key_sets_served += 1;
        ApiReply::ok(&set)
    };
    let max_age = format!("max-age={}", connect.key_set_max_age_seconds);
    // Both belong to a 304 as well (RFC 9110 section 15.4.5).
    reply.with(ETAG, &etag).with(CACHE_CONTROL, &max_age)
}

/// Whether `If-None-Match` names this entity tag, by the weak comparison (RFC 9110 section 13.1.2).
fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let sent = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = sent.flat_map(|value| value.split(',')).map(str::trim);
    named.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// A made-up private exponent of 2,048 bits; the sandbox never publishes its own.
fn made_up_exponent() -> String {
    BASE64_URL_SAFE_NO_PAD.encode([0x5a; 256])
}
