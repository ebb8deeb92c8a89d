//! Responses with a fault.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};

use super::reply::ApiReply;
use crate::faults::Fault;

/// The response of Connect under `fault`. A fault that replaces the answer has no effect on the provider: `genuine` is not
/// called.
pub(super) async fn respond(fault: Option<Fault>, genuine: impl FnOnce() -> ApiReply) -> Response {
    let failed = |status| ApiReply::error(status, "sandbox_fault", FAILED);
    respond_as(failed, fault, genuine).await
}

/// What an error says that a test asked for.
pub(super) const FAILED: &str = "the sandbox was told to return this status";

/// The response under `fault`, where `failed` makes the provider's errors.
pub(super) async fn respond_as(
    failed: impl FnOnce(StatusCode) -> ApiReply,
    fault: Option<Fault>,
    genuine: impl FnOnce() -> ApiReply,
) -> Response {
    match fault {
        Some(Fault::Status { status, retry_after }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let answer = failed(status);
            let waits = retry_after.map(|seconds| seconds.to_string());
            waits.into_iter().fold(answer, |answer, seconds| answer.with(RETRY_AFTER, &seconds)).into_response()
        }
        Some(Fault::Html) => {
            let page = "<!DOCTYPE html><html><head><title>Just a moment</title></head><body></body></html>";
            ApiReply::empty(StatusCode::OK).with(CONTENT_TYPE, "text/html; charset=utf-8").sent_as(page.into())
        }
        Some(Fault::RefuseAddress) => {
            let page = "<!DOCTYPE html><html><head><title>Access denied | api.zerohash.com</title></head>\
                <body><h1>Error 1020</h1><p>Access denied. You do not have access to api.zerohash.com.</p></body></html>";
            ApiReply::empty(StatusCode::FORBIDDEN).with(CONTENT_TYPE, "text/html; charset=UTF-8").sent_as(page.into())
        }
        Some(Fault::HalfBody) => half(genuine()),
        Some(Fault::TruncatedJson) => {
            let mut answer = genuine();
            truncate(&mut answer.body);
            answer.into_response()
        }
        Some(Fault::Slow { ms }) => {
            let answer = genuine();
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer.into_response()
        }
        // The genuine answer has these faults.
        None
        | Some(
            Fault::EmptyKeySet
            | Fault::PrivateKey
            | Fault::Shift { .. }
            | Fault::Backdated { .. }
            | Fault::Late { .. }
            | Fault::WrongPage,
        ) => genuine().into_response(),
    }
}

/// Sends the full `Content-Length` and half of the body, then closes the connection.
fn half(mut answer: ApiReply) -> Response {
    let length = answer.body.len().to_string();
    truncate(&mut answer.body);
    let sent = stream::iter([Ok(Bytes::from(std::mem::take(&mut answer.body)))]);
    // The delay lets the server write the half before it closes the connection.
    let broken = stream::once(async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let body = Body::from_stream(sent.chain(broken));
    answer.with(CONTENT_LENGTH, &length).sent_as(body)
}

fn truncate(text: &mut String) {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(middle);
}
