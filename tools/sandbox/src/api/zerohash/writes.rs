//! The clock, tokens for the SDK, and quotes.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use fundhook_domain::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::reply::ApiReply;
use super::answer::{Asked, answer, bad_request, error, not_found, unsigned};
use crate::connect::unix_ms;
use crate::faults::ApiPath;
use crate::state::Shared;
use crate::zerohash::{FundRfq, TokenRequest};

/// `GET /time`, which needs no signature.
pub(super) async fn time(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    unsigned(&shared, ApiPath::Time, &headers, |zerohash, now, _| {
        let seconds = now.unix_seconds().saturating_add(zerohash.clock_ahead_seconds);
        let now = Timestamp::from_unix_seconds(seconds).unwrap_or(now);
        Ok(ApiReply::ok(&json!({
            "message": { "epoch": unix_ms(now), "epoch_units": "milliseconds", "iso_8601": now.to_string() },
        })))
    })
    .await
}

/// `POST /client_auth_token`. A token for withdrawals creates a payment.
pub(super) async fn client_auth_token(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked { method, uri, headers, body };
    answer(&shared, ApiPath::ClientAuthToken, &asked, |zerohash, signed| {
        let request: TokenRequest = parsed(&asked.body)?;
        request.check().map_err(|invalid| bad_request(&invalid.0))?;
        let token = shared.keys().signing(false).token(&request.claims(signed.now));
        let token = token.map_err(|failed| error(StatusCode::INTERNAL_SERVER_ERROR, &failed.to_string()))?;
        zerohash.issued.grant(token.clone());
        let mut message = json!({ "token": token });
        let lists = zerohash.lists(signed.tenant.as_ref());
        if let Some(intent) = request.deposit_intent_id() {
            lists.intend(request.user(), request.reference_id(), &intent);
            message["deposit_intent_id"] = json!(intent);
        }
        if let Some(payment) = request.payment(signed.now) {
            lists.record(&payment, signed.now);
            message["payment_id"] = payment["payment_id"].clone();
        }
        Ok(ApiReply::json(StatusCode::CREATED, &json!({ "message": message })))
    })
    .await
}

#[derive(Deserialize)]
struct RevokeRequest {
    token: String,
}

/// `POST /revoke_auth_token`.
pub(super) async fn revoke_auth_token(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked { method, uri, headers, body };
    answer(&shared, ApiPath::RevokeAuthToken, &asked, |zerohash, _| {
        let request: RevokeRequest = parsed(&asked.body)?;
        if zerohash.issued.revoke(&request.token) {
            Ok(ApiReply::empty(StatusCode::NO_CONTENT))
        } else {
            Err(not_found("token"))
        }
    })
    .await
}

/// `POST /fund/rfq`.
pub(super) async fn fund_rfq(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked { method, uri, headers, body };
    answer(&shared, ApiPath::FundRfq, &asked, |_, _| {
        let request: FundRfq = parsed(&asked.body)?;
        let quote = request.quote().map_err(|invalid| bad_request(&invalid.0))?;
        Ok(ApiReply::ok(&json!({ "message": quote })))
    })
    .await
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiReply> {
    serde_json::from_slice(body).map_err(|error| bad_request(&[error.to_string()]))
}
