//! Key sets in the table: `keys#<feed>` is the current one, `keys#<feed>#<fingerprint>` each ever seen, and
//! `keys#<feed>#key#<thumbprint>` the set that each key was last seen in, so that evidence that names a key can be verified
//! again long after the key was retired.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{CLOCKS_DIFFER_MAX, Disposition, KeySets, LEFT_ALONE_MAX, Lease, PortError, StoredKeySet};
use futures_util::future::join_all;

use crate::Aws;

/// A key that was published at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenKey {
    /// The set that it was last seen in.
    pub jwks: String,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
}

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

    /// The set in which the key `thumbprint` of the feed was last seen, if it ever was: for old evidence, and never for a
    /// new webhook.
    pub async fn seen(&self, feed: &Feed, thumbprint: &str) -> Result<Option<SeenKey>, PortError> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key("pk", AttributeValue::S(sight_of_key(feed, thumbprint)));
        let item = get.send().await.map_err(|error| failure("read the history of keys", &error))?.item;
        Ok(item.as_ref().and_then(seen))
    }

    /// Notes in the history that `set` and its keys were seen. First, so that no set is ever current without being in the
    /// history.
    async fn note_sights(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        let of_set = format!("{}#{}", current_key(feed), set.fingerprint);
        let of_keys = set.thumbprints.iter().map(|thumbprint| sight_of_key(feed, thumbprint));
        let noted = join_all(std::iter::once(of_set).chain(of_keys).map(|pk| self.note_sight(pk, set))).await;
        noted.into_iter().collect()
    }

    async fn note_sight(&self, pk: String, set: &StoredKeySet) -> Result<(), PortError> {
        let noted = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk))
            .update_expression("SET jwks = :jwks, first_seen = if_not_exists(first_seen, :at), last_seen = :at")
            // What a clock far ahead of ours saw does not keep it from being seen again.
            .condition_expression("attribute_not_exists(last_seen) OR last_seen < :at OR last_seen > :ahead")
            .expression_attribute_values(":jwks", AttributeValue::S(set.jwks.clone()))
            .expression_attribute_values(":at", AttributeValue::S(set.fetched_at.sortable()))
            .expression_attribute_values(":ahead", AttributeValue::S(set.fetched_at.plus(CLOCKS_DIFFER_MAX).sortable()))
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
        self.note_sights(feed, set).await?;
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(current_key(feed)))
            .update_expression(
                "SET jwks = :jwks, fingerprint = :fingerprint, thumbprints = :thumbprints, fetched_at = :at, \
                 fresh_until = :fresh, etag = :etag, jwks_url = :url REMOVE not_before",
            )
            // A set that was fetched by a clock far ahead of ours does not stay for ever.
            .condition_expression("attribute_not_exists(fetched_at) OR fetched_at < :at OR fetched_at > :ahead")
            .expression_attribute_values(":jwks", AttributeValue::S(set.jwks.clone()))
            .expression_attribute_values(":fingerprint", AttributeValue::S(set.fingerprint.clone()))
            .expression_attribute_values(":thumbprints", texts(&set.thumbprints))
            .expression_attribute_values(":at", AttributeValue::S(set.fetched_at.sortable()))
            .expression_attribute_values(":ahead", AttributeValue::S(set.fetched_at.plus(CLOCKS_DIFFER_MAX).sortable()))
            .expression_attribute_values(":fresh", AttributeValue::S(set.fresh_until.sortable()))
            .expression_attribute_values(":etag", AttributeValue::S(set.etag.clone().unwrap_or_default()))
            .expression_attribute_values(":url", AttributeValue::S(set.url.clone().unwrap_or_default()))
            .send()
            .await;
        stored_unless_later("store the key set", written.map(|_| ()))
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        let asked = lease(&self.client, &self.table, current_key(feed), now, cooldown);
        match asked.send().await {
            Ok(_) => Ok(Lease::Won),
            Err(error) => match condition_failure(&error) {
                Some(current) => Ok(Lease::Lost(current)),
                None => Err(failure("take the lease on fetching keys", &error)),
            },
        }
    }

    async fn leave_alone(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        leave_alone(&self.client, &self.table, current_key(feed), until).await
    }
}

/// Notes in the item `pk` that its lease is not to be given before `until`.
pub(crate) async fn leave_alone(client: &Client, table: &str, pk: String, until: Timestamp) -> Result<(), PortError> {
    let update = client.update_item().table_name(table).key("pk", AttributeValue::S(pk));
    let update = update.update_expression("SET not_before = :until");
    let update = update.expression_attribute_values(":until", AttributeValue::S(until.sortable()));
    let noted = update.send().await.map(|_| ());
    noted.map_err(|error| failure("note that the provider is to be left alone", &error))
}

/// A request for the lease in the item `pk` from `now` on for `duration`. It fails while somebody else has it, and while the
/// provider is to be left alone; what ends later than any that is made now, by more than clocks differ, was made by a clock
/// that is off, and counts for nothing.
pub(crate) fn lease(
    client: &Client,
    table: &str,
    pk: String,
    now: Timestamp,
    duration: Duration,
) -> UpdateItemFluentBuilder {
    client
        .update_item()
        .table_name(table)
        .key("pk", AttributeValue::S(pk))
        .update_expression("SET refetch_after = :until")
        .condition_expression(
            "(attribute_not_exists(refetch_after) OR refetch_after <= :now OR refetch_after > :ahead) \
             AND (attribute_not_exists(not_before) OR not_before <= :now OR not_before > :far)",
        )
        .expression_attribute_values(":until", AttributeValue::S(now.plus(duration).sortable()))
        .expression_attribute_values(":ahead", AttributeValue::S(now.plus(duration).plus(CLOCKS_DIFFER_MAX).sortable()))
        .expression_attribute_values(
            ":far",
            AttributeValue::S(now.plus(LEFT_ALONE_MAX).plus(CLOCKS_DIFFER_MAX).sortable()),
        )
        .expression_attribute_values(":now", AttributeValue::S(now.sortable()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

fn sight_of_key(feed: &Feed, thumbprint: &str) -> String {
    format!("{}#key#{thumbprint}", current_key(feed))
}

fn texts(all: &[String]) -> AttributeValue {
    AttributeValue::L(all.iter().cloned().map(AttributeValue::S).collect())
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
    let fetched_at: Timestamp = text("fetched_at")?.parse().ok()?;
    let thumbprints = item.get("thumbprints").and_then(|all| all.as_l().ok()).into_iter().flatten();
    Some(StoredKeySet {
        jwks: text("jwks")?.clone(),
        fingerprint: text("fingerprint")?.clone(),
        thumbprints: thumbprints.filter_map(|text| text.as_s().ok().cloned()).collect(),
        fetched_at,
        // One that was stored before sets had a time of their own is due.
        fresh_until: text("fresh_until").and_then(|at| at.parse().ok()).unwrap_or(fetched_at),
        etag: text("etag").filter(|etag| !etag.is_empty()).cloned(),
        url: text("jwks_url").filter(|url| !url.is_empty()).cloned(),
        not_before: text("not_before").and_then(|at| at.parse().ok()),
    })
}

fn seen(item: &HashMap<String, AttributeValue>) -> Option<SeenKey> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    Some(SeenKey {
        jwks: text("jwks")?.clone(),
        first_seen: text("first_seen")?.parse().ok()?,
        last_seen: text("last_seen")?.parse().ok()?,
    })
}

fn failure<E: std::error::Error>(attempted: &'static str, error: &E) -> PortError {
    PortError::new(attempted, Disposition::Retry, DisplayErrorContext(error).to_string())
}
