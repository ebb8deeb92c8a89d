//! The secrets that providers share with the platform, in Secrets Manager.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use fundhook_domain::Provider;
use fundhook_ports::{Disposition, PortError, ReadSecret};
use secrecy::SecretString;

use crate::Aws;

/// The shared secrets of each provider.
#[derive(Clone, Debug)]
pub struct SecretStore {
    client: Client,
    ids: BTreeMap<Provider, String>,
}

impl SecretStore {
    /// `ids` are the ARNs or names of the secrets.
    pub fn new(aws: &Aws, ids: BTreeMap<Provider, String>) -> Self {
        Self { client: Client::new(aws.sdk_config()), ids }
    }
}

impl ReadSecret for SecretStore {
    async fn read(&self, provider: Provider) -> Result<SecretString, PortError> {
        let failed = |disposition, why: String| PortError::new("read a secret", disposition, why);
        let id = self.ids.get(&provider);
        let id =
            id.ok_or_else(|| failed(Disposition::DeadLetter, format!("no secret is configured for {provider}")))?;
        let read = self.client.get_secret_value().secret_id(id).send().await;
        let read = read.map_err(|error| failed(Disposition::Retry, without_payload(&error)))?;
        let text = read.secret_string;
        let text = text.ok_or_else(|| failed(Disposition::DeadLetter, format!("the secret {id} has no text")))?;
        Ok(text.into())
    }
}

/// The code and the message of an error of Secrets Manager. Not the error itself: when the SDK cannot parse a response, its
/// error contains the response, and so the secret.
pub(crate) fn without_payload(error: &impl ProvideErrorMetadata) -> String {
    format!("{}: {}", error.code().unwrap_or("no readable response"), error.message().unwrap_or_default())
}
