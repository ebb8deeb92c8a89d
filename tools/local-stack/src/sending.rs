//! Sending a webhook as the provider would, or as somebody who would like to be the provider.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Timestamp};
use serde_json::{Map, Value, json};

use crate::{CallError, Deployment, NoOutput};
use fundhook_sandbox::{SandboxClient, SandboxError, SignRequest, SignedHeaders, ZerohashSignature};

/// How a webhook is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Signed by the provider, now.
    Genuine,
    /// Signed by the provider; then a byte of the body changes on the way.
    Tampered,
    /// Signed by the provider, an hour ago.
    Stale,
    /// Signed now, by a key that the provider never published.
    Forged,
    /// Not signed at all.
    Unsigned,
}

/// What the stack answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What became of a webhook that the provider signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was sent.
    Answered(Answered),
    /// The provider dropped it: what it tells of has happened, and it never comes.
    Dropped,
}

/// Why a webhook was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It could not be signed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// It could not be delivered.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The provider dropped it.
    #[error("the sandbox provider dropped the webhook, as `cargo fundhook drop` told it to")]
    Dropped,
}

/// How old a stale webhook is: well past the default tolerance of five minutes.
const STALE_SECONDS: i64 = 3600;

/// A webhook to be sent.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Whose it is.
    pub feed: Feed,
    /// Its body, to the byte.
    pub body: Vec<u8>,
    /// With what zerohash signs it.
    pub zerohash: ZerohashSignature,
}

impl Webhook {
    /// A webhook of `feed`.
    pub fn new(feed: impl Into<Feed>, body: Vec<u8>) -> Self {
        Self { feed: feed.into(), body, zerohash: ZerohashSignature::default() }
    }

    /// The same about something that happened at `at`: a sample's own dates lie in the past, before the first of what a
    /// reconciler reads. Members that hold no date, and bodies that are no JSON, stay as they are.
    #[must_use]
    pub fn dated(self, at: Timestamp) -> Self {
        let Ok(mut body) = serde_json::from_slice::<Value>(&self.body) else {
            return self;
        };
        let millis = json!(at.unix_seconds() * 1000);
        let dates = [
            ("/deposit/created_at", json!(at.to_string())),
            ("/deposit/updated_at", json!(at.to_string())),
            ("/fund_timestamp", millis.clone()),
            ("/deposit_timestamp", millis),
        ];
        for (pointer, date) in dates {
            if let Some(member) = body.pointer_mut(pointer) {
                *member = date;
            }
        }
        Self { body: body.to_string().into_bytes(), ..self }
    }

    /// The feed that a sample file is of: the provider after whom its folder is named, `events/zerohash/…`. A file that
    /// lies elsewhere is taken for Connect's.
    pub fn feed_of(file: &Path) -> Feed {
        let folders = file.ancestors().filter_map(|folder| folder.file_name()?.to_str());
        let named = folders.filter_map(|name| name.parse::<Provider>().ok()).next();
        named.unwrap_or(Provider::Connect).into()
    }

    /// The URL that the provider sends it to.
    pub fn url(&self, deployment: &Deployment) -> Result<String, NoOutput> {
        let api = deployment.output("ApiEndpoint")?;
        let feed = &self.feed;
        Ok(match (feed.provider(), feed.tenant()) {
            (Provider::Connect, None) => {
                let urls = deployment.output("ConnectWebhookUrls")?;
                urls.split(',').next().unwrap_or(urls).to_owned()
            }
            (Provider::Connect | Provider::Zerohash, _) => format!("{api}/webhooks/{feed}"),
            // Striga appends a path of its own to the registered one.
            (Provider::Striga, _) => format!("{api}/webhooks/{feed}/tx"),
        })
    }
}

/// Signs a webhook and posts it to the stack's HTTP API at `now`. One that the provider drops is an error.
pub async fn send(
    deployment: &Deployment,
    sandbox: &SandboxClient,
    webhook: &Webhook,
    manner: Manner,
    now: Timestamp,
) -> Result<Answered, SendError> {
    match send_or_drop(deployment, sandbox, webhook, manner, now).await? {
        Sent::Answered(answered) => Ok(answered),
        Sent::Dropped => Err(SendError::Dropped),
    }
}

/// Signs a webhook and posts it to the stack's HTTP API at `now`, unless the provider drops it. What the provider does not
/// send, it does not drop either: what is forged, and what is not signed.
pub async fn send_or_drop(
    deployment: &Deployment,
    sandbox: &SandboxClient,
    webhook: &Webhook,
    manner: Manner,
    now: Timestamp,
) -> Result<Sent, SendError> {
    let url = webhook.url(deployment).map_err(CallError::from)?;
    let timestamp = now.unix_seconds() - if manner == Manner::Stale { STALE_SECONDS } else { 0 };
    let headers = match manner {
        Manner::Unsigned => SignedHeaders::new(),
        Manner::Genuine | Manner::Tampered | Manner::Stale | Manner::Forged => {
            let request = SignRequest::new(webhook.feed.clone(), timestamp, &webhook.body);
            let request = request.to(&url).forged(manner == Manner::Forged).by(webhook.zerohash);
            let signed = sandbox.sign_or_drop(&request).await?;
            if signed.dropped {
                return Ok(Sent::Dropped);
            }
            signed.headers
        }
    };
    let mut sent = webhook.body.clone();
    if manner == Manner::Tampered {
        tamper(&mut sent);
    }
    post(deployment, &webhook.feed, &headers, sent).await.map(Sent::Answered)
}

/// Posts `body` with `headers` to the path that the feed is registered under.
pub async fn post(
    deployment: &Deployment,
    feed: &Feed,
    headers: &SignedHeaders,
    body: Vec<u8>,
) -> Result<Answered, SendError> {
    // As text the gateway would hand bytes that are not UTF-8 on as something else; so would the emulator.
    let content_type = if std::str::from_utf8(&body).is_ok() { "application/json" } else { "application/octet-stream" };
    let mut all = vec![("content-type", content_type)];
    all.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let sub_path = if feed.provider() == Provider::Striga { "/tx" } else { "" };
    let answer = deployment.post(&format!("/webhooks/{feed}{sub_path}"), &all, body).await?;
    let status = answer.status().as_u16();
    // An answer without a readable body is shown by its status alone.
    let body = answer.text().await.unwrap_or_default();
    Ok(Answered { status, body })
}

/// Changes one byte: a digit where there is one, as a thief would.
fn tamper(body: &mut [u8]) {
    let digit = body.iter_mut().find(|byte| byte.is_ascii_digit());
    if let Some(digit) = digit {
        *digit = if *digit == b'9' { b'8' } else { *digit + 1 };
    } else if let Some(first) = body.first_mut() {
        *first ^= 1;
    }
}

/// The request as an HTTP API hands it to its function (payload format 2.0).
pub fn gateway_request(url: &str, headers: &SignedHeaders, body: &[u8]) -> Value {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = after_scheme.split_once('/').unwrap_or((after_scheme, ""));
    let path = format!("/{path}");
    let mut sent: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    sent.insert("content-type".to_owned(), json!("application/json"));
    sent.insert("host".to_owned(), json!(host));
    let (text, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(body), true),
    };
    json!({
        "version": "2.0",
        "routeKey": "ANY /webhooks/{provider}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "fundhook",
            },
            "requestId": "local",
            "routeKey": "ANY /webhooks/{provider}",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 0,
        },
        "pathParameters": { "provider": "connect" },
        "body": text,
        "isBase64Encoded": is_base64,
    })
}
