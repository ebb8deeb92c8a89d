//! `POST /oauth/token`: access tokens.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use fundhook_domain::Timestamp;
use serde_json::json;

use super::faults::respond;
use super::reply::ApiReply;
use crate::connect::new_uuid;
use crate::faults::ApiPath;
use crate::state::Shared;

pub(super) async fn handle(State(shared): State<Shared>, body: Bytes) -> Response {
    let fault = shared.connect().faults.next(ApiPath::Token);
    respond(fault, || counted(&shared, &body, fundhook_runtime::now())).await
}

fn counted(shared: &Shared, body: &[u8], now: Timestamp) -> ApiReply {
    let granted = grant(shared, body, now);
    let counts = &mut shared.connect().counts;
    match granted {
        Ok(reply) => {
            counts.tokens_granted += 1;
            reply
        }
        Err(refusal) => {
            counts.tokens_refused += 1;
            refusal
        }
    }
}

fn grant(shared: &Shared, body: &[u8], now: Timestamp) -> Result<ApiReply, ApiReply> {
    let given = serde_json::from_slice(body).map_err(|error| ApiReply::bad_request(&error.to_string()))?;
    let mut connect = shared.connect();
    let organization = connect.credentials.organization(&given).ok_or_else(|| {
        ApiReply::error(StatusCode::UNAUTHORIZED, "invalid_client", "no client has these credentials")
    })?;
    // Without `iss`, which the tokens that accompany webhooks have.
    let claims = json!({
        "organization": { "id": organization.id },
        "iat": now.unix_seconds(),
        "exp": connect.tokens.expiry(now).unix_seconds(),
        "jti": new_uuid(),
    });
    let token = shared.keys().signing(false).token(&claims).map_err(|error| ApiReply::unsigned(&error))?;
    let reply = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": connect.tokens.expires_in_seconds(),
    });
    connect.tokens.grant(token, organization, now);
    Ok(ApiReply::ok(&reply))
}
