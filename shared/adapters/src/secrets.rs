//! Secrets in Secrets Manager.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use fundhook_domain::Provider;
use fundhook_ports::{Disposition, PortError, ReadSecret};
use secrecy::SecretString;

use crate::Aws;

/// The secrets that providers share with the platform.
#[derive(Clone, Debug)]
pub struct SecretStore {
    client: Client,
    ids: BTreeMap<Provider, String>,
}

impl SecretStore {
    /// The secrets of the providers in `ids`, each under its ARN or name.
    pub fn new(aws: &Aws, ids: BTreeMap<Provider, String>) -> Self {
        Self { client: Client::new(aws.sdk_config()), ids }
    }
}

impl ReadSecret for SecretStore {
    async fn read(&self, provider: Provider) -> Result<SecretString, PortError> {
        let failed = |disposition, why: String| PortError::new("read a secret", disposition, why);
        let id = self.ids.get(&provider);
        let id = id.ok_or_else(|| failed(Disposition::DeadLetter, format!("no secret is named for {provider}")))?;
        let read = self.client.get_secret_value().secret_id(id).send().await;
        // Not the error itself: of an answer that it cannot read it shows the bytes.
        let read = read.map_err(|error| failed(Disposition::Retry, told(error.code(), error.message())))?;
        let text = read.secret_string.ok_or_else(|| failed(Disposition::DeadLetter, format!("{id} holds no text")))?;
        Ok(text.into())
    }
}

pub(crate) fn told(code: Option<&str>, message: Option<&str>) -> String {
    format!("{}: {}", code.unwrap_or("no answer that can be read"), message.unwrap_or_default())
}
