//! The providers' keys and secrets, and what the operator stores of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fundhook_domain::{Provider, Timestamp, digest_hex};
use fundhook_providers::SharedSecret;
use fundhook_sandbox::{SandboxKey, SignedHeaders, signed_with};
use serde_json::json;

use crate::CannotBegin;

/// A key for tests, in the repository: it protects nothing, and its signatures are the same each time.
const KEY: &str = include_str!("../../../events/keys/test-key-connect.pem");

/// The providers' keys and secrets.
pub(crate) struct Signer {
    seed: u64,
    connect: SandboxKey,
    /// How often each provider's secret was rotated.
    rotations: Mutex<BTreeMap<Provider, u64>>,
}

impl Signer {
    pub(crate) fn of(seed: u64) -> Result<Self, CannotBegin> {
        let connect = SandboxKey::from_pem(KEY);
        let connect = connect.map_err(|error| CannotBegin::because("the key is invalid")(error.into()))?;
        Ok(Self { seed, connect, rotations: Mutex::default() })
    }

    fn rotations(&self) -> MutexGuard<'_, BTreeMap<Provider, u64>> {
        self.rotations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rotation(&self, provider: Provider) -> u64 {
        self.rotations().get(&provider).copied().unwrap_or_default()
    }

    /// From now on, `provider` signs with its next secret.
    pub(crate) fn rotate(&self, provider: Provider) {
        *self.rotations().entry(provider).or_default() += 1;
    }

    fn secret(&self, provider: Provider, rotation: u64) -> String {
        digest_hex(format!("{} {provider} {rotation}", self.seed).as_bytes())
    }

    /// The key set that Connect publishes.
    pub(crate) fn key_set(&self) -> String {
        json!({ "keys": [self.connect.public_jwk()] }).to_string()
    }

    /// What the operator stores for `provider` before the next rotation: the secret that is used, and the next one.
    pub(crate) fn stored(&self, provider: Provider) -> String {
        let rotation = self.rotation(provider);
        let (used, next) = (self.secret(provider, rotation), self.secret(provider, rotation + 1));
        json!({ "default": { "current": next, "previous": used } }).to_string()
    }

    /// The headers with which `provider` sends `body` to `url` at `now`.
    pub(crate) fn headers(&self, provider: Provider, url: &str, body: &[u8], now: Timestamp) -> SignedHeaders {
        let seconds = now.unix_seconds();
        if provider == Provider::Connect {
            return self.connect.sign(url, seconds, body).unwrap_or_default();
        }
        let secret = SharedSecret::new(&self.secret(provider, self.rotation(provider)).into());
        secret.map(|secret| signed_with(&secret, provider, seconds, body)).unwrap_or_default()
    }
}
