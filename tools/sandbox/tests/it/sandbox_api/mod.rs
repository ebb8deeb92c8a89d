//! The sandbox provider's implementation of Connect's API.

mod listing;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::{Feed, Provider};
use fundhook_sandbox::{
    ApiPath, Counts, DropShare, Fault, JWKS_PATH, Sandbox, SandboxClient, SignRequest, loopback_client,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

const CONFIRMED: &str = include_str!("../../../../../events/connect/deposits.confirmed.json");
const CONFIRMED_AFTER_HOLD: &str = include_str!("../../../../../events/connect/deposits.confirmed.after_hold.json");
const ON_HOLD: &str = include_str!("../../../../../events/connect/deposits.on_hold.json");
const PENDING: &str = include_str!("../../../../../events/connect/deposits.pending.json");
const WITHDRAWAL: &str = include_str!("../../../../../events/connect/withdrawal.confirmed.json");
const FUND: &str = include_str!("../../../../../events/zerohash/fund.success.json");
const DEPOSIT_FAILED: &str = include_str!("../../../../../events/zerohash/deposit_failed.json");

/// A separate sandbox for each test, and a client of it.
struct Connect {
    _server: Sandbox,
    sandbox: SandboxClient,
    url: String,
    http: Client,
}

impl Connect {
    async fn start() -> Self {
        let server = Sandbox::start(0).await.expect("it listens on loopback");
        let (sandbox, url) = (SandboxClient::new(&server.url()), server.url());
        Self { _server: server, sandbox, url, http: loopback_client() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).json(body)
    }

    /// What the operator stores for an organization.
    async fn credentials(&self, named: &str) -> Value {
        let secret = self.sandbox.api_secret(&[feed(named)]).await.expect("it has credentials");
        let organization = feed(named).tenant().map_or("default".to_owned(), ToString::to_string);
        secret[organization].clone()
    }

    async fn token_of(&self, named: &str) -> String {
        let granted = answered(self.post("/oauth/token", &self.credentials(named).await)).await;
        let granted = json_of(granted).await;
        granted["access_token"].as_str().expect("a token").to_owned()
    }

    async fn list_of(&self, token: &str, query: &str) -> Value {
        let answer = answered(self.get(&format!("/transactions{query}")).bearer_auth(token)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        json_of(answer).await
    }

    /// The list of the default organization.
    async fn list(&self, query: &str) -> Value {
        self.list_of(&self.token_of("connect").await, query).await
    }

    /// Signs a webhook as the provider of the feed; returns whether it is dropped.
    async fn sign(&self, named: &str, body: &str) -> bool {
        let request = SignRequest::new(feed(named), 1_760_484_866, body.as_bytes());
        self.sandbox.sign_or_drop(&request).await.expect("it signs").dropped
    }

    /// Signs deposits with the ids `0`, `1`, …, one second apart.
    async fn deposits(&self, count: u32) {
        for number in 0..count {
            self.sign("connect", &deposit(number)).await;
        }
    }

    async fn counts(&self) -> Counts {
        self.sandbox.counts().await.expect("it counts")
    }

    async fn fault(&self, path: ApiPath, fault: Fault, times: u32) {
        self.sandbox.fault(path, fault, times).await.expect("the fault fits");
    }
}

fn feed(named: &str) -> Feed {
    named.parse().expect("a feed")
}

/// The UNIX time in milliseconds of the deposit `0`.
const FIRST_MS: u64 = 1_759_526_400_000;

fn deposit(number: u32) -> String {
    let mut body: Value = serde_json::from_str(CONFIRMED).expect("JSON");
    let at = format!("2025-10-03T21:{:02}:{:02}Z", 20 + number / 60, number % 60);
    body["deposit"]["id"] = json!(number.to_string());
    body["deposit"]["updated_at"] = json!(at);
    body["account"]["reference_id"] = json!(format!("USER{}", number % 2));
    body.to_string()
}

async fn answered(request: RequestBuilder) -> Response {
    request.send().await.expect("it answers")
}

async fn json_of(answer: Response) -> Value {
    answer.json().await.expect("JSON")
}

async fn refused(request: RequestBuilder) -> (u16, String) {
    let answer = answered(request).await;
    let status = answer.status().as_u16();
    let body = json_of(answer).await;
    assert!(body["error_description"].is_string(), "{body}");
    (status, body["error"].as_str().expect("an error").to_owned())
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The ids of the listed rows.
fn ids(list: &Value) -> Vec<&str> {
    let rows = list["message"].as_array().expect("rows");
    rows.iter().map(|row| row["fund_id"].as_str().expect("an id")).collect()
}

/// The claims of a JWT.
fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn a_client_gets_a_token_for_its_organization_and_can_read_its_list() {
    let connect = Connect::start().await;
    let credentials = connect.credentials("connect").await;
    let granted = json_of(answered(connect.post("/oauth/token", &credentials)).await).await;
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(86_400)));
    let token = granted["access_token"].as_str().expect("a text");
    assert_eq!(claims(token)["organization"]["id"], credentials["organization_id"]);
    let empty = json!({ "message": [], "page": 1, "page_size": 50, "total_pages": 0 });
    assert_eq!(connect.list_of(token, "").await, empty);
    let counts = Counts { tokens_granted: 1, transaction_pages: 1, ..Counts::default() };
    assert_eq!(connect.counts().await, counts);
}

#[tokio::test]
async fn each_organization_has_its_own_stable_credentials() {
    let connect = Connect::start().await;
    let feeds = ["connect", "connect/acme", "zerohash/bolt"].map(feed);
    let secret = connect.sandbox.api_secret(&feeds).await.expect("it has credentials");
    let organizations: Vec<&String> = secret.as_object().expect("an object").keys().collect();
    assert_eq!(organizations, ["acme", "default"]);
    for member in ["client_id", "client_secret", "organization_id"] {
        assert!(secret["acme"][member].as_str().is_some_and(|text| text.len() >= 36), "{secret}");
        assert_ne!(secret["acme"][member], secret["default"][member]);
    }
    assert_eq!(connect.credentials("connect/acme").await, secret["acme"]);
}

#[tokio::test]
async fn wrong_credentials_get_no_token_and_are_counted() {
    let connect = Connect::start().await;
    let (own, other) = (connect.credentials("connect").await, connect.credentials("connect/acme").await);
    let with = |member: &str, value: &Value| {
        let mut changed = own.clone();
        changed[member] = value.clone();
        changed
    };
    for (body, expected) in [
        (with("client_secret", &other["client_secret"]), (401, "invalid_client")),
        (with("organization_id", &other["organization_id"]), (401, "invalid_client")),
        (with("client_id", &json!("30da17fb-15b2-4723-a63c-0488356e1ed0")), (401, "invalid_client")),
        (json!({ "client_id": own["client_id"] }), (400, "invalid_request")),
    ] {
        let (status, error) = refused(connect.post("/oauth/token", &body)).await;
        assert_eq!((status, error.as_str()), expected, "{body}");
    }
    // As [connect-guide §W1] requests one for withdrawals: the organization is the client's.
    let without = json!({ "client_id": own["client_id"], "client_secret": own["client_secret"] });
    assert_eq!(answered(connect.post("/oauth/token", &without)).await.status(), StatusCode::OK);
    let counts = connect.counts().await;
    assert_eq!((counts.tokens_granted, counts.tokens_refused), (1, 4));
}

#[tokio::test]
async fn a_missing_expired_or_revoked_token_is_refused() {
    let connect = Connect::start().await;
    let good = connect.token_of("connect").await;
    connect.sandbox.expire_tokens_after(0).await.expect("the sandbox accepts the control request");
    let expired = connect.token_of("connect").await;
    for request in [connect.get("/transactions"), connect.get("/users"), connect.post("/sessions", &json!({}))] {
        let again = || request.try_clone().expect("no stream");
        for refusable in [again(), again().bearer_auth(&expired), again().basic_auth(&good, None::<&str>)] {
            assert_eq!(refused(refusable).await, (401, "invalid_token".to_owned()));
        }
    }
    connect.list_of(&good, "").await;
    connect.sandbox.revoke_tokens().await.expect("the sandbox accepts the control request");
    assert_eq!(refused(connect.get("/transactions").bearer_auth(&good)).await.0, 401);
}

#[tokio::test]
async fn a_client_with_the_current_key_set_gets_304() {
    let connect = Connect::start().await;
    let first = answered(connect.get(JWKS_PATH)).await;
    let etag = header(&first, "etag");
    assert_eq!(header(&first, "cache-control"), "max-age=300");
    connect.sandbox.key_set_max_age(7).await.expect("the sandbox accepts the control request");
    for sent in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
        let again = answered(connect.get(JWKS_PATH).header("if-none-match", &sent)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{sent}");
        assert_eq!((header(&again, "etag"), header(&again, "cache-control")), (etag.clone(), "max-age=7".to_owned()));
    }
    connect.sandbox.rotate(true).await.expect("it rotates");
    let rotated = answered(connect.get(JWKS_PATH).header("if-none-match", &etag)).await;
    assert_eq!(rotated.status(), StatusCode::OK);
    assert_ne!(header(&rotated, "etag"), etag);
    let counts = connect.counts().await;
    assert_eq!((counts.key_sets_served, counts.key_sets_not_modified), (2, 4));
    assert_eq!(connect.sandbox.fetched().await.expect("it counts"), 6);
}

#[tokio::test]
async fn dropped_webhooks_are_still_listed() {
    let connect = Connect::start().await;
    connect
        .sandbox
        .drop_share(DropShare { percent: 30, seed: 7 })
        .await
        .expect("the sandbox accepts the control request");
    let mut dropped = Vec::new();
    for number in 0..40 {
        let (first, again) =
            (connect.sign("connect", &deposit(number)).await, connect.sign("connect", &deposit(number)).await);
        assert_eq!(first, again, "a webhook is dropped every time or never");
        dropped.extend(first.then_some(number));
    }
    assert!((4..24).contains(&dropped.len()), "{dropped:?}");
    assert_eq!(ids(&connect.list("").await).len(), 40);
    let forged = SignRequest::new(Provider::Connect, 0, deposit(dropped[0]).as_bytes()).forged(true);
    assert!(
        !connect.sandbox.sign_or_drop(&forged).await.expect("it signs").dropped,
        "the provider does not drop a forgery"
    );
    connect.sandbox.drop_share(DropShare::NONE).await.expect("the sandbox accepts the control request");
    for number in dropped {
        assert!(!connect.sign("connect", &deposit(number)).await);
    }
    assert!(connect.sandbox.drop_share(DropShare { percent: 101, seed: 7 }).await.is_err());
}

#[tokio::test]
async fn a_fault_applies_to_the_requested_number_of_answers() {
    let connect = Connect::start().await;
    let token = connect.token_of("connect").await;
    let credentials = connect.credentials("connect").await;
    for (path, request) in [
        (ApiPath::Token, connect.post("/oauth/token", &credentials)),
        (ApiPath::Jwks, connect.get(JWKS_PATH)),
        (ApiPath::Transactions, connect.get("/transactions").bearer_auth(&token)),
    ] {
        let ask = || answered(request.try_clone().expect("no stream"));
        connect.fault(path, Fault::Status { status: 429, retry_after: Some(3) }, 2).await;
        connect.fault(path, Fault::Status { status: 503, retry_after: None }, 1).await;
        for (status, retry_after) in [(429, "3"), (429, "3"), (503, "")] {
            let answer = ask().await;
            assert_eq!((answer.status().as_u16(), header(&answer, "retry-after").as_str()), (status, retry_after));
        }
        connect.fault(path, Fault::HalfBody, 1).await;
        let half = ask().await;
        assert_eq!(half.status(), StatusCode::OK);
        assert!(half.bytes().await.is_err(), "the connection closes in the middle of the body");
        connect.fault(path, Fault::TruncatedJson, 1).await;
        let text = ask().await.text().await.expect("a whole body");
        assert!(text.starts_with('{') && serde_json::from_str::<Value>(&text).is_err(), "{text}");
        connect.fault(path, Fault::Html, 1).await;
        let page = ask().await;
        assert_eq!(
            (page.status(), header(&page, "content-type").as_str()),
            (StatusCode::OK, "text/html; charset=utf-8")
        );
        connect.fault(path, Fault::Slow { ms: 60 }, 1).await;
        let asked_at = std::time::Instant::now();
        assert_eq!(ask().await.status(), StatusCode::OK);
        assert!(asked_at.elapsed().as_millis() >= 60);
        connect.fault(path, Fault::Html, 9).await;
        connect.fault(path, Fault::Html, 0).await;
        assert!(ask().await.json::<Value>().await.is_ok(), "no fault is left");
    }
    // Each path: one half, one truncated, one delayed and one correct answer. Tokens: one more, requested first.
    let counts = connect.counts().await;
    assert_eq!((counts.tokens_granted, counts.key_sets_served, counts.transaction_pages), (5, 4, 4));
    assert_eq!(connect.sandbox.fetched().await.expect("it counts"), 8);
}

#[tokio::test]
async fn a_key_set_is_empty_or_has_a_private_key_on_request() {
    let connect = Connect::start().await;
    connect.fault(ApiPath::Jwks, Fault::EmptyKeySet, 1).await;
    connect.fault(ApiPath::Jwks, Fault::PrivateKey, 1).await;
    assert_eq!(connect.sandbox.key_set().await.expect("JSON"), json!({ "keys": [] }));
    assert!(connect.sandbox.key_set().await.expect("JSON")["keys"][0]["d"].is_string());
    assert!(connect.sandbox.key_set().await.expect("JSON")["keys"][0].get("d").is_none());
    for (path, fault) in [
        (ApiPath::Token, Fault::EmptyKeySet),
        (ApiPath::Transactions, Fault::PrivateKey),
        (ApiPath::Jwks, Fault::Shift { rows: 1 }),
        (ApiPath::Token, Fault::Status { status: 99, retry_after: None }),
    ] {
        assert!(connect.sandbox.fault(path, fault, 1).await.is_err(), "the path cannot have this fault");
    }
}

#[tokio::test]
async fn rows_move_to_later_pages_when_newer_rows_arrive() {
    let connect = Connect::start().await;
    connect.deposits(4).await;
    connect.fault(ApiPath::Transactions, Fault::Shift { rows: 1 }, 2).await;
    let window = format!("page_size=2&deposit_timestamp_lt={}", FIRST_MS + 3001);
    let mut seen = Vec::new();
    for page in 1..=3 {
        let list = connect.list(&format!("?{window}&page={page}")).await;
        assert_eq!(list["total_pages"], 3);
        seen.push(ids(&list).into_iter().map(str::to_owned).collect::<Vec<_>>());
    }
    // One new row arrived before the first page was read, another before the second.
    assert_eq!((seen[0][1].as_str(), seen[0].len()), ("3", 2));
    assert_eq!(seen[1], ["3", "2"], "the row moved to the next page");
    assert_eq!(seen[2], ["1", "0"]);
    assert_eq!(ids(&connect.list("").await).len(), 6, "the new rows stay");
}

#[tokio::test]
async fn a_session_is_a_jwt_signed_with_a_published_key() {
    let connect = Connect::start().await;
    let (token, credentials) = (connect.token_of("connect").await, connect.credentials("connect").await);
    let organization = credentials["organization_id"].as_str().expect("a text");
    let asked = json!({
        "account": { "reference_id": "USER01" },
        "session": { "metadata": {} },
        "scopes": ["user:deposit:send"],
    });
    let headers = [("client-id", organization), ("signature", "CM/PtaccBFKdsu"), ("timestamp", "1760484866")];
    let request = |path: &str, body: &Value, without: &str| {
        let request = connect.post(path, body).bearer_auth(&token);
        let sent = headers.into_iter().filter(|(name, _)| *name != without);
        sent.fold(request, |request, (name, value)| request.header(name, value))
    };
    for (name, _) in headers {
        assert_eq!(refused(request("/sessions", &asked, name)).await, (400, "invalid_request".to_owned()), "{name}");
    }
    let other = request("/sessions", &asked, "client-id").header("client-id", "4789efea-e034-4e6f-b8a0-5289aacec427");
    assert_eq!(refused(other).await, (401, "invalid_token".to_owned()));
    for body in [json!({}), json!({ "account": { "reference_id": "USER01" }, "scopes": ["user:all"] })] {
        assert_eq!(refused(request("/sessions", &body, "")).await.0, 400, "{body}");
    }

    let deposits = json_of(answered(request("/sessions", &asked, "")).await).await;
    let withdrawals = json_of(answered(request("/v1/sessions", &asked, "")).await).await;
    // The body of a recovery's `auth_request` [zerohash-recovery-2].
    let recovery = json!({ "account": { "reference_id": "USER01" }, "scopes": ["user:recovery:send"] });
    let recovery = json_of(answered(request("/sessions", &recovery, "")).await).await;
    for session in [deposits, withdrawals["token"].clone(), recovery] {
        assert_eq!(session["expires_in"], 3600);
        let jwt = session["jwt"].as_str().expect("a JWT");
        assert_verifies(jwt, &connect.sandbox.key_set().await.expect("JSON")["keys"][0]);
        let claims = claims(jwt);
        assert_eq!((&claims["iss"], &claims["organization"]["id"]), (&json!("connect"), &json!(organization)));
        assert_eq!((&claims["account"]["reference_id"], &claims["account"]["id"]), (&json!("USER01"), &claims["sub"]));
        let at = |name: &str| claims[name].as_str().and_then(|at| at.parse::<fundhook_domain::Timestamp>().ok());
        let (issued, expires) = (at("iat").expect("RFC 3339"), at("exp").expect("RFC 3339"));
        assert_eq!(expires.since(issued).as_secs(), 3600);
        assert!(claims["jti"].is_string() && claims["session"]["id"].is_string());
    }
    assert_eq!(connect.counts().await.sessions, 3);
}

fn assert_verifies(jwt: &str, key: &Value) {
    let decoded = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let member = |name: &str| decoded(key[name].as_str().expect("a text"));
    let (signed, signature) = jwt.rsplit_once('.').expect("three parts");
    let public = PublicKeyComponents { n: member("n"), e: member("e") };
    let verified = public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decoded(signature));
    assert!(verified.is_ok(), "the signature verifies with the key of the set");
}

#[tokio::test]
async fn each_organization_has_its_own_users() {
    let connect = Connect::start().await;
    let (own, acmes) = (connect.token_of("connect").await, connect.token_of("connect/acme").await);
    for (first_name, code) in [("John", "USER01"), ("Jane", "USER02")] {
        let submitted = connect.post("/users", &json!({ "first_name": first_name })).bearer_auth(&own);
        assert_eq!(json_of(answered(submitted).await).await, json!({ "participant_code": code }));
    }
    let users = json_of(answered(connect.get("/users").bearer_auth(&own)).await).await;
    let jane = &users["message"][1];
    assert_eq!((&jane["participant_code"], &jane["first_name"]), (&json!("USER02"), &json!("Jane")));
    assert_eq!(jane["status"], "submitted");
    let others = json_of(answered(connect.get("/users").bearer_auth(&acmes)).await).await;
    assert_eq!(others, json!({ "message": [] }));
    let unreadable = connect.post("/users", &json!([])).bearer_auth(&own);
    assert_eq!(refused(unreadable).await.0, 400);
}
