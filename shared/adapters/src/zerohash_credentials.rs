//! The secret with the organizations' credentials for zerohash's API.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use fundhook_domain::{Feed, Provider, json_fault};
use fundhook_ports::{Disposition, PortError};
use fundhook_zerohash_api::{ApiSecret, Credentials, SecretEncoding};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::secret_store::without_payload;
use crate::token_store::feed_of_entry;

pub(crate) const READ_THE_CREDENTIALS: &str = "read the credentials for zerohash's API";

/// The form of the secret.
pub(crate) const FORM: &str = r#"{"default":{"api_key":"…","passphrase":"…","secret":"…"}}"#;

/// An entry of the secret.
#[derive(Deserialize)]
struct Entry {
    api_key: SecretString,
    passphrase: SecretString,
    secret: SecretString,
}

/// The entries of the secret.
#[derive(Debug)]
pub(crate) struct Entries {
    /// The credentials of each organization, or why its entry is invalid.
    pub(crate) of_feeds: BTreeMap<Feed, Result<Credentials, String>>,
    /// The names of the entries that do not name a tenant.
    pub(crate) of_none: Vec<String>,
}

impl Entries {
    fn parse(text: &SecretString, encoding: SecretEncoding) -> Result<Self, String> {
        let all: BTreeMap<String, Value> = serde_json::from_str(text.expose_secret())
            .map_err(|error| format!("the secret does not have the form {FORM}: {}", json_fault(&error)))?;
        let mut entries = Self { of_feeds: BTreeMap::new(), of_none: Vec::new() };
        for (name, entry) in all {
            let Some(feed) = feed_of_entry(&name).map(|feed| feed.of(Provider::Zerohash)) else {
                entries.of_none.push(name);
                continue;
            };
            let credentials = serde_json::from_value::<Entry>(entry).map_err(|error| json_fault(&error));
            let credentials = credentials.and_then(|Entry { api_key, passphrase, secret }| {
                let secret = ApiSecret::parse(&secret, encoding).map_err(|error| error.to_string())?;
                Ok(Credentials { api_key, passphrase, secret })
            });
            entries.of_feeds.insert(feed, credentials);
        }
        Ok(entries)
    }
}

/// Reads the secret with the credentials.
pub(crate) async fn read_entries(
    secrets: &Client,
    secret_id: &str,
    encoding: SecretEncoding,
) -> Result<Entries, PortError> {
    let failed = |disposition, why: String| PortError::new(READ_THE_CREDENTIALS, disposition, why);
    let read = secrets.get_secret_value().secret_id(secret_id).send().await;
    let read = read.map_err(|error| failed(Disposition::Retry, without_payload(&error)))?;
    let text = SecretString::from(read.secret_string.unwrap_or_default());
    Entries::parse(&text, encoding).map_err(|why| failed(Disposition::DeadLetter, why))
}
