//! The sandbox provider's implementation of zerohash's API, read with the client that platforms use.

mod access;
mod faults;
mod paging;
mod rows;
mod writes;

use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_sandbox::{ApiPath, Fault, Sandbox, SandboxClient, SignRequest};
use fundhook_zerohash_api::{
    ApiError, ApiSecret, Credentials, FundTransactionsQuery, Page, Retries, SecretEncoding, Settings, ZerohashClient,
};
use serde_json::{Value, json};

const FUND: &str = include_str!("../../../../../events/zerohash/fund.success.json");

/// A separate sandbox for each test, and a client of its API for the default organization.
struct Zerohash {
    _server: Sandbox,
    sandbox: SandboxClient,
    url: String,
    client: ZerohashClient,
    credentials: Credentials,
}

impl Zerohash {
    async fn start() -> Self {
        let server = Sandbox::start(0).await.expect("it listens on loopback");
        let (sandbox, url) = (SandboxClient::new(&server.url()), server.url());
        let client = client(settings(&url));
        let credentials = credentials_of(&sandbox, "zerohash").await;
        Self { _server: server, sandbox, url, client, credentials }
    }

    /// Signs a webhook as the provider of the feed, now.
    async fn sign(&self, named: &str, body: &Value) {
        self.sign_at(named, body, fundhook_runtime::now()).await;
    }

    async fn sign_at(&self, named: &str, body: &Value, at: Timestamp) {
        let request = SignRequest::new(feed(named), at.unix_seconds(), body.to_string().as_bytes());
        self.sandbox.sign(&request).await.expect("it signs");
    }

    /// Signs webhooks about `count` fund transactions with the ids `f-000`, `f-001`, …, a second apart.
    async fn funds(&self, count: u32) {
        for number in 0..count {
            self.sign("zerohash", &fund(number)).await;
        }
    }

    /// A page of fund transactions of the default organization.
    async fn listed(
        &self,
        query: &FundTransactionsQuery,
    ) -> Result<Page<fundhook_zerohash_api::FundTransaction>, ApiError> {
        self.client.fund_transactions(&self.credentials, query, fundhook_runtime::now()).await
    }

    /// The ids of the first page of fund transactions.
    async fn fund_ids(&self, query: &FundTransactionsQuery) -> Vec<String> {
        let page = self.listed(query).await.expect("a page");
        page.typed().into_iter().map(|row| row.expect("a row").fund_id).collect()
    }

    async fn fault(&self, path: ApiPath, fault: Fault, times: u32) {
        self.sandbox.fault(path, fault, times).await.expect("the fault fits");
    }
}

async fn credentials_of(sandbox: &SandboxClient, named: &str) -> Credentials {
    let secret = sandbox.zerohash_api_secret(&[feed(named)]).await.expect("it has credentials");
    let entry = &secret[feed(named).tenant().map_or("default".to_owned(), ToString::to_string)];
    let text = |name: &str| entry[name].as_str().expect("a text").to_owned();
    Credentials {
        api_key: text("api_key").into(),
        passphrase: text("passphrase").into(),
        secret: ApiSecret::parse(&text("secret").into(), SecretEncoding::Base64).expect("a secret"),
    }
}

fn feed(named: &str) -> Feed {
    named.parse().expect("a feed")
}

fn settings(url: &str) -> Settings {
    let mut settings = Settings::new(url);
    settings.retries = Retries {
        attempts_max: 2,
        first_pause: Duration::from_millis(2),
        pause_max: Duration::from_millis(4),
        wait_max: Duration::from_millis(100),
    };
    settings
}

fn client(settings: Settings) -> ZerohashClient {
    ZerohashClient::new(settings).expect("valid settings")
}

/// The UNIX time in milliseconds of the fund transaction `f-000`.
const FIRST_MS: u64 = 1_759_526_400_000;

fn fund(number: u32) -> Value {
    let mut body = sample(FUND);
    let at = FIRST_MS + u64::from(number) * 1000;
    body["fund_id"] = json!(format!("f-{number:03}"));
    body["fund_timestamp"] = json!(at);
    body["deposit_timestamp"] = json!(at);
    body
}

fn sample(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}

fn raw(page: &Page<impl serde::de::DeserializeOwned>) -> Vec<Value> {
    page.rows.iter().map(|row| serde_json::from_str(row.get()).expect("JSON")).collect()
}
