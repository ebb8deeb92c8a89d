//! A request that does not verify is rejected with a status and a stable code, and leaves no trace.

mod shared_secrets;

use fundhook_domain::{Kind, ResourceId};
use fundhook_sandbox::SignRequest;
use fundhook_tests::{Platform, Queue, about, run, unique};
use futures_util::{StreamExt as _, stream};
use receiver::BODY_BYTES_MAX;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The platform's own organization at the provider, and another one.
const ORGANIZATION: &str = "3b0e1a9c-6c1f-4d7e-9a53-0d6a5f0c2b11";
const ANOTHER: &str = "00000000-6c1f-4d7e-9a53-0d6a5f0c2b11";

const HOUR: i64 = 3600;

/// A stack that requires a JWT, used only by these tests.
async fn guarded() -> &'static Platform {
    static GUARDED: OnceCell<Platform> = OnceCell::const_new();
    let parameters = [("ConnectJwt", "required"), ("ConnectOrganizationId", ORGANIZATION)];
    GUARDED.get_or_init(async || Platform::deploy(&parameters).await).await
}

/// A valid request. Each test changes it in one way.
struct Request {
    platform: &'static Platform,
    resource: ResourceId,
    method: Method,
    path: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A webhook about a new deposit.
    async fn genuine(platform: &'static Platform) -> Self {
        let resource = unique(Kind::Deposit);
        let body = about("deposits.confirmed.json", resource.native());
        let path = "/webhooks/connect";
        let request = Self { platform, resource, method: Method::POST, path, headers: Vec::new(), body };
        request.signed(platform.webhook_url(), 0, false).await.token(json!({}), false).await
    }

    /// Replaces the signature: for `url`, `seconds` from now, with the provider's key or with a forged one.
    async fn signed(mut self, url: &str, seconds: i64, forge: bool) -> Self {
        let timestamp = fundhook_runtime::now().unix_seconds() + seconds;
        let signed = self
            .platform
            .provider()
            .sign(&SignRequest::connect(url, timestamp, &self.body).forged(forge))
            .await
            .expect("the provider signs it");
        for (name, value) in signed {
            self = self.header(&name, &value);
        }
        self
    }

