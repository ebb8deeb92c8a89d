//! `POST /sessions`: Connect sessions, with whose JWT the SDK is started.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use fundhook_domain::Timestamp;
use fundhook_providers::connect::{CLIENT_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOKEN_ISSUER};
use serde_json::{Value, json};

use super::answer::Answer;
use super::organizations::{Organization, new_uuid, uuid_of};
use crate::state::Shared;

/// How long a session's JWT is good (seed 000).
const EXPIRES_IN_SECONDS: u64 = 3600;

/// What a session may be for (seed 000).
const SCOPES: [&str; 2] = ["user:deposit:send", "user:withdrawal:send"];

/// `/sessions`, as seed 000 shows it for deposits.
pub(super) async fn flat(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Answer, Answer> {
    Ok(Answer::ok(&opened(&shared, &headers, &body, fundhook_runtime::now())?))
}

/// `/v1/sessions`, as seed 000 shows it for withdrawals: the same, one level down.
pub(super) async fn nested(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Answer, Answer> {
    let session = opened(&shared, &headers, &body, fundhook_runtime::now())?;
    Ok(Answer::ok(&json!({ "token": session })))
}

fn opened(shared: &Shared, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Value, Answer> {
    let mut api = shared.api();
    let organization = api.organization(headers, now)?;
    signed_by(&organization, headers)?;
    let reference_id = asked_for(body)?;
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
    let jwt = shared.keys().signing(false).token(&claims).map_err(|error| Answer::unsigned(&error))?;
    api.counts.sessions += 1;
    Ok(json!({ "jwt": jwt, "expires_in": EXPIRES_IN_SECONDS }))
}

/// The headers of a signed request. The signature must be there, and is not verified: the sandbox has no organization's
/// public key, and what is signed is published nowhere.
fn signed_by(organization: &Organization, headers: &HeaderMap) -> Result<(), Answer> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
        value.ok_or_else(|| Answer::bad_request(&format!("the header `{name}` is missing")))
    };
    header(SIGNATURE_HEADER)?;
    if header(TIMESTAMP_HEADER)?.parse::<u64>().is_err() {
        return Err(Answer::bad_request(&format!("`{TIMESTAMP_HEADER}` is no UNIX time")));
    }
    if header(CLIENT_ID_HEADER)? != organization.id {
        return Err(Answer::unauthorized(&format!(
            "`{CLIENT_ID_HEADER}` is not the organization that the token is of"
        )));
    }
    Ok(())
}

/// Whose session is asked for.
fn asked_for(body: &[u8]) -> Result<String, Answer> {
    let asked: Value = serde_json::from_slice(body).map_err(|error| Answer::bad_request(&error.to_string()))?;
    let scopes = asked["scopes"].as_array().filter(|scopes| !scopes.is_empty());
    let is_known = |scope: &Value| scope.as_str().is_some_and(|scope| SCOPES.contains(&scope));
    if !scopes.is_some_and(|scopes| scopes.iter().all(is_known)) {
        return Err(Answer::bad_request(&format!("`scopes` is no list of {}", SCOPES.join(", "))));
    }
    let reference_id = asked["account"]["reference_id"].as_str().filter(|reference_id| !reference_id.is_empty());
    reference_id.map(str::to_owned).ok_or_else(|| Answer::bad_request("`account.reference_id` is missing"))
}
