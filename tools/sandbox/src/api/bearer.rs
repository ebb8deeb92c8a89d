//! The bearer token of a request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use fundhook_domain::Timestamp;

use super::reply::ApiReply;
use crate::connect::{Organization, Tokens};

/// The organization whose token a request has, or the refusal.
pub(super) fn organization(tokens: &Tokens, headers: &HeaderMap, now: Timestamp) -> Result<Organization, ApiReply> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, token) = header.split_once(' ').unwrap_or_default();
    let granted = tokens.organization(token.trim(), now).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
    granted.cloned().ok_or_else(|| ApiReply::unauthorized("the bearer token is missing, expired or revoked"))
}
