//! Key sets in the table.
//!
//! `keys#<feed>` is the feed's current key set, with the lease on fetching the next one. `keys#<feed>#<fingerprint>` is a
//! key set that was published at some time. `keys#<feed>#key#<thumbprint>` is the key set in which a key was last seen, so
//! that evidence that names the key can be verified long after the key was retired.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{CLOCK_SKEW_MAX, Disposition, KeySets, Lease, PortError, StoredKeySet};
use futures_util::future::join_all;

use crate::Aws;
use crate::leases::{Leases, TakenLease};
use crate::table::PK;
use crate::table::reads::Item;
use crate::why::{TABLE, why};

/// A key that was published at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenKey {
    /// The key set in which it was last seen.
    pub jwks: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
}

/// The key sets in Fundhook's table.
#[derive(Clone, Debug)]
pub struct KeySetTable {
    client: Client,
    table: String,
    leases: Leases,
}

impl KeySetTable {
    pub fn new(aws: &Aws, table: String) -> Self {
        let client = Client::new(aws.sdk_config());
        Self { leases: Leases::new(client.clone(), table.clone()), client, table }
    }

    /// The key set in which the feed's key `thumbprint` was last seen, if it ever was. For old evidence only: a new webhook
    /// is never verified with it.
    pub async fn seen(&self, feed: &Feed, thumbprint: &str) -> Result<Option<SeenKey>, PortError> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key(PK, AttributeValue::S(seen_key_pk(feed, thumbprint)));
        let item = get.send().await.map_err(|error| failure("read the history of keys", &error))?.item;
        Ok(item.as_ref().and_then(decode_seen_key))
    }

    /// Records `set` and its keys in the history. This happens first, so that no key set is current without being in the
    /// history.
    async fn record_in_history(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        let of_set = format!("{}#{}", current_pk(feed), set.fingerprint);
        let of_keys = set.thumbprints.iter().map(|thumbprint| seen_key_pk(feed, thumbprint));
        let recorded = join_all(std::iter::once(of_set).chain(of_keys).map(|pk| self.record_seen(pk, set))).await;
        recorded.into_iter().collect()
    }

    async fn record_seen(&self, pk: String, set: &StoredKeySet) -> Result<(), PortError> {
        let recorded = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, AttributeValue::S(pk))
            .update_expression("SET jwks = :jwks, first_seen = if_not_exists(first_seen, :at), last_seen = :at")
            // A time that a clock far ahead of ours has written is replaced.
            .condition_expression("attribute_not_exists(last_seen) OR last_seen < :at OR last_seen > :ahead")
            .expression_attribute_values(":jwks", AttributeValue::S(set.jwks.clone()))
            .expression_attribute_values(":at", AttributeValue::S(set.fetched_at.sortable()))
            .expression_attribute_values(":ahead", AttributeValue::S(set.fetched_at.plus(CLOCK_SKEW_MAX).sortable()))
            .send()
            .await;
        stored_unless_later("record a key set in the history", recorded.map(|_| ()))
    }
}

impl KeySets for KeySetTable {
    async fn load(&self, feed: &Feed) -> Result<Option<StoredKeySet>, PortError> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key(PK, AttributeValue::S(current_pk(feed))).consistent_read(true);
        let item = get.send().await.map_err(|error| failure("read the key set", &error))?.item;
        Ok(item.as_ref().and_then(decode_key_set))
    }

    async fn store(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        self.record_in_history(feed, set).await?;
        let thumbprints = set.thumbprints.iter().cloned().map(AttributeValue::S).collect();
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, AttributeValue::S(current_pk(feed)))
            .update_expression(
                "SET jwks = :jwks, fingerprint = :fingerprint, thumbprints = :thumbprints, fetched_at = :at, \
                 fresh_until = :fresh, etag = :etag, jwks_url = :url REMOVE not_before",
            )
            // A key set that a clock far ahead of ours has fetched is replaced.
            .condition_expression("attribute_not_exists(fetched_at) OR fetched_at < :at OR fetched_at > :ahead")
            .expression_attribute_values(":jwks", AttributeValue::S(set.jwks.clone()))
            .expression_attribute_values(":fingerprint", AttributeValue::S(set.fingerprint.clone()))
            .expression_attribute_values(":thumbprints", AttributeValue::L(thumbprints))
            .expression_attribute_values(":at", AttributeValue::S(set.fetched_at.sortable()))
            .expression_attribute_values(":ahead", AttributeValue::S(set.fetched_at.plus(CLOCK_SKEW_MAX).sortable()))
            .expression_attribute_values(":fresh", AttributeValue::S(set.fresh_until.sortable()))
            .expression_attribute_values(":etag", AttributeValue::S(set.etag.clone().unwrap_or_default()))
            .expression_attribute_values(":url", AttributeValue::S(set.url.clone().unwrap_or_default()))
            .send()
            .await;
        stored_unless_later("store the key set", written.map(|_| ()))
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        Ok(match self.leases.take(current_pk(feed), now, cooldown).await? {
            TakenLease::Won => Lease::Won,
            TakenLease::Lost(item) => Lease::Lost(item.as_ref().and_then(decode_key_set)),
        })
    }

    async fn back_off_until(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.leases.back_off_until(current_pk(feed), until).await
    }
}

fn current_pk(feed: &Feed) -> String {
    format!("keys#{feed}")
}

fn seen_key_pk(feed: &Feed, thumbprint: &str) -> String {
    format!("{}#key#{thumbprint}", current_pk(feed))
}

/// An update whose condition failed found a later fetch in the table, which is as good as its own.
fn stored_unless_later<R: std::fmt::Debug>(
    attempted: &'static str,
    updated: Result<(), SdkError<UpdateItemError, R>>,
) -> Result<(), PortError> {
    let Err(error) = updated else { return Ok(()) };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
        _ => Err(failure(attempted, &error)),
    }
}

fn decode_key_set(item: &Item) -> Option<StoredKeySet> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let fetched_at: Timestamp = text("fetched_at")?.parse().ok()?;
    let thumbprints = item.get("thumbprints").and_then(|all| all.as_l().ok()).into_iter().flatten();
    Some(StoredKeySet {
        jwks: text("jwks")?.clone(),
        fingerprint: text("fingerprint")?.clone(),
        thumbprints: thumbprints.filter_map(|text| text.as_s().ok().cloned()).collect(),
        fetched_at,
        // Without this attribute the key set is due.
        fresh_until: text("fresh_until").and_then(|at| at.parse().ok()).unwrap_or(fetched_at),
        etag: text("etag").filter(|etag| !etag.is_empty()).cloned(),
        url: text("jwks_url").filter(|url| !url.is_empty()).cloned(),
        not_before: text("not_before").and_then(|at| at.parse().ok()),
    })
}

fn decode_seen_key(item: &Item) -> Option<SeenKey> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    Some(SeenKey {
        jwks: text("jwks")?.clone(),
        first_seen: text("first_seen")?.parse().ok()?,
        last_seen: text("last_seen")?.parse().ok()?,
    })
}

fn failure<E, R>(attempted: &'static str, error: &SdkError<E, R>) -> PortError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    PortError::new(attempted, Disposition::Retry, why(error, TABLE))
}
