//! Receivers with fakes of their ports, and requests as API Gateway sends them.

/// How providers sign is defined once, in the tests of the verification.
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../../../../../shared/providers/tests/it/support/mod.rs"]
pub(crate) mod provider;
pub(crate) mod vault;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use fundhook_credentials::KeySettings;
use fundhook_credentials::{KeyCache, SecretCache};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_ports::StoredKeySet;
use fundhook_ports::fakes::{Fake, KEY_SET_URL, KeySetApi, KeySetTable, Latency, Queue, SecretVault};
use fundhook_providers::KeySet;
use fundhook_providers::connect::Settings;
use fundhook_runtime::metrics::Metrics;
use receiver::{Answer, Receiver, Verifier};
use serde_json::{Value, json};

use provider::{SIGNED_AT, TestKey, at, headers, settings};

pub(crate) const PATH: &str = "/webhooks/connect";
pub(crate) const BODY: &[u8] = br#"{"event":"connect.deposits.pending","deposit":{"id":"1"}}"#;

/// The default settings.
pub(crate) const KEYS: KeySettings = KeySettings {
    max_age: Duration::from_secs(300),
    cooldown: Duration::from_secs(60),
    last_good_max: Duration::from_secs(86_400),
};

/// How long a key set is fresh: longer than the maximum age of the settings.
pub(crate) const FRESH_FOR: Duration = Duration::from_secs(3600);

/// The ports of receivers.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) metrics: Metrics,
    pub(crate) queue: Fake<Queue>,
    pub(crate) table: Fake<KeySetTable>,
    pub(crate) api: Fake<KeySetApi>,
    /// The secrets of zerohash.
    pub(crate) zerohash: Fake<SecretVault>,
    /// The secrets of Striga.
    pub(crate) striga: Fake<SecretVault>,
}

pub(crate) type Keys = KeyCache<Fake<KeySetTable>, Fake<KeySetApi>>;
pub(crate) type TestVerifier = Verifier<Fake<KeySetTable>, Fake<KeySetApi>, Fake<SecretVault>>;
pub(crate) type TestReceiver = Receiver<Fake<Queue>, Fake<KeySetTable>, Fake<KeySetApi>, Fake<SecretVault>>;

impl Default for World {
    fn default() -> Self {
        Self {
            metrics: Metrics::recorded(false),
            queue: Fake::default(),
            table: Fake::default(),
            api: Fake::default(),
            zerohash: Fake::default(),
            striga: Fake::default(),
        }
    }
}

impl World {
    /// The provider publishes `key`, and the refresher stored it at the time at which the first request is signed.
    pub(crate) fn publishing(key: &TestKey) -> Self {
        let world = Self::default();
        world.table.now().stored = Some(stored(key, SIGNED_AT));
        world.api.now().serves = Some(key.jwks.to_owned());
        world.api.now().fresh_for = Some(FRESH_FOR);
        world
    }

    /// The key cache of a receiver at its cold start.
    pub(crate) fn keys(&self) -> Keys {
        self.keys_with(KEYS)
    }

    pub(crate) fn keys_with(&self, keys: KeySettings) -> Keys {
        KeyCache::new(Provider::Connect.into(), keys, self.table.clone(), self.api.clone())
    }

    /// A receiver at its cold start.
    pub(crate) fn receiver(&self) -> TestReceiver {
        self.receiver_with(settings(), KEYS)
    }

    pub(crate) fn receiver_with(&self, settings: Settings, keys: KeySettings) -> TestReceiver {
        self.receiver_of([("connect", Verifier::Connect(settings, self.keys_with(keys)))])
    }

    /// A receiver with these verifiers.
    pub(crate) fn receiver_of<'a>(&self, verifiers: impl IntoIterator<Item = (&'a str, TestVerifier)>) -> TestReceiver {
        let verifiers = verifiers.into_iter().map(|(feed, verifier)| (feed.parse::<Feed>().expect("a feed"), verifier));
        Receiver::new(self.queue.clone(), verifiers.collect::<BTreeMap<_, _>>(), self.metrics.clone())
    }

    /// The secret cache of the verifiers of zerohash or Striga.
    pub(crate) fn secrets(&self, provider: Provider, keys: KeySettings) -> Arc<SecretCache<Fake<SecretVault>>> {
        let vault = match provider {
            Provider::Connect => unreachable!("Connect publishes keys"),
            Provider::Zerohash => &self.zerohash,
            Provider::Striga => &self.striga,
        };
        Arc::new(SecretCache::new(provider, keys, vault.clone()))
    }

    /// From now on, a read of the table or a vault waits for `turns` turns of all other tasks. Returns the latency that counts
    /// the waiting reads of all of them.
    pub(crate) fn slow(&self, turns: usize) -> Fake<Latency> {
        let latency = Fake::new(Latency { turns, ..Latency::default() });
        self.table.now().latency = latency.clone();
        self.zerohash.now().latency = latency.clone();
        self.striga.now().latency = latency.clone();
        latency
    }

    pub(crate) fn sent(&self) -> Vec<String> {
        self.queue.sent()
    }
}

/// The stored key set with `key`, fetched at `fetched_at`.
pub(crate) fn stored(key: &TestKey, fetched_at: i64) -> StoredKeySet {
    stored_jwks(key.jwks, fetched_at)
}

pub(crate) fn stored_jwks(jwks: &str, fetched_at: i64) -> StoredKeySet {
    let keys = KeySet::from_jwks(jwks.as_bytes()).ok();
    let thumbprints = keys.iter().flat_map(KeySet::keys).map(|key| key.thumbprint().to_owned()).collect();
    StoredKeySet {
        jwks: jwks.to_owned(),
        fingerprint: keys.map_or("invalid".to_owned(), |keys| keys.fingerprint().to_owned()),
        thumbprints,
        fetched_at: at(fetched_at),
        fresh_until: at(fetched_at).plus(FRESH_FOR),
        etag: None,
        url: Some(KEY_SET_URL.to_owned()),
        not_before: None,
    }
}

/// The event of an HTTP API, payload format 2.0, with `changes` merged into it.
pub(crate) fn request(headers: Vec<(String, String)>, body: &[u8], changes: &Value) -> ApiGatewayV2httpRequest {
    let headers: serde_json::Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let event = json!({
        "version": "2.0",
        "routeKey": "ANY /webhooks/{provider}",
        "rawPath": PATH,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "fundhook.example",
            "http": { "method": "POST", "path": PATH, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test" },
            "requestId": "id",
            "stage": "$default",
            "timeEpoch": 1_760_484_866_000_i64,
        },
        "body": String::from_utf8_lossy(body),
        "isBase64Encoded": false,
    });
    serde_json::from_value(provider::changed(event, changes)).expect("an event of the gateway")
}

/// A request with the body [`BODY`], signed by `key` at `signed_at`.
pub(crate) fn signed(key: &TestKey, signed_at: i64) -> ApiGatewayV2httpRequest {
    request(headers(key, signed_at, BODY), BODY, &json!({}))
}

/// The answer of `receiver` to a request that was signed by `key` and received at `now`.
pub(crate) async fn answer_to(receiver: &TestReceiver, key: &TestKey, now: i64) -> Answer {
    receiver.handle(signed(key, now), at(now)).await
}

/// The fingerprint of the set that `keys` verifies with; `None` if it has none.
pub(crate) async fn fingerprint(keys: &Keys, now: Timestamp) -> Option<String> {
    keys.current(now).await.ok().map(|set| set.fingerprint().to_owned())
}
