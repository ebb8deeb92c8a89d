//! Keys, secrets, settings and signed requests: Connect's here, the other providers' in their own modules. The private
//! keys and secrets are published with this source code, so they protect nothing and must never be trusted.

pub(crate) mod funds;
pub(crate) mod samples;
pub(crate) mod statements;
pub(crate) mod striga;
pub(crate) mod zerohash;

use std::sync::LazyLock;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_providers::connect::{
    CLIENT_ID_HEADER, JwtMode, JwtSettings, PAYLOAD_TYPE_HEADER, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER,
    TOKEN_ISSUER, signed_message, verify,
};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::{Envelope, KeySet, VerifiedWebhook, Webhook};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// The path of Connect's webhooks.
pub(crate) const PATH: &str = "/webhooks/connect";
/// The URL as registered with the provider.
pub(crate) const URL: &str = "https://fundhook.example/webhooks/connect";
/// When requests are signed unless a test says otherwise: the `timestamp` of the sample request in [connect-guide §4].
pub(crate) const SIGNED_AT: i64 = 1_760_484_866;
/// How far a timestamp may be from now: the default of the settings.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(300);

/// A private key of `tests/keys`, with the JWKS that publishes its public half.
pub(crate) struct TestKey {
    pub(crate) pem: &'static str,
    pub(crate) jwks: &'static str,
    key: LazyLock<EncodingKey>,
}

macro_rules! test_key {
    ($name:literal, $read:ident) => {
        TestKey {
            pem: include_str!(concat!("../../keys/", $name, ".pem")),
            jwks: include_str!(concat!("../../keys/", $name, ".jwks.json")),
            key: LazyLock::new(|| {
                let pem = include_bytes!(concat!("../../keys/", $name, ".pem"));
                EncodingKey::$read(pem).expect("a test key is a private key in PEM form")
            }),
        }
    };
}

/// The key that requests are signed with.
pub(crate) static RSA: TestKey = test_key!("test-key-rsa-2048", from_rsa_pem);
/// Another key: an attacker's, or the provider's next one.
pub(crate) static RSA_NEXT: TestKey = test_key!("test-key-rsa-2048-next", from_rsa_pem);
pub(crate) static P256: TestKey = test_key!("test-key-p256", from_ec_pem);
pub(crate) static ED25519: TestKey = test_key!("test-key-ed25519", from_ed_pem);

impl TestKey {
    /// The public half, as published.
    pub(crate) fn jwk(&self) -> Value {
        let jwks: Value = serde_json::from_str(self.jwks).expect("the JWKS of a test key is JSON");
        jwks["keys"][0].clone()
    }

    /// The public half with `changes` merged; `null` removes a member.
    pub(crate) fn jwk_with(&self, changes: &Value) -> Value {
        changed(self.jwk(), changes)
    }

    /// The key set with only this key.
    pub(crate) fn set(&self) -> KeySet {
        key_set(&[self.jwk()])
    }

    /// The key's signature over `message`.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let signature = jsonwebtoken::crypto::sign(message, &self.key, algorithm).expect("a test key signs");
        BASE64_URL_SAFE_NO_PAD.decode(signature).expect("the library encodes as base64url")
    }

    /// The `signature` header of a webhook.
    pub(crate) fn signature(&self, timestamp: &str, url: &str, body: &[u8]) -> String {
        BASE64_STANDARD.encode(self.sign(Algorithm::RS256, &signed_message(timestamp, url, body)))
    }
}

/// `object` with `changes` merged, member by member; `null` removes a member.
pub(crate) fn changed(mut object: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().expect("changes are an object") {
        let members = object.as_object_mut().expect("what is changed is an object");
        members.remove(name);
        if !value.is_null() {
            members.insert(name.clone(), value.clone());
        }
    }
    object
}

/// The JWKS that publishes `jwks`.
pub(crate) fn jwks(jwks: &[Value]) -> String {
    json!({ "keys": jwks }).to_string()
}

/// The key set with `keys`, which must be valid.
pub(crate) fn key_set(keys: &[Value]) -> KeySet {
    KeySet::from_jwks(jwks(keys).as_bytes()).expect("a valid key set")
}

/// The default settings, for [`URL`].
pub(crate) fn settings() -> Settings {
    Settings {
        webhook_urls: vec![URL.to_owned()],
        tolerance: TOLERANCE,
        jwt: JwtSettings {
            mode: JwtMode::Optional,
            header: "authorization".to_owned(),
            policy: TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: TOLERANCE },
        },
    }
}

/// The instant with the UNIX time `seconds`.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).expect("an instant")
}

/// The headers that Connect sends with `body` at `signed_at`, in the order of its documentation.
pub(crate) fn headers(key: &TestKey, signed_at: i64, body: &[u8]) -> Vec<(String, String)> {
    let timestamp = signed_at.to_string();
    let signature = key.signature(&timestamp, URL, body);
    [
        (CLIENT_ID_HEADER, "Connect"),
        (TIMESTAMP_HEADER, &timestamp),
        (SIGNATURE_HEADER, &signature),
        (PAYLOAD_TYPE_HEADER, "connect_deposit.status_changed"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Connect's webhooks for the default organization.
pub(crate) fn feed() -> Feed {
    Feed::from(Provider::Connect)
}

/// A request with `body` and only `headers`.
pub(crate) fn request<N: Into<String>, V: Into<String>>(
    headers: impl IntoIterator<Item = (N, V)>,
    body: &[u8],
) -> Webhook {
    Webhook { path: PATH.to_owned(), headers: headers.into_iter().collect(), body: body.to_vec() }
}

/// The webhook with `body` as Connect sends it to [`URL`] at [`SIGNED_AT`].
pub(crate) fn webhook(key: &TestKey, body: &[u8]) -> Webhook {
    request(headers(key, SIGNED_AT, body), body)
}

/// The envelope of Connect's webhook with `body`, verified when it was signed and sealed two seconds later. An envelope
/// can only be made of a verified webhook.
pub(crate) fn envelope(body: &[u8]) -> Envelope {
    envelope_for(&feed(), body)
}

fn envelope_for(feed: &Feed, body: &[u8]) -> Envelope {
    let verified = verify(webhook(&RSA, body), feed, &settings(), &RSA.set(), at(SIGNED_AT));
    sealed(verified.expect("the test key signed it"))
}

fn sealed(verified: VerifiedWebhook) -> Envelope {
    let trace = "Root=1-68ef1382-0123456789abcdef01234567";
    Envelope::seal(verified, at(SIGNED_AT + 2), Some(trace.to_owned()))
}

/// The envelope of the webhook with `body` as the provider of `feed` sends it, with `payload_type` in its header if the
/// provider has one.
pub(crate) fn envelope_of(feed: &Feed, payload_type: Option<&str>, body: &[u8]) -> Envelope {
    match feed.provider() {
        Provider::Connect => envelope_for(feed, body),
        Provider::Zerohash => zerohash::envelope_for(feed, payload_type, body),
        Provider::Striga => striga::envelope_for(feed, body),
    }
}

/// The string `name` of a vector, or of another object.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().expect(name)
}
