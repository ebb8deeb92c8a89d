//! Access tokens in Secrets Manager, and the leases on renewing them in the table: `token#<feed>`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use fundhook_domain::{Feed, Provider, Tenant, Timestamp};
use fundhook_ports::{AccessTokens, Disposition, PortError, StoredToken};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::Aws;
use crate::key_sets::{lease, leave_alone};
use crate::secrets::told;

/// The item of the lease on the feed's token.
fn lease_key(feed: &Feed) -> String {
    format!("token#{feed}")
}

/// The access tokens of Connect's API: one secret, a JSON object with an entry for each organization.
#[derive(Clone, Debug)]
pub struct TokenStore {
    secrets: Client,
    secret_id: String,
    table_client: aws_sdk_dynamodb::Client,
    table: String,
}

/// An entry of the secret.
#[derive(Serialize, Deserialize)]
struct Entry {
    access_token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl TokenStore {
    /// The tokens in the secret `secret_id`, with their lease in `table`.
    pub fn new(aws: &Aws, secret_id: String, table: String) -> Self {
        let (secrets, table_client) = (Client::new(aws.sdk_config()), aws_sdk_dynamodb::Client::new(aws.sdk_config()));
        Self { secrets, secret_id, table_client, table }
    }

    async fn entries(&self) -> Result<BTreeMap<String, Entry>, PortError> {
        let failed = |why: String| PortError::new("read the access tokens", Disposition::Retry, why);
        let read = self.secrets.get_secret_value().secret_id(&self.secret_id).send().await;
        // Not the error itself: of an answer that it cannot read it shows the bytes.
        let read = read.map_err(|error| failed(told(error.code(), error.message())))?;
        let text = read.secret_string.unwrap_or_default();
        // What cannot be read holds no token that is worth keeping: new ones are had, and stored in its place.
        Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(error = fundhook_domain::json_fault(&error), "the stored access tokens are unreadable");
            BTreeMap::new()
        }))
    }
}

/// The name of an organization's entry.
fn entry_name(feed: &Feed) -> &str {
    feed.tenant().map_or(Tenant::RESERVED, Tenant::as_str)
}

/// The feed whose entry bears this name.
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
        put.send().await.map(|_| ()).map_err(|error| failed(told(error.code(), error.message())))
    }

    async fn release(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<(), PortError> {
        let released = self
            .table_client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(lease_key(feed)))
            .update_expression("REMOVE refetch_after")
            .condition_expression("refetch_after = :until")
            .expression_attribute_values(":until", AttributeValue::S(now.plus(duration).sortable()))
            .send()
            .await;
        match released {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // It has ended, and somebody else has the next one.
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => {
                    let why = aws_sdk_dynamodb::error::DisplayErrorContext(&error).to_string();
                    Err(PortError::new("give back the lease on renewing access tokens", Disposition::Retry, why))
                }
            },
        }
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<bool, PortError> {
        match lease(&self.table_client, &self.table, lease_key(feed), now, duration).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => {
                    let why = aws_sdk_dynamodb::error::DisplayErrorContext(&error).to_string();
                    Err(PortError::new("take the lease on renewing access tokens", Disposition::Retry, why))
                }
            },
        }
    }

    async fn leave_alone(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        leave_alone(&self.table_client, &self.table, lease_key(feed), until).await
    }
}
