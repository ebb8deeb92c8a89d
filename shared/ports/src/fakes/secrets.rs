//! The secrets that a provider shares with the platform.

use std::fmt::Display;

use fundhook_domain::Provider;
use secrecy::SecretString;

use super::{Fake, Latency, down};
use crate::{PortError, ReadSecret};

/// A vault with one provider's secrets. Without content, every read fails.
#[derive(Clone, Debug, Default)]
pub struct SecretVault {
    /// Its content; `None` fails every read.
    pub holds: Option<String>,
    /// How often it was read.
    pub reads: usize,
    /// How slowly it answers.
    pub latency: Fake<Latency>,
}

impl Fake<SecretVault> {
    /// Stores `secrets`, a JSON object of organizations, as an operator does.
    pub fn store(&self, secrets: &impl Display) {
        self.now().holds = Some(secrets.to_string());
    }

    /// How often it was read.
    pub fn reads(&self) -> usize {
        self.now().reads
    }
}

impl ReadSecret for Fake<SecretVault> {
    async fn read(&self, _: Provider) -> Result<SecretString, PortError> {
        let latency = self.now().latency.clone();
        latency.wait().await;
        let mut vault = self.now();
        vault.reads += 1;
        vault.holds.clone().map(SecretString::from).ok_or_else(|| down("read a secret"))
    }
}
