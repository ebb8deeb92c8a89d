//! Sending webhooks as the provider does, or as a forger would.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Timestamp};
use serde_json::{Map, Value, json};

use crate::{CallError, Deployment, NoOutput};
use fundhook_sandbox::{SandboxClient, SandboxError, SignRequest, SignedHeaders, ZerohashSignature};

/// How genuine a webhook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// Signed by the provider now.
    Genuine,
    /// Signed by the provider; one byte of the body was changed afterwards.
    Tampered,
    /// Signed by the provider an hour ago.
    Stale,
    /// Signed now with a key that the provider never published.
    Forged,
    /// Without a signature.
    Unsigned,
}

/// The stack's response to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookResponse {
    pub status: u16,
    pub body: String,
}

/// The outcome of [`send_or_drop`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    Answered(WebhookResponse),
    /// The provider signed it, listed its transaction and never sent it.
    Dropped,
}

/// Why a webhook was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the sandbox provider dropped the webhook; `cargo fundhook drop --share 0` makes it send all webhooks")]
    Dropped,
}

/// The age of a stale webhook, well above the default tolerance of five minutes.
const STALE_SECONDS: i64 = 3600;

#[derive(Clone, Debug)]
pub struct Webhook {
    pub feed: Feed,
    /// The raw body.
    pub body: Vec<u8>,
    /// How zerohash signs it.
    pub zerohash: ZerohashSignature,
}

impl Webhook {
    pub fn new(feed: impl Into<Feed>, body: Vec<u8>) -> Self {
        Self { feed: feed.into(), body, zerohash: ZerohashSignature::default() }
    }

    /// Sets the dates in the body to `at`. The dates of the samples precede everything that a reconciler reads. A body that
    /// is not JSON is unchanged, and no member is added.
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
            ("/created_at", json!(at.to_string())),
            ("/updated_at", json!(at.to_string())),
        ];
        for (pointer, date) in dates {
            if let Some(member) = body.pointer_mut(pointer) {
                *member = date;
            }
        }
        Self { body: body.to_string().into_bytes(), ..self }
    }

    /// The feed of a sample file: the provider that its folder is named after (`events/zerohash/…`), or else Connect.
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
            // Striga appends its own path to the registered one.
            (Provider::Striga, _) => format!("{api}/webhooks/{feed}/tx"),
        })
    }
}

/// Signs a webhook at `now` and posts it to the stack's HTTP API. A dropped webhook is an error.
pub async fn send(
    deployment: &Deployment,
    sandbox: &SandboxClient,
    webhook: &Webhook,
    authenticity: Authenticity,
    now: Timestamp,
) -> Result<WebhookResponse, SendError> {
    match send_or_drop(deployment, sandbox, webhook, authenticity, now).await? {
        SendOutcome::Answered(response) => Ok(response),
        SendOutcome::Dropped => Err(SendError::Dropped),
    }
}

/// Signs a webhook at `now` and posts it to the stack's HTTP API, unless the provider drops it. Forged and unsigned webhooks
/// are not the provider's and are never dropped.
pub async fn send_or_drop(
    deployment: &Deployment,
    sandbox: &SandboxClient,
    webhook: &Webhook,
    authenticity: Authenticity,
    now: Timestamp,
) -> Result<SendOutcome, SendError> {
    let url = webhook.url(deployment).map_err(CallError::from)?;
    let timestamp = now.unix_seconds() - if authenticity == Authenticity::Stale { STALE_SECONDS } else { 0 };
    let headers = match authenticity {
        Authenticity::Unsigned => SignedHeaders::new(),
        Authenticity::Genuine | Authenticity::Tampered | Authenticity::Stale | Authenticity::Forged => {
            let request = SignRequest::new(webhook.feed.clone(), timestamp, &webhook.body);
            let request = request.to(&url).forged(authenticity == Authenticity::Forged).by(webhook.zerohash);
            let signed = sandbox.sign_or_drop(&request).await?;
            if signed.dropped {
                return Ok(SendOutcome::Dropped);
            }
            signed.headers
        }
    };
    let mut body = webhook.body.clone();
    if authenticity == Authenticity::Tampered {
        tamper(&mut body);
    }
    post(deployment, &webhook.feed, &headers, body).await.map(SendOutcome::Answered)
}

/// Posts `body` with `headers` to the feed's path.
pub async fn post(
    deployment: &Deployment,
    feed: &Feed,
    headers: &SignedHeaders,
    body: Vec<u8>,
) -> Result<WebhookResponse, SendError> {
    // The gateway and the emulator would corrupt a body that is not UTF-8 if it were sent as text.
    let content_type = if std::str::from_utf8(&body).is_ok() { "application/json" } else { "application/octet-stream" };
    let mut all = vec![("content-type", content_type)];
    all.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let sub_path = if feed.provider() == Provider::Striga { "/tx" } else { "" };
    let response = deployment.post(&format!("/webhooks/{feed}{sub_path}"), &all, body).await?;
    let status = response.status().as_u16();
    // Without a readable body, the status is still shown.
    let body = response.text().await.unwrap_or_default();
    Ok(WebhookResponse { status, body })
}

/// Changes one byte: a digit if there is one, since amounts are digits.
fn tamper(body: &mut [u8]) {
    let digit = body.iter_mut().find(|byte| byte.is_ascii_digit());
    if let Some(digit) = digit {
        *digit = if *digit == b'9' { b'8' } else { *digit + 1 };
    } else if let Some(first) = body.first_mut() {
        *first ^= 1;
    }
}

/// The event that API Gateway passes to the receiver (payload format 2.0).
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
