//! `/users`: the users that an organization submitted, for as long as the sandbox runs.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::json;

use super::bearer::organization;
use super::reply::ApiReply;
use crate::state::Shared;

pub(super) async fn enrol(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<ApiReply, ApiReply> {
    let now = fundhook_runtime::now();
    let mut connect = shared.connect();
    let organization = organization(&connect.tokens, &headers, now)?;
    let submitted = serde_json::from_slice(&body).map_err(|error| ApiReply::bad_request(&error.to_string()))?;
    let code = connect.users.enrol(organization.tenant, submitted, now);
    Ok(ApiReply::ok(&json!({ "participant_code": code })))
}

pub(super) async fn list(State(shared): State<Shared>, headers: HeaderMap) -> Result<ApiReply, ApiReply> {
    let connect = shared.connect();
    let organization = organization(&connect.tokens, &headers, fundhook_runtime::now())?;
    Ok(ApiReply::ok(&json!({ "message": connect.users.of(&organization.tenant) })))
}
