//! Secrets in memory, and requests signed with them.

use fundhook_domain::Provider;
use fundhook_ports::{PortError, ReadSecret};
use fundhook_providers::{striga, zerohash};
use secrecy::SecretString;
use serde_json::Value;

use super::ports::{Shared, Waiting, down};
use super::provider::zerohash::{shared, signature};

/// The secrets of one provider; down unless it holds something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vault {
    pub(crate) waiting: Shared<Waiting>,
    pub(crate) holds: Option<String>,
    pub(crate) reads: usize,
}

impl ReadSecret for Shared<Vault> {
    async fn read(&self, _: Provider) -> Result<SecretString, PortError> {
        let waiting = self.now().waiting.clone();
        waiting.wait().await;
        let mut vault = self.now();
        vault.reads += 1;
        vault.holds.clone().map(SecretString::from).ok_or_else(|| down("read a secret"))
    }
}

impl Shared<Vault> {
    /// The operator stores `secrets`.
    pub(crate) fn store(&self, secrets: &Value) {
        self.now().holds = Some(secrets.to_string());
    }

    pub(crate) fn reads(&self) -> usize {
        self.now().reads
    }
}

/// The headers of a webhook of zerohash that is signed with `secret` at `timestamp`.
pub(crate) fn by_zerohash(secret: &str, timestamp: &str, body: &[u8]) -> Vec<(String, String)> {
    let signed = signature(secret, body, timestamp);
    named(&[(zerohash::TIMESTAMP_HEADER, timestamp), (zerohash::SIGNATURE_HEADER, &signed)])
}

/// The headers of a webhook of Striga that is signed with `secret`.
pub(crate) fn by_striga(secret: &str, body: &[u8]) -> Vec<(String, String)> {
    named(&[(striga::SIGNATURE_HEADER, &shared(secret).sign(body))])
}

/// These headers.
pub(crate) fn named(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
