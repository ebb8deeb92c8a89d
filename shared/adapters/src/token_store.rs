//! Access tokens in Secrets Manager, with the leases on renewing them in the table: `token#<feed>`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use fundhook_domain::{Feed, Provider, Tenant, Timestamp, json_fault};
use fundhook_ports::{AccessTokens, Disposition, PortError, StoredToken};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::Aws;
use crate::leases::{Leases, TakenLease};
use crate::secret_store::without_payload;

/// The access tokens of Connect's API: one secret, a JSON object with an entry for each organization.
#[derive(Clone, Debug)]
pub struct TokenStore {
    secrets: Client,
    secret_id: String,
    leases: Leases,
}

/// Where the access tokens and their leases are stored.
#[derive(Clone, Debug)]
pub struct TokenStoreNames {
    /// The ARN or name of the secret with the tokens.
    pub secret_id: String,
    /// The table with the leases.
    pub table: String,
}

/// An entry of the secret.
#[derive(Serialize, Deserialize)]
struct Entry {
    access_token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl TokenStore {
    pub fn new(aws: &Aws, names: TokenStoreNames) -> Self {
        let TokenStoreNames { secret_id, table } = names;
        let leases = Leases::new(aws_sdk_dynamodb::Client::new(aws.sdk_config()), table);
        Self { secrets: Client::new(aws.sdk_config()), secret_id, leases }
    }

    async fn entries(&self) -> Result<BTreeMap<String, Entry>, PortError> {
        let failed = |why: String| PortError::new("read the access tokens", Disposition::Retry, why);
        let read = self.secrets.get_secret_value().secret_id(&self.secret_id).send().await;
        let read = read.map_err(|error| failed(without_payload(&error)))?;
        let text = read.secret_string.unwrap_or_default();
        // Unreadable tokens are worth nothing: new ones are requested and replace them.
        Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
            let (secret_id, error) = (&self.secret_id, json_fault(&error));
            tracing::warn!(secret_id, error, "access tokens in {secret_id} are unreadable; requesting new ones");
            BTreeMap::new()
        }))
    }
}

fn lease_pk(feed: &Feed) -> String {
    format!("token#{feed}")
}

/// The name of an organization's entry.
fn entry_name(feed: &Feed) -> &str {
    feed.tenant().map_or(Tenant::RESERVED, Tenant::as_str)
}

/// The feed of the entry `name`; `None` if it does not name a tenant.
pub(crate) fn feed_of_entry(name: &str) -> Option<Feed> {
    if name == Tenant::RESERVED {
        return Some(Provider::Connect.into());
    }
    name.parse().ok().map(|tenant| Feed::new(Provider::Connect, Some(tenant)))
}

impl AccessTokens for TokenStore {
    async fn load(&self) -> Result<BTreeMap<Feed, StoredToken>, PortError> {
        let token = |(name, entry): (String, Entry)| {
            let Entry { access_token, issued_at, expires_at } = entry;
            Some((feed_of_entry(&name)?, StoredToken { access_token: access_token.into(), issued_at, expires_at }))
        };
        Ok(self.entries().await?.into_iter().filter_map(token).collect())
    }

    async fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> Result<(), PortError> {
        let failed = |why: String| PortError::new("store access tokens", Disposition::Retry, why);
        let mut entries = self.entries().await?;
        for (feed, StoredToken { access_token, issued_at, expires_at }) in tokens {
            let access_token = access_token.expose_secret().to_owned();
            let entry = Entry { access_token, issued_at: *issued_at, expires_at: *expires_at };
            entries.insert(entry_name(feed).to_owned(), entry);
        }
        let text = serde_json::to_string(&entries).map_err(|error| failed(error.to_string()))?;
        let text = SecretString::from(text);
        let put = self.secrets.put_secret_value().secret_id(&self.secret_id).secret_string(text.expose_secret());
        put.send().await.map(|_| ()).map_err(|error| failed(without_payload(&error)))
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<bool, PortError> {
        Ok(matches!(self.leases.take(lease_pk(feed), now, duration).await?, TakenLease::Won))
    }

    async fn release(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<(), PortError> {
        self.leases.release(lease_pk(feed), now, duration).await
    }

    async fn back_off_until(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.leases.back_off_until(lease_pk(feed), until).await
    }
}
