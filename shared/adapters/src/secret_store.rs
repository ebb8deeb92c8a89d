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
        let id = self.ids.get(&provider);
        let id =
            id.ok_or_else(|| failed(Disposition::DeadLetter, format!("no secret is configured for {provider}")))?;
        secret_text(&self.client, id).await
    }
}

/// The text of the secret `id`, an ARN or a name.
pub async fn read_secret(aws: &Aws, id: &str) -> Result<SecretString, PortError> {
    secret_text(&Client::new(aws.sdk_config()), id).await
}

async fn secret_text(client: &Client, id: &str) -> Result<SecretString, PortError> {
    let read = client.get_secret_value().secret_id(id).send().await;
    let read = read.map_err(|error| failed(Disposition::Retry, without_payload(&error)))?;
    let text = read.secret_string.filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| failed(Disposition::DeadLetter, format!("the secret {id} has no text")))?;
    Ok(text.into())
}

fn failed(disposition: Disposition, why: String) -> PortError {
    PortError::new("read a secret", disposition, why)
}

/// The code and the message of an error of Secrets Manager. Not the error itself: when the SDK cannot parse a response, its
/// error contains the response, and so the secret.
pub(crate) fn without_payload(error: &impl ProvideErrorMetadata) -> String {
    format!("{}: {}", error.code().unwrap_or("no readable response"), error.message().unwrap_or_default())
}
