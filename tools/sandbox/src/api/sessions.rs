//! `POST /sessions`: Connect sessions. The SDK starts with a session's JWT.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use fundhook_domain::Timestamp;
use fundhook_providers::connect::{CLIENT_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOKEN_ISSUER};
use serde_json::{Value, json};

use super::bearer::organization;
use super::reply::ApiReply;
use crate::connect::{Organization, new_uuid, uuid_of};
use crate::state::Shared;

/// Lifetime of a session's JWT [connect-guide §4].
const EXPIRES_IN_SECONDS: u64 = 3600;

/// The scopes of a session [connect-guide §4] [connect-openapi].
const SCOPES: [&str; 4] =
    ["user:deposit:send", "user:withdrawal:send", "user:withdrawal:request", "user:recovery:send"];

/// `/sessions`, for deposits [connect-guide §4].
pub(super) async fn flat(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<ApiReply, ApiReply> {
    Ok(ApiReply::ok(&open(&shared, &headers, &body, fundhook_runtime::now())?))
}

/// `/v1/sessions`, for withdrawals: the same, one level deeper [connect-guide §W2].
pub(super) async fn nested(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<ApiReply, ApiReply> {
    let session = open(&shared, &headers, &body, fundhook_runtime::now())?;
    Ok(ApiReply::ok(&json!({ "token": session })))
}

fn open(shared: &Shared, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Value, ApiReply> {
    let mut connect = shared.connect();
    let organization = organization(&connect.tokens, headers, now)?;
    check_signed(&organization, headers)?;
    let reference_id = reference_id(body)?;
    let account_id = uuid_of(&format!("{} {reference_id}", organization.id));
    let claims = json!({
        "iss": TOKEN_ISSUER,
        "sub": account_id,
        "iat": now.to_string(),
        "exp": now.plus(Duration::from_secs(EXPIRES_IN_SECONDS)).to_string(),
        "jti": new_uuid(),
        "organization": { "id": organization.id },
        "account": { "id": account_id, "reference_id": reference_id },
        "session": { "id": new_uuid() },
    });
    let jwt = shared.keys().signing(false).token(&claims).map_err(|error| ApiReply::unsigned(&error))?;
    connect.counts.sessions += 1;
    Ok(json!({ "jwt": jwt, "expires_in": EXPIRES_IN_SECONDS }))
}

/// Checks that the headers of a signed request are present. The signature is not verified: the sandbox does not have the
/// organization's public key, and Connect does not document the signed string.
fn check_signed(organization: &Organization, headers: &HeaderMap) -> Result<(), ApiReply> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
        value.ok_or_else(|| ApiReply::bad_request(&format!("the header `{name}` is missing")))
    };
    header(SIGNATURE_HEADER)?;
    if header(TIMESTAMP_HEADER)?.parse::<u64>().is_err() {
        return Err(ApiReply::bad_request(&format!("`{TIMESTAMP_HEADER}` is not a UNIX time")));
    }
    if header(CLIENT_ID_HEADER)? != organization.id {
        return Err(ApiReply::unauthorized(&format!("`{CLIENT_ID_HEADER}` is not the organization of the token")));
    }
    Ok(())
}

/// The reference id of the session's account.
fn reference_id(body: &[u8]) -> Result<String, ApiReply> {
    let request: Value = serde_json::from_slice(body).map_err(|error| ApiReply::bad_request(&error.to_string()))?;
    let scopes = request["scopes"].as_array().filter(|scopes| !scopes.is_empty());
    let is_known = |scope: &Value| scope.as_str().is_some_and(|scope| SCOPES.contains(&scope));
    if !scopes.is_some_and(|scopes| scopes.iter().all(is_known)) {
        return Err(ApiReply::bad_request(&format!("`scopes` must be a list of {}", SCOPES.join(", "))));
    }
    let reference_id = request["account"]["reference_id"].as_str().filter(|reference_id| !reference_id.is_empty());
    reference_id.map(str::to_owned).ok_or_else(|| ApiReply::bad_request("`account.reference_id` is missing"))
}
