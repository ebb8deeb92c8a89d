//! Responses with a fault.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};

use super::reply::ApiReply;
use crate::connect::Fault;

/// The response under `fault`. A fault that replaces the answer has no effect on the provider: `genuine` is not called.
pub(super) async fn respond(fault: Option<Fault>, genuine: impl FnOnce() -> ApiReply) -> Response {
    match fault {
        Some(Fault::Status { status, retry_after }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let answer = ApiReply::error(status, "sandbox_fault", "the sandbox was told to return this status");
            let waits = retry_after.map(|seconds| seconds.to_string());
            waits.into_iter().fold(answer, |answer, seconds| answer.with(RETRY_AFTER, &seconds)).into_response()
        }
        Some(Fault::Html) => {
            let page = "<!DOCTYPE html><html><head><title>Just a moment</title></head><body></body></html>";
            ApiReply::empty(StatusCode::OK).with(CONTENT_TYPE, "text/html; charset=utf-8").sent_as(page.into())
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
        None | Some(Fault::EmptyKeySet | Fault::PrivateKey | Fault::Shift { .. }) => genuine().into_response(),
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
