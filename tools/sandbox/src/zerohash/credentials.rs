//! The organizations that zerohash knows, their credentials, and the check of a signature [zerohash-api-auth].

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Tenant};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::connect::uuid_of;

/// How far the time of a signature may be from the provider's clock [zerohash-openapi].
const TOLERANCE_SECONDS: u64 = 60;

/// The parts of a request that authenticate it.
pub(crate) struct Presented<'a> {
    pub(crate) api_key: Option<&'a str>,
    pub(crate) passphrase: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) signature: Option<&'a str>,
    pub(crate) method: &'a str,
    /// Path and query, as received.
    pub(crate) target: &'a str,
    pub(crate) body: &'a [u8],
}

/// The credentials of each organization, all derived from one seed.
pub(crate) struct ZerohashCredentials {
    seed: String,
    /// The onboarded organizations: the default one, and those whose credentials were requested.
    onboarded: Vec<Feed>,
}

impl ZerohashCredentials {
    /// The credentials derived from `seed`, the same each time.
    pub(crate) fn of(seed: String) -> Self {
        Self { seed, onboarded: vec![Feed::from(Provider::Zerohash)] }
    }

    /// What the operator stores: the credentials of zerohash's feeds among `feeds`. They are valid from now on.
    pub(crate) fn stored(&mut self, feeds: &[Feed]) -> Value {
        let mut organizations = Map::new();
        for feed in feeds.iter().filter(|feed| feed.provider() == Provider::Zerohash) {
            if !self.onboarded.contains(feed) {
                self.onboarded.push(feed.clone());
            }
            let entry = json!({
                "api_key": self.api_key(feed),
                "passphrase": self.passphrase(feed),
                "secret": BASE64_STANDARD.encode(self.secret(feed)),
            });
            organizations.insert(feed.tenant().map_or(Tenant::RESERVED, Tenant::as_str).to_owned(), entry);
        }
        Value::Object(organizations)
    }

    /// The organization that signed the request at `now_seconds` of the provider's clock; if none did, why.
    pub(crate) fn organization(&self, given: &Presented<'_>, now_seconds: i64) -> Result<Option<Tenant>, &'static str> {
        let feed = self.onboarded.iter().find(|feed| given.api_key == Some(self.api_key(feed).as_str()));
        let feed = feed.ok_or("Invalid API key")?;
        if given.passphrase != Some(self.passphrase(feed).as_str()) {
            return Err("Invalid passphrase");
        }
        let timestamp = given.timestamp.unwrap_or_default();
        let seconds: i64 = timestamp.parse().map_err(|_| "Invalid timestamp")?;
        if seconds.abs_diff(now_seconds) > TOLERANCE_SECONDS {
            return Err("Timestamp is not within 60 seconds of server time");
        }
        let signature = given.signature.and_then(|signature| BASE64_STANDARD.decode(signature).ok());
        let body: &[u8] = if given.body.is_empty() { b"{}" } else { given.body };
        let signed = [timestamp.as_bytes(), given.method.as_bytes(), given.target.as_bytes(), body].concat();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret(feed));
        hmac::verify(&key, &signed, &signature.unwrap_or_default()).map_err(|_| "Invalid signature")?;
        Ok(feed.tenant().cloned())
    }

    fn api_key(&self, feed: &Feed) -> String {
        uuid_of(&self.text(feed, "API key"))
    }

    fn passphrase(&self, feed: &Feed) -> String {
        uuid_of(&self.text(feed, "passphrase"))
    }

    fn secret(&self, feed: &Feed) -> [u8; 32] {
        Sha256::digest(self.text(feed, "API secret")).into()
    }

    fn text(&self, feed: &Feed, purpose: &str) -> String {
        format!("{} {feed} {purpose}", self.seed)
    }
}
