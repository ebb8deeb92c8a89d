//! AWS endpoints that answer immediately and record the requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::BenchError;

/// One AWS endpoint for all services, on loopback.
pub(super) struct AwsStub {
    pub(super) address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// The operation, and the request if it was JSON.
struct Call {
    operation: String,
    request: Value,
}

impl AwsStub {
    pub(super) async fn start() -> Result<Self, BenchError> {
        let failed = |source| BenchError::Io { what: "listen on loopback", source };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&calls));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, calls })
    }

    /// The number of calls.
    pub(super) fn calls(&self) -> u64 {
        locked(&self.calls).len() as u64
    }

    /// The messages sent with `operation`.
    pub(super) fn bodies(&self, operation: &str) -> Vec<String> {
        let calls = locked(&self.calls);
        let requests = calls.iter().filter(|call| call.operation == operation).map(|call| &call.request);
        let messages = requests.flat_map(|request| match request["Entries"].as_array() {
            Some(entries) => entries.iter().collect(),
            None => vec![request],
        });
        messages.filter_map(|message| message["MessageBody"].as_str().map(str::to_owned)).collect()
    }

    /// The inserted items, as in the stream's records.
    pub(super) fn items(&self) -> Vec<Value> {
        let calls = locked(&self.calls);
        let batches = calls.iter().filter_map(|call| call.request["Statements"].as_array());
        batches.flatten().filter_map(inserted).collect()
    }
}

/// The item of `INSERT INTO "t" VALUE {'a': ?, 'b': ?}` and its parameters.
fn inserted(statement: &Value) -> Option<Value> {
    let (_, members) = statement["Statement"].as_str()?.split_once('{')?;
    let names = members.split('\'').skip(1).step_by(2).map(str::to_owned);
    let item: Map<String, Value> = names.zip(statement["Parameters"].as_array()?.iter().cloned()).collect();
    Some(Value::Object(item))
}

async fn answer(
    State(calls): State<Arc<Mutex<Vec<Call>>>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = match target.and_then(|target| target.split('.').next_back()) {
        Some(operation) => operation.to_owned(),
        None if method == Method::PUT => "PutObject".to_owned(),
        None => {
            let form = String::from_utf8_lossy(&body);
            form.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default().to_owned()
        }
    };
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = match operation.as_str() {
        "SendMessage" => json!({ "MessageId": "1", "MD5OfMessageBody": "" }).to_string(),
        "SendMessageBatch" => json!({ "Successful": [], "Failed": [] }).to_string(),
        "BatchGetItem" => json!({ "Responses": {}, "UnprocessedKeys": {} }).to_string(),
        "BatchExecuteStatement" => {
            let statements = request["Statements"].as_array().map_or(0, Vec::len);
            json!({ "Responses": vec![json!({}); statements] }).to_string()
        }
        "PublishBatch" => {
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Successful/><Failed/></PublishBatchResult></PublishBatchResponse>"
                .to_owned()
        }
        "PutObject" => String::new(),
        _ => "{}".to_owned(),
    };
    locked(&calls).push(Call { operation, request });
    (StatusCode::OK, answer)
}

fn locked(calls: &Mutex<Vec<Call>>) -> MutexGuard<'_, Vec<Call>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}
