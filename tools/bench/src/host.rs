//! Lambda's runtime API for one function.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

use super::BenchError;

/// A runtime API on loopback that serves one event at a time.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    events: mpsc::Sender<Value>,
    results: Mutex<mpsc::Receiver<Result<(), String>>>,
}

struct Shared {
    events: Mutex<mpsc::Receiver<Value>>,
    results: mpsc::Sender<Result<(), String>>,
}

impl Host {
    pub(super) async fn start() -> Result<Self, BenchError> {
        let failed = |source| BenchError::Io { what: "listen on loopback", source };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (events, next) = mpsc::channel(1);
        let (done, results) = mpsc::channel(1);
        let shared = Arc::new(Shared { events: Mutex::new(next), results: done });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_event))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(outcome))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, events, results: Mutex::new(results) })
    }

    /// Lets the function handle `event`. The error is the function's.
    pub(super) async fn invoke(&self, event: Value) -> Result<(), String> {
        const WITHIN: std::time::Duration = std::time::Duration::from_secs(30);
        let gone = || "the function's process ended".to_owned();
        let mut results = self.results.lock().await;
        self.events.send(event).await.map_err(|_| gone())?;
        match tokio::time::timeout(WITHIN, results.recv()).await {
            Ok(result) => result.ok_or_else(gone)?,
            Err(_) => Err(format!("no answer within {} s", WITHIN.as_secs())),
        }
    }
}

async fn next_event(State(shared): State<Arc<Shared>>) -> Result<(HeaderMap, String), StatusCode> {
    let event = shared.events.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "9999999999999"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:bench"),
    ];
    let headers = headers
        .into_iter()
        .map(|(name, value)| (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value)));
    Ok((headers.collect(), event.to_string()))
}

/// A batch with failed items is a failure of the measurement too.
async fn outcome(
    State(shared): State<Arc<Shared>>,
    Path((_, outcome)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let text = String::from_utf8_lossy(&body).into_owned();
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let unfinished = answer.pointer("/batchItemFailures/0").is_some();
    let refused = answer.get("statusCode").and_then(Value::as_u64).is_some_and(|status| status != 200);
    let result = if outcome == "response" && !unfinished && !refused { Ok(()) } else { Err(text) };
    match shared.results.send(result).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}

async fn init_error(State(shared): State<Arc<Shared>>, body: String) -> StatusCode {
    match shared.results.send(Err(body)).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}
