//! The providers' keys and secrets, and what they publish or the operator stores of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fundhook_domain::{Provider, Timestamp, digest_hex};
use fundhook_providers::SharedSecret;
use fundhook_sandbox::{SandboxKey, SignedHeaders, signed_with};
use serde_json::{Value, json};

use crate::CannotBegin;

/// Keys for tests, in the repository: they protect nothing, and their signatures are the same each time. Connect uses one after
/// the other.
const KEYS: [&str; 2] = [include_str!("../../../events/keys/test-key-connect.pem"), include_str!("test-key-next.pem")];

/// The providers' keys and secrets.
pub(crate) struct Signer {
    seed: u64,
    connect: Vec<SandboxKey>,
    /// How often each provider's secret or key was rotated.
    rotations: Mutex<BTreeMap<Provider, u64>>,
}

/// Which key or secret verifies signatures.
#[derive(Clone, Copy)]
pub(crate) enum Accepted {
    /// The one in use, and the next one.
    UsedAndNext,
    /// The one in use.
    Used,
}

impl Signer {
    pub(crate) fn of(seed: u64) -> Result<Self, CannotBegin> {
        let keys: Result<Vec<SandboxKey>, _> = KEYS.iter().map(|pem| SandboxKey::from_pem(pem)).collect();
        let connect = keys.map_err(|error| CannotBegin::because("a key is invalid")(error.into()))?;
        Ok(Self { seed, connect, rotations: Mutex::default() })
    }

    fn rotations(&self) -> MutexGuard<'_, BTreeMap<Provider, u64>> {
        self.rotations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rotation(&self, provider: Provider) -> u64 {
        self.rotations().get(&provider).copied().unwrap_or_default()
    }

    /// From now on, `provider` signs with its next key or secret.
    pub(crate) fn rotate(&self, provider: Provider) {
        *self.rotations().entry(provider).or_default() += 1;
    }

    fn secret(&self, provider: Provider, rotation: u64) -> String {
        digest_hex(format!("{} {provider} {rotation}", self.seed).as_bytes())
    }

    /// Connect's key after this many rotations.
    fn key(&self, rotation: u64) -> &SandboxKey {
        let count = self.connect.len();
        &self.connect[usize::try_from(rotation).map_or(0, |rotation| rotation % count)]
    }

    /// The key set that Connect publishes.
    pub(crate) fn key_set(&self, accepted: Accepted) -> String {
        let rotation = self.rotation(Provider::Connect);
        let keys: Vec<Value> = match accepted {
            Accepted::UsedAndNext => vec![self.key(rotation).public_jwk(), self.key(rotation + 1).public_jwk()],
            Accepted::Used => vec![self.key(rotation).public_jwk()],
        };
        json!({ "keys": keys }).to_string()
    }

    /// What the operator stores for a provider with a shared secret.
    pub(crate) fn stored(&self, provider: Provider, accepted: Accepted) -> String {
        let rotation = self.rotation(provider);
        let (used, next) = (self.secret(provider, rotation), self.secret(provider, rotation + 1));
        match accepted {
            Accepted::UsedAndNext => json!({ "default": { "current": next, "previous": used } }),
            Accepted::Used => json!({ "default": { "current": used } }),
        }
        .to_string()
    }

    /// The headers with which `provider` sends `body` to `url` at `now`.
    pub(crate) fn headers(&self, provider: Provider, url: &str, body: &[u8], now: Timestamp) -> SignedHeaders {
        let (seconds, rotation) = (now.unix_seconds(), self.rotation(provider));
        if provider == Provider::Connect {
            return self.key(rotation).sign(url, seconds, body).unwrap_or_default();
        }
        let secret = SharedSecret::new(&self.secret(provider, rotation).into());
        secret.map(|secret| signed_with(&secret, provider, seconds, body)).unwrap_or_default()
    }
}
