//! A provider on the loopback interface that sends the responses of a test and records the requests.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use fundhook_domain::Timestamp;
use fundhook_ports::chain;
use fundhook_zerohash_api::{
    ApiError, ApiSecret, Credentials, Retries, SecretEncoding, Settings, Timeouts, ZerohashClient,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The secret of every test: bytes 00 to 1f.
pub(crate) const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// The API key of every test; no error and no `Debug` may show it.
pub(crate) const API_KEY: &str = "canary-key-7Qh";
/// The passphrase of every test; no error and no `Debug` may show it.
pub(crate) const PASSPHRASE: &str = "canary-phrase-9";
/// The token of every test; no error and no `Debug` may show it.
pub(crate) const TOKEN: &str = "canary-token-eyJz93a";

/// A response of the provider.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json", body)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A request to the provider.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// The text of a header; empty if it was not sent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A provider that lives as long as the test's runtime.
pub(crate) struct Provider {
    pub(crate) url: String,
    script: Script,
}

impl Provider {
    /// A provider that sends these responses in order, and the last one again and again.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let script = Script { answers, asked: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, script }
    }

    /// A provider that always responds with this JSON.
    pub(crate) async fn saying(json: &str) -> Self {
        Self::answering([Answer::json(200, json)]).await
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        locked(&self.script.asked).clone()
    }

    /// The only request.
    pub(crate) fn asked_once(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    pub(crate) fn client(&self) -> ZerohashClient {
        client(settings(&self.url))
    }
}

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a whole request");
    let path_and_query = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    locked(&script.asked).push(Asked { method: parts.method, path_and_query, headers: parts.headers, body });
    let answer = {
        let mut answers = locked(&script.answers);
        let last = answers.len() == 1;
        if last { answers.front().cloned() } else { answers.pop_front() }.expect("an answer")
    };
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).expect("a status"));
    for (name, value) in answer.headers.iter().filter(|(_, value)| !value.is_empty()) {
        response = response.header(*name, value);
    }
    response.body(Body::from(answer.body)).expect("an answer")
}

/// The URL of a provider that closes the connection after it has read a request and written `bytes`, and the number of
/// requests.
pub(crate) async fn hanging_up_after(bytes: &'static str) -> (String, Arc<Mutex<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 8192];
            assert_ne!(stream.read(&mut request).await.expect("a request"), 0);
            *locked(&counted) += 1;
            stream.write_all(bytes.as_bytes()).await.expect("the client listens");
            stream.shutdown().await.expect("the client listens");
        }
    });
    (url, count)
}

/// The default settings with pauses of milliseconds.
pub(crate) fn settings(url: &str) -> Settings {
    let mut settings = Settings::new(url);
    settings.timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(20) };
    settings.retries = Retries {
        attempts_max: 3,
        first_pause: Duration::from_millis(2),
        pause_max: Duration::from_millis(4),
        wait_max: Duration::from_millis(100),
    };
    settings
}

pub(crate) fn client(settings: Settings) -> ZerohashClient {
    ZerohashClient::new(settings).expect("valid settings")
}

pub(crate) fn credentials() -> Credentials {
    Credentials {
        api_key: API_KEY.to_owned().into(),
        passphrase: PASSPHRASE.to_owned().into(),
        secret: ApiSecret::parse(&SECRET.to_owned().into(), SecretEncoding::Base64).expect("a secret"),
    }
}

/// The time of the sample signatures.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_600).expect("in range")
}

/// Asserts that neither the error's messages nor its `Debug` shows a secret or a user's data.
pub(crate) fn assert_shows_no_secret(error: &ApiError) {
    for text in [chain(error), format!("{error:?}")] {
        assert!(!text.to_ascii_lowercase().contains("canary"), "{text}");
    }
}
