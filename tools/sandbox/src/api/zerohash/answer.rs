//! What every path of zerohash's API has in common: who asks, counts, faults, and the forms of errors [zerohash-openapi].

use axum::body::Bytes;
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use fundhook_domain::{Tenant, Timestamp};
use serde_json::json;

use super::super::faults::{FAILED, respond_as};
use super::super::reply::ApiReply;
use crate::faults::{ApiPath, Fault};
use crate::state::Shared;
use crate::zerohash::{Presented, Zerohash};

const API_KEY: &str = "x-scx-api-key";
const PASSPHRASE: &str = "x-scx-passphrase";
const TIMESTAMP: &str = "x-scx-timestamp";
const SIGNATURE: &str = "x-scx-signed";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ALLOW_RETRY: HeaderName = HeaderName::from_static("zh-allow-retry");

/// A request, as it is signed.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn presented(&self) -> Presented<'_> {
        Presented {
            api_key: self.header(API_KEY),
            passphrase: self.header(PASSPHRASE),
            timestamp: self.header(TIMESTAMP),
            signature: self.header(SIGNATURE),
            method: self.method.as_str(),
            target: self.uri.path_and_query().map_or("/", |target| target.as_str()),
            body: &self.body,
        }
    }
}

/// Who asks, when, and what is to be odd about the answer.
pub(super) struct Signed {
    pub(super) tenant: Option<Tenant>,
    pub(super) now: Timestamp,
    pub(super) fault: Option<Fault>,
}

/// The answer to a signed request.
pub(super) async fn answer(
    shared: &Shared,
    path: ApiPath,
    asked: &Asked,
    genuine: impl FnOnce(&mut Zerohash, &Signed) -> Result<ApiReply, ApiReply>,
) -> Response {
    let signed = |zerohash: &mut Zerohash, now: Timestamp, fault: Option<Fault>| {
        let seconds = now.unix_seconds().saturating_add(zerohash.clock_ahead_seconds);
        let tenant = zerohash.credentials.organization(&asked.presented(), seconds).map_err(forbidden)?;
        genuine(zerohash, &Signed { tenant, now, fault })
    };
    unsigned(shared, path, &asked.headers, signed).await
}

/// The answer to a request that needs no signature.
pub(super) async fn unsigned(
    shared: &Shared,
    path: ApiPath,
    headers: &HeaderMap,
    genuine: impl FnOnce(&mut Zerohash, Timestamp, Option<Fault>) -> Result<ApiReply, ApiReply>,
) -> Response {
    let fault = shared.zerohash().faults.next(path);
    let request_id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let counted = || {
        let mut zerohash = shared.zerohash();
        let reply = genuine(&mut zerohash, fundhook_runtime::now(), fault.clone());
        let counts = &mut zerohash.counts;
        let count = if reply.is_ok() { &mut counts.answered } else { &mut counts.refused };
        *count.entry(path).or_default() += 1;
        let reply = reply.unwrap_or_else(|refusal| refusal);
        request_id.iter().fold(reply, |reply, id| reply.with(REQUEST_ID, id))
    };
    respond_as(failed, fault.clone(), counted).await
}

/// The error of a status that a test asked for, in the form that is documented for it.
fn failed(status: StatusCode) -> ApiReply {
    match status {
        StatusCode::BAD_REQUEST => bad_request(&[FAILED.to_owned()]),
        StatusCode::FORBIDDEN => forbidden(FAILED),
        StatusCode::SERVICE_UNAVAILABLE => error(status, FAILED).with(ALLOW_RETRY, "true"),
        other => error(other, FAILED),
    }
}

pub(super) fn bad_request(errors: &[String]) -> ApiReply {
    ApiReply::json(StatusCode::BAD_REQUEST, &json!({ "errors": errors }))
}

pub(super) fn not_found(what: &str) -> ApiReply {
    error(StatusCode::NOT_FOUND, &format!("{what} not found"))
}

pub(super) fn error(status: StatusCode, message: &str) -> ApiReply {
    ApiReply::json(status, &json!({ "error": message }))
}

fn forbidden(message: &str) -> ApiReply {
    ApiReply::json(StatusCode::FORBIDDEN, &json!({ "error": true, "message": message }))
}
