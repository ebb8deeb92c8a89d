//! Responses that are not a valid key set: the last good one stays, the error names the feed and the cause, and the first valid
//! response is stored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fundhook_adapters::JwksClient;
use fundhook_credentials::KeySetError;
use fundhook_ports::fakes::{Fake, KeySetTable};
use fundhook_ports::{StoredKeySet, chain};
use refresher::RefreshError;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{JWKS, NEXT_JWKS, START, at, feed, minute, of_keys, run, stored, world};

const FEED: &str = "connect/acme";

/// A private exponent, which must never be published.
const PRIVATE_PART: &str = "VGhpcyBpcyBhIHByaXZhdGUgZXhwb25lbnQ";

/// A provider that sends these bytes over HTTP/1.1 and closes the connection.
struct Provider {
    url: String,
    answer: Arc<Mutex<Vec<u8>>>,
    /// The heads of the requests.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("it is bound"));
        let (answer, requests) = <(Arc<Mutex<Vec<u8>>>, Arc<Mutex<Vec<String>>>)>::default();
        let provider = Self { url, answer: Arc::clone(&answer), requests: Arc::clone(&requests) };
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let head = head(&mut connection).await;
                requests.lock().expect("no test panicked").push(head);
                let answer = answer.lock().expect("no test panicked").clone();
                // The client may have closed the connection.
                connection.write_all(&answer).await.ok();
                connection.shutdown().await.ok();
            }
        });
        provider
    }

    fn answers(&self, bytes: impl Into<Vec<u8>>) {
        *self.answer.lock().expect("no test panicked") = bytes.into();
    }

    fn client(&self) -> JwksClient {
        JwksClient::new(BTreeMap::from([(feed(FEED), self.url.clone())]))
    }

    async fn refreshed(&self, table: &Fake<KeySetTable>, now: i64) -> Result<(), RefreshError> {
        of_keys(table, self.client(), &[FEED]).handle(|| minute(now)).await
    }

    /// The key set as stored by a fetch from this provider.
    fn stored(&self, jwks: &str, fetched_at: i64) -> StoredKeySet {
        StoredKeySet { url: Some(self.url.clone()), ..stored(jwks, fetched_at) }
    }

    fn last_request(&self) -> String {
        self.requests.lock().expect("no test panicked").last().cloned().unwrap_or_default()
    }
}

/// The head of a request, up to the empty line.
async fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).to_ascii_lowercase()
}

/// A response with this status line, these header lines and a matching `content-length`.
fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The invalid responses, each with a part of the expected error.
fn odd_answers() -> Vec<(Vec<u8>, &'static str)> {
    let key: Value = serde_json::from_str::<Value>(NEXT_JWKS).expect("JSON")["keys"][0].clone();
    let with_private_part = {
        let mut key = key.clone();
        key["d"] = json!(PRIVATE_PART);
        json!({ "keys": [key] }).to_string()
    };
    let with_secret = json!({ "keys": [key, { "kty": "oct", "k": PRIVATE_PART }] }).to_string();
    let html = "<html><body>Service Unavailable</body></html>";
    let half = &NEXT_JWKS[..NEXT_JWKS.len() / 2];
    let cut_off = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{half}", NEXT_JWKS.len());
    let elsewhere = "location: http://127.0.0.1:1/jwks\r\n";
    let not_text = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n".as_slice(), &[0xff, 0xfe]].concat();
    vec![
        (answer("429 Too Many Requests", "", ""), "status 429, expected 200"),
        (answer("500 Internal Server Error", "", html), "status 500, expected 200"),
        (answer("503 Service Unavailable", "", NEXT_JWKS), "status 503, expected 200"),
        (answer("404 Not Found", "", html), "status 404, expected 200"),
        (answer("204 No Content", "", ""), "status 204, expected 200"),
        (answer("302 Found", elsewhere, ""), "status 302, expected 200"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(), "status 304, expected 200"),
        (answer("200 OK", "content-type: text/html\r\n", html), "publishes is invalid"),
        (answer("200 OK", "", ""), "publishes is invalid"),
        (answer("200 OK", "", half), "publishes is invalid"),
        (answer("200 OK", "", "{}"), "publishes is invalid"),
        (answer("200 OK", "", r#"{"keys":[]}"#), "publishes is invalid"),
        (answer("200 OK", "", &with_private_part), "publishes is invalid"),
        (answer("200 OK", "", &with_secret), "publishes is invalid"),
        (answer("200 OK", "", &" ".repeat(1 << 20)), "larger than 131072 bytes"),
        (cut_off.into_bytes(), "could not be fetched"),
        (not_text, "not UTF-8"),
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), "could not be fetched"),
        (Vec::new(), "could not be fetched"),
    ]
}