    /// Adds a JWT with valid claims and `changes` to them, signed with the provider's key or with a forged one.
    async fn token(self, changes: Value, forge: bool) -> Self {
        let now = fundhook_runtime::now().unix_seconds();
        let mut claims =
            json!({ "iss": "connect", "iat": now, "exp": now + HOUR, "organization": { "id": ORGANIZATION } });
        for (name, value) in changes.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        let token = self.platform.provider().token(&claims, forge).await.expect("the provider signs it");
        self.header("authorization", &format!("Bearer {token}"))
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    fn body(mut self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        self.body = change(self.body);
        self
    }

    fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    fn to(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// Sends the request. Returns the status, the code and the allowed methods.
    async fn answer(self) -> (u16, String, Option<String>) {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let sent = self.platform.deployment().request(self.method, self.path, &headers, self.body).await;
        let answer = sent.expect("the stack answers");
        let status = answer.status().as_u16();
        let allowed = answer.headers().get("allow").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = answer.text().await.expect("a body");
        let json: Value = serde_json::from_str(&text).map_err(|_| text).expect("JSON");
        let code = json["error"].as_str().or(json["status"].as_str()).unwrap_or_default();
        (status, code.to_owned(), allowed)
    }
}

/// Requests that are rejected: the change to a genuine webhook, the expected status and the expected code.
async fn rejected_requests(platform: &'static Platform) -> Vec<(&'static str, Request, u16, &'static str)> {
    let url = platform.webhook_url();
    let genuine = async || Request::genuine(platform).await;
    let now = fundhook_runtime::now().unix_seconds().to_string();
    let unsigned_token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJjb25uZWN0In0.";
    let one_more = |body: Vec<u8>| [body, b" ".to_vec()].concat();
    let too_large = |body: Vec<u8>| [body, vec![b' '; BODY_BYTES_MAX]].concat();
    let head = ["timestamp", "signature", "client-id", "x-zh-hook-payload-type"];
    let not_signed = head.iter().fold(genuine().await, |request, name| request.without(name));
    vec![
        ("signed with a forged key", genuine().await.signed(url, 0, true).await, 401, "signature_unverified"),
        ("changed in transit", genuine().await.body(one_more), 401, "signature_unverified"),
        (
            "signed for another URL",
            genuine().await.signed("https://elsewhere.example/webhooks/connect", 0, false).await,
            401,
            "signature_unverified",
        ),
        (
            "an old signature with a new timestamp",
            genuine().await.signed(url, -HOUR, false).await.header("timestamp", &now),
            401,
            "signature_unverified",
        ),
        ("an hour old", genuine().await.signed(url, -HOUR, false).await, 401, "timestamp_too_old"),
        ("an hour ahead", genuine().await.signed(url, HOUR, false).await, 401, "timestamp_in_future"),
        ("not signed", not_signed, 400, "header_missing"),
        ("without its signature", genuine().await.without("signature"), 400, "header_missing"),
        ("without its timestamp", genuine().await.without("timestamp"), 400, "header_missing"),
        ("an empty signature", genuine().await.header("signature", ""), 400, "header_missing"),
        ("a signature that is not base64", genuine().await.header("signature", "?"), 400, "header_malformed"),
        ("a timestamp that is not a number", genuine().await.header("timestamp", "yesterday"), 400, "header_malformed"),
        ("without a token", genuine().await.without("authorization"), 401, "token_missing"),
        ("a token signed with a forged key", genuine().await.token(json!({}), true).await, 401, "token_refused"),
        ("an unsigned token", genuine().await.header("authorization", unsigned_token), 401, "token_refused"),
        ("an expired token", genuine().await.token(json!({ "exp": 1_760_484_866 }), false).await, 401, "token_refused"),
        ("another issuer's token", genuine().await.token(json!({ "iss": "other" }), false).await, 401, "token_refused"),
        (
            "another organization's token",
            genuine().await.token(json!({ "organization": { "id": ANOTHER } }), false).await,
            401,
            "token_refused",
        ),
        ("sent with GET", genuine().await.by(Method::GET), 405, "method_not_allowed"),
        ("sent with PUT", genuine().await.by(Method::PUT), 405, "method_not_allowed"),
        // The gateway has no route for these, and answers itself.
        ("for an unknown provider", genuine().await.to("/webhooks/paypal"), 404, ""),
        ("for a provider in the wrong case", genuine().await.to("/webhooks/Connect"), 404, ""),
        ("too large", genuine().await.body(too_large).signed(url, 0, false).await, 413, "body_too_large"),
    ]
}

#[test]
fn a_webhook_that_does_not_verify_is_rejected_and_leaves_no_trace() {
    run(async {
        let platform = guarded().await;
        let mut listener = platform.listen().await;
        for (what, request, status, code) in rejected_requests(platform).await {
            let (seen_status, seen_code, allowed) = request.answer().await;
            assert_eq!((seen_status, &*seen_code), (status, code), "{what}");
            assert_eq!(allowed.as_deref(), (status == 405).then_some("POST"), "{what}");
        }

        // A later genuine webhook is recorded. The rejected ones are not.
        let genuine = Request::genuine(platform).await;
        let (deposit, known) = (genuine.resource.clone(), genuine.resource.to_string());
        assert_eq!(genuine.answer().await.0, 200, "the unchanged request is accepted");
        listener.receive([format!("{known}#1")]).await;
        platform.settled().await;
        let attestation = platform.resource(&deposit).await.facts()[0].content.evidence().attestation.clone();
        assert!(attestation.token_verified, "the evidence records that the token verified");
        assert_eq!(platform.stored_resources().await, [&*known], "resources in the table");
        let archived = platform.archive().await;
        assert_eq!(archived.len(), 1, "webhooks in the evidence: {archived:#?}");
        for queue in Queue::ALL {
            assert_eq!(platform.dead_letters(queue).await, 0, "dead letters of the {queue:?} queue");
        }
        let received: Vec<&str> = listener.received().iter().map(|delivery| delivery.text("/subject")).collect();
        assert_eq!(received, [&*known], "resources on the topic");
    });
}

#[test]
fn two_hundred_forged_webhooks_cause_at_most_one_fetch_of_the_keys() {
    run(async {
        let platform = guarded().await;
        let before = platform.provider().fetched().await.expect("the provider counts the fetches");
        let forged = stream::iter(0..200).map(async |_| {
            let request = Request::genuine(platform).await.signed(platform.webhook_url(), 0, true).await;
            let (status, code, _) = request.answer().await;
            (status, code)
        });
        let answers: Vec<(u16, String)> = forged.buffer_unordered(4).collect().await;
        let rejected = answers.iter().filter(|(status, code)| *status == 401 && code == "signature_unverified").count();
        assert_eq!(rejected, 200, "{answers:?}");
        let fetched = platform.provider().fetched().await.expect("the provider counts the fetches") - before;
        assert!(fetched <= 1, "{fetched} fetches within a cooldown of one minute");
    });
}
