//! Key sets in the table: `keys#<feed>` is the current one, `keys#<feed>#<fingerprint>` each ever seen.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use fundhook_domain::port::{Disposition, KeySets, Lease, PortError, StoredKeySet};
use fundhook_domain::{Feed, Timestamp};

use crate::Aws;

/// The key sets in Fundhook's table.
#[derive(Clone, Debug)]
pub struct KeySetTable {
    client: Client,
    table: String,
}

impl KeySetTable {
    /// The key sets in `table`.
    pub fn new(aws: &Aws, table: String) -> Self {
        Self { client: Client::new(aws.sdk_config()), table }
    }

    /// Notes in the history that `set` was seen. First, so that no set is ever current without being in the history.
    async fn note_sight(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        let noted = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(format!("{}#{}", current_key(feed), set.fingerprint)))
            .update_expression("SET jwks = :jwks, first_seen = if_not_exists(first_seen, :at), last_seen = :at")
            .condition_expression("attribute_not_exists(last_seen) OR last_seen < :at")
            .expression_attribute_values(":jwks", AttributeValue::S(set.jwks.clone()))
            .expression_attribute_values(":at", AttributeValue::S(set.fetched_at.sortable()))
            .send()
            .await;
        stored_unless_later("note a key set in the history", noted.map(|_| ()))
    }
}

impl KeySets for KeySetTable {
    async fn load(&self, feed: &Feed) -> Result<Option<StoredKeySet>, PortError> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key("pk", AttributeValue::S(current_key(feed))).consistent_read(true);
        let item = get.send().await.map_err(|error| failure("read the key set", &error))?.item;
        Ok(item.as_ref().and_then(stored))
    }

    async fn store(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        self.note_sight(feed, set).await?;
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(current_key(feed)))
            .update_expression("SET jwks = :jwks, fingerprint = :fingerprint, fetched_at = :at")
            .condition_expression("attribute_not_exists(fetched_at) OR fetched_at < :at")
            .expression_attribute_values(":jwks", AttributeValue::S(set.jwks.clone()))
            .expression_attribute_values(":fingerprint", AttributeValue::S(set.fingerprint.clone()))
            .expression_attribute_values(":at", AttributeValue::S(set.fetched_at.sortable()))
            .send()
            .await;
        stored_unless_later("store the key set", written.map(|_| ()))
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        let asked = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(current_key(feed)))
            .update_expression("SET refetch_after = :until")
            .condition_expression("attribute_not_exists(refetch_after) OR refetch_after <= :now")
            .expression_attribute_values(":until", AttributeValue::S(now.plus(cooldown).sortable()))
            .expression_attribute_values(":now", AttributeValue::S(now.sortable()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match asked {
            Ok(_) => Ok(Lease::Won),
            Err(error) => match condition_failure(&error) {
                Some(current) => Ok(Lease::Lost(current)),
                None => Err(failure("take the lease on fetching keys", &error)),
            },
        }
    }
}

fn current_key(feed: &Feed) -> String {
    format!("keys#{feed}")
}

/// An update whose condition failed found that a later fetch is stored already, which is just as good.
fn stored_unless_later<R: std::fmt::Debug>(
    attempted: &'static str,
    updated: Result<(), SdkError<UpdateItemError, R>>,
) -> Result<(), PortError> {
    match updated {
        Err(error) if condition_failure(&error).is_none() => Err(failure(attempted, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// When the condition of an update failed: the key set that is stored, if there is one.
fn condition_failure<R>(error: &SdkError<UpdateItemError, R>) -> Option<Option<StoredKeySet>> {
    if let UpdateItemError::ConditionalCheckFailedException(failed) = error.as_service_error()? {
        Some(failed.item().and_then(stored))
    } else {
        None
    }
}

fn stored(item: &HashMap<String, AttributeValue>) -> Option<StoredKeySet> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    Some(StoredKeySet {
        jwks: text("jwks")?.clone(),
        fingerprint: text("fingerprint")?.clone(),
        fetched_at: text("fetched_at")?.parse().ok()?,
    })
}

fn failure<E: std::error::Error>(attempted: &'static str, error: &E) -> PortError {
    PortError::new(attempted, Disposition::Retry, DisplayErrorContext(error).to_string())
}