#[tokio::test]
async fn any_invalid_response_leaves_the_last_good_key_set_and_the_error_names_the_feed_and_the_cause() {
    let provider = Provider::start().await;
    for (bytes, why) in odd_answers() {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        let table = Fake::<KeySetTable>::default();
        table.now().stored = Some(provider.stored(JWKS, START - 7200));
        provider.answers(bytes);
        let failed = provider.refreshed(&table, 0).await.expect_err(&shown);
        let message = chain(&failed);
        assert!(message.contains(FEED) && message.contains(why), "{shown}: {message}");
        assert!(!message.contains(PRIVATE_PART) && !format!("{failed:?}").contains(PRIVATE_PART), "{message}");
        assert_eq!(table.now().stored, Some(provider.stored(JWKS, START - 7200)), "{shown}");
        assert_eq!(table.now().stores, 0, "{shown}");

        provider.answers(answer("200 OK", "", NEXT_JWKS));
        provider.refreshed(&table, 1).await.expect("a valid response");
        assert_eq!(table.now().stored, Some(provider.stored(NEXT_JWKS, START + 60)), "{shown}");
    }
}

#[tokio::test]
async fn a_valid_response_stays_fresh_and_is_confirmed_as_its_headers_say() {
    let (provider, table) = (Provider::start().await, Fake::<KeySetTable>::default());
    let headers = "etag: \"v1\"\r\ncache-control: public, max-age=700\r\nage: 100\r\n";
    provider.answers(answer("200 OK", headers, JWKS));
    provider.refreshed(&table, 0).await.expect("a valid response");
    assert!(!provider.last_request().contains("if-none-match"), "{}", provider.last_request());
    let held = |fetched_at, fresh_until| {
        let etag = Some("\"v1\"".to_owned());
        Some(StoredKeySet { fresh_until: at(fresh_until), etag, ..provider.stored(JWKS, fetched_at) })
    };
    assert_eq!(table.now().stored, held(START, START + 600));

    provider.answers(b"HTTP/1.1 304 Not Modified\r\ncache-control: max-age=60\r\n\r\n".as_slice());
    provider.refreshed(&table, 10).await.expect("not modified");
    assert!(provider.last_request().contains("if-none-match: \"v1\"\r\n"), "{}", provider.last_request());
    assert_eq!(table.now().stored, held(START + 600, START + 660));
}

#[tokio::test]
async fn an_unreachable_provider_leaves_the_last_good_key_set() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/jwks", listener.local_addr().expect("it is bound"));
    drop(listener);
    let (table, _) = world(None);
    let client = JwksClient::new(BTreeMap::from([(feed(FEED), url)]));
    let failed = of_keys(&table, client, &[FEED]).handle(|| minute(0)).await.expect_err("the port is closed");
    let message = chain(&failed);
    assert!(message.contains("the key set of connect/acme could not be fetched"), "{message}");
    assert_eq!(table.now().stored, Some(stored(JWKS, START - 7200)));
}

#[tokio::test]
async fn a_304_to_a_request_without_an_entity_tag_is_an_error() {
    // Nothing is stored, or a key set without an entity tag.
    for held in [None, Some(stored(JWKS, START - 7200))] {
        let (table, api) = world(Some(NEXT_JWKS));
        table.now().stored.clone_from(&held);
        api.now().says_unchanged = true;
        let failed = run(&table, &api, minute(0)).await.expect_err("the request had no entity tag");
        assert!(
            matches!(&failed, RefreshError::KeySet(KeySetError::UnexpectedNotModified(of)) if *of == feed("connect"))
        );
        assert_eq!(
            chain(&failed),
            "could not renew a key set: connect reports its key set as unchanged, although the request had no entity tag"
        );
        assert_eq!(table.now().stored, held);
        api.now().says_unchanged = false;
        run(&table, &api, minute(1)).await.expect("a valid response");
        assert_eq!(table.now().stored, Some(stored(NEXT_JWKS, START + 60)));
    }
}
