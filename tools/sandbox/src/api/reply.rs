//! Replies of the API, before a fault is applied.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::KeyError;

/// JSON, or an empty body.
pub(super) struct ApiReply {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: String,
}

impl ApiReply {
    pub(super) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        Self { status, headers, body: body.to_string() }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// An error in the form of Connect.
    pub(super) fn error(status: StatusCode, error: &str, description: &str) -> Self {
        Self::json(status, &json!({ "error": error, "error_description": description }))
    }

    pub(super) fn bad_request(description: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The token is not valid (RFC 6750 section 3).
    pub(super) fn unauthorized(description: &str) -> Self {
        Self::error(StatusCode::UNAUTHORIZED, "invalid_token", description).with(WWW_AUTHENTICATE, "Bearer")
    }

    pub(super) fn unsigned(error: &KeyError) -> Self {
        Self::error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", &error.to_string())
    }

    /// Adds a header. The sandbox's header values are ASCII.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The response with `body` instead of its own body.
    pub(super) fn sent_as(self, body: Body) -> Response {
        let headers: HeaderMap = self.headers.into_iter().collect();
        (self.status, headers, body).into_response()
    }
}

impl IntoResponse for ApiReply {
    fn into_response(mut self) -> Response {
        let body = std::mem::take(&mut self.body).into();
        self.sent_as(body)
    }
}
