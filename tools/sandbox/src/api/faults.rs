//! Answers that are not as they should be.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use crate::FaultRequest;

/// A path of the API whose answers can be spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiPath {
    /// `POST /oauth/token`.
    Token,
    /// `GET /v1/jwks`.
    Jwks,
    /// `GET /transactions`.
    Transactions,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// An error in its place.
    Status {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// What the header `Retry-After` says, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The connection ends in the middle of the body, short of its `Content-Length`.
    HalfBody,
    /// Half of the JSON, as if that were all.
    TruncatedJson,
    /// A web page in its place, with 200.
    Html,
    /// The answer itself, late.
    Slow {
        /// By how much.
        ms: u64,
    },
    /// The key set is empty. Of the key set alone.
    EmptyKeySet,
    /// The key set holds a private key. Of the key set alone.
    PrivateKey,
    /// Newer rows come in before the page is answered, so that those on it move on to later pages. Of the transactions
    /// alone.
    Shift {
        /// How many.
        rows: u32,
    },
}

impl Fault {
    /// Whether it can befall `path`; if not, why.
    pub(crate) fn fits(&self, path: ApiPath) -> Result<(), &'static str> {
        let (fits, why) = match self {
            Self::Status { status, .. } => ((200..600).contains(status), "the status is not one from 200 to 599"),
            Self::HalfBody | Self::TruncatedJson | Self::Html | Self::Slow { .. } => (true, ""),
            Self::EmptyKeySet | Self::PrivateKey => (path == ApiPath::Jwks, "only the path `jwks` answers a key set"),
            Self::Shift { .. } => (path == ApiPath::Transactions, "only the path `transactions` answers pages"),
        };
        if fits { Ok(()) } else { Err(why) }
    }
}

/// The faults that are still to come, in their order.
#[derive(Default)]
pub(crate) struct Faults(BTreeMap<ApiPath, VecDeque<(Fault, u32)>>);

impl Faults {
    /// Spoils the next answers of a path, after those that are to be spoilt already.
    pub(crate) fn expect(&mut self, FaultRequest { path, fault, times }: FaultRequest) {
        let waiting = self.0.entry(path).or_default();
        if times == 0 {
            waiting.clear();
        } else {
            waiting.push_back((fault, times));
        }
    }

    /// What is wrong with the next answer of `path`.
    pub(super) fn next(&mut self, path: ApiPath) -> Option<Fault> {
        let waiting = self.0.get_mut(&path)?;
        let (fault, times) = waiting.front_mut()?;
        *times -= 1;
        if *times == 0 { waiting.pop_front().map(|(fault, _)| fault) } else { Some(fault.clone()) }
    }
}

/// What is sent in place of `genuine` under `fault`. Nothing is done by the provider when the fault takes its place.
pub(super) async fn answered(fault: Option<Fault>, genuine: impl FnOnce() -> Answer) -> Response {
    match fault {
        Some(Fault::Status { status, retry_after }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let answer = Answer::error(status, "sandbox_fault", "the sandbox was told to answer so");
            let waits = retry_after.map(|seconds| seconds.to_string());
            waits.into_iter().fold(answer, |answer, seconds| answer.with(RETRY_AFTER, &seconds)).into_response()
        }
        Some(Fault::Html) => {
            let page = "<!DOCTYPE html><html><head><title>Just a moment</title></head><body></body></html>";
            Answer::empty(StatusCode::OK).with(CONTENT_TYPE, "text/html; charset=utf-8").sent_as(page.into())
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
        // These are in the genuine answer.
        None | Some(Fault::EmptyKeySet | Fault::PrivateKey | Fault::Shift { .. }) => genuine().into_response(),
    }
}

/// The answer with its full `Content-Length`, broken off after half of it.
fn half(mut answer: Answer) -> Response {
    let length = answer.body.len().to_string();
    truncate(&mut answer.body);
    let sent = stream::iter([Ok(Bytes::from(std::mem::take(&mut answer.body)))]);
    // A little later, so that the server has written the half when it ends the connection.
    let broken = stream::once(async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let body = Body::from_stream(sent.chain(broken));
    answer.with(CONTENT_LENGTH, &length).sent_as(body)
}

/// Cuts a text in the middle.
fn truncate(text: &mut String) {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(middle);
}
