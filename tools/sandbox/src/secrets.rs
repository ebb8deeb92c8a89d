//! The secrets that the sandbox shares with the platform, and signatures as zerohash and Striga make them.

use std::collections::BTreeMap;

use fundhook_domain::{Feed, Provider, digest_hex};
use fundhook_providers::{SharedSecret, striga, zerohash};
use serde_json::{Map, Value, json};

use crate::keys::{KeyError, SandboxKey};
use crate::requests::{SignRequest, SignedHeaders, ZerohashSignature};

/// One secret for each feed, derived from one seed, and an RSA key for zerohash.
pub struct SandboxSecrets {
    seed: String,
    generations: BTreeMap<Provider, u32>,
    rsa: SandboxKey,
}

impl SandboxSecrets {
    pub fn generate() -> Result<Self, KeyError> {
        Self::of(format!("{:032x}", fastrand::u128(..)))
    }

    /// The secrets derived from `seed`, the same each time, and a new RSA key.
    pub fn of(seed: String) -> Result<Self, KeyError> {
        Ok(Self { seed, generations: BTreeMap::new(), rsa: SandboxKey::generate()? })
    }

    /// Signs with new secrets of `provider` from now on; the former ones become the previous ones.
    pub fn rotate(&mut self, provider: Provider) {
        *self.generations.entry(provider).or_default() += 1;
    }

    fn generation(&self, provider: Provider) -> u32 {
        self.generations.get(&provider).copied().unwrap_or_default()
    }

    fn text(&self, feed: &Feed, generation: u32) -> String {
        digest_hex(format!("{} {feed} {generation}", self.seed).as_bytes())
    }

    fn signing(&self, feed: &Feed, forge: bool) -> Option<SharedSecret> {
        let generation = if forge { u32::MAX } else { self.generation(feed.provider()) };
        SharedSecret::new(&self.text(feed, generation).into())
    }

    /// What the operator stores for `provider`: the secrets of its feeds among `feeds`.
    pub fn stored(&self, provider: Provider, feeds: &[Feed]) -> Result<Value, KeyError> {
        let mut organizations = Map::new();
        for feed in feeds.iter().filter(|feed| feed.provider() == provider) {
            let generation = self.generation(provider);
            let mut entry = json!({ "current": self.text(feed, generation) });
            if let Some(before) = generation.checked_sub(1) {
                entry["previous"] = json!(self.text(feed, before));
            }
            if provider == Provider::Zerohash {
                entry["rsa_public_keys"] = json!([self.rsa.public_pem()?]);
            }
            organizations.insert(feed.tenant().map_or("default".to_owned(), ToString::to_string), entry);
        }
        Ok(Value::Object(organizations))
    }

    /// The headers that the feed's provider sends with `body`; none for Connect, which signs with a [`SandboxKey`].
    pub fn sign(&self, request: &SignRequest, body: &[u8]) -> Result<SignedHeaders, KeyError> {
        let secret = self.signing(&request.feed, request.forge).ok_or(KeyError::Crypto)?;
        match request.feed.provider() {
            provider @ (Provider::Connect | Provider::Striga) => {
                Ok(signed_with(&secret, provider, request.timestamp, body))
            }
            Provider::Zerohash => self.as_zerohash(request, body, &secret),
        }
    }

    fn as_zerohash(
        &self,
        request: &SignRequest,
        body: &[u8],
        secret: &SharedSecret,
    ) -> Result<SignedHeaders, KeyError> {
        let mut headers = signed_with(secret, Provider::Zerohash, request.timestamp, body);
        let timestamp = (request.timestamp * 1000).to_string();
        let rsa = || {
            // A forger signs with its own key.
            let key = if request.forge { &SandboxKey::generate()? } else { &self.rsa };
            let signature = key.pss_signature(&zerohash::signed_message(body, &timestamp))?;
            Ok::<_, KeyError>((zerohash::RSA_SIGNATURE_HEADER.to_owned(), hex::encode(signature)))
        };
        let mut without = |dropped: &[&str]| headers.retain(|(name, _)| !dropped.contains(&name.as_str()));
        match request.zerohash {
            ZerohashSignature::Hmac => {}
            ZerohashSignature::Rsa => {
                without(&[zerohash::SIGNATURE_HEADER]);
                headers.push(rsa()?);
            }
            ZerohashSignature::Both => headers.push(rsa()?),
            ZerohashSignature::LegacyHmac => {
                without(&[zerohash::SIGNATURE_HEADER, zerohash::TIMESTAMP_HEADER]);
                headers.push((zerohash::LEGACY_SIGNATURE_HEADER.to_owned(), secret.sign(body)));
            }
        }
        let notification = format!("{:032x}", fastrand::u128(..));
        headers.push((zerohash::NOTIFICATION_ID_HEADER.to_owned(), notification));
        Ok(headers)
    }
}

/// The headers of a webhook that `provider` signs with `secret` at `timestamp` (UNIX time in seconds); none for Connect,
/// which has no shared secret.
pub fn signed_with(secret: &SharedSecret, provider: Provider, timestamp: i64, body: &[u8]) -> SignedHeaders {
    let headers = match provider {
        Provider::Connect => Vec::new(),
        Provider::Striga => vec![(striga::SIGNATURE_HEADER, secret.sign(body))],
        Provider::Zerohash => {
            let timestamp = (timestamp * 1000).to_string();
            let signature = secret.sign(&zerohash::signed_message(body, &timestamp));
            let signed = [(zerohash::TIMESTAMP_HEADER, timestamp), (zerohash::SIGNATURE_HEADER, signature)];
            let named = payload_type(body).map(|name| (zerohash::PAYLOAD_TYPE_HEADER, name.to_owned()));
            named.into_iter().chain(signed).collect()
        }
    };
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The payload type that zerohash sends with a body, recognized by a member of the body. zerohash does not document the
/// one of `DEPOSIT_FAILED`, so the sandbox omits it.
fn payload_type(body: &[u8]) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let known = [
        ("fund_id", "deposit_fund_complete"),
        ("payment_type", "payment_status_changed"),
        ("deposit_id", "deposit.status_changed"),
        ("balance", "account_balance.changed"),
        ("external_account_status", "external_account_status_changed"),
        ("participant_status", "participant_status_changed"),
        ("trade_id", "trade.status_changed"),
        ("mover_status", "asset_mover_update"),
    ];
    known.into_iter().find(|(member, _)| body.get(member).is_some()).map(|(_, name)| name)
}
