//! Reads many items of the table by their keys.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use fundhook_domain::{Claim, ClaimKey, SimilarDeposits, SimilarKey};
use fundhook_ports::{Disposition, PortError};

use super::item::{self, PK};
use crate::why::{TABLE, why};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The keys that one `BatchGetItem` takes (DynamoDB quota).
const READS_MAX: usize = 100;

/// How many requests are made for keys that DynamoDB leaves unprocessed.
const ROUNDS_MAX: usize = 4;

/// The pause before a request for what DynamoDB left unprocessed because of throttling.
pub(crate) const UNPROCESSED_PAUSE: Duration = Duration::from_millis(100);

/// The items with these keys, in any order, without those that do not exist. `keys` must be distinct.
pub(crate) async fn batch(
    client: &Client,
    table: &str,
    keys: &[String],
    attempted: &'static str,
) -> Result<Vec<Item>, PortError> {
    let mut items = Vec::with_capacity(keys.len());
    for keys in keys.chunks(READS_MAX) {
        items.extend(chunk(client, table, keys, attempted).await?);
    }
    Ok(items)
}

/// The claims with these keys; one that does not exist has version 0.
pub(crate) async fn claims(client: &Client, table: &str, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
    let read = shared(client, table, keys, item::claim_key, "read the claims on coins", item::decode_claim).await?;
    Ok(read.into_iter().map(|(key, claim)| claim.unwrap_or_else(|| Claim::unclaimed(key))).collect())
}

/// What is remembered of similar deposits under these keys; what does not exist has version 0.
pub(crate) async fn similar(
    client: &Client,
    table: &str,
    keys: &[SimilarKey],
) -> Result<Vec<SimilarDeposits>, PortError> {
    let read = shared(client, table, keys, item::similar_key, "read similar deposits", item::decode_similar).await?;
    Ok(read.into_iter().map(|(key, similar)| similar.unwrap_or_else(|| SimilarDeposits::none(key))).collect())
}

/// What is stored under these keys, each in the item that `pk_of` names.
///
/// An item that cannot be read is an error. If it were skipped, a credited coin would look unclaimed.
async fn shared<K: Clone, T>(
    client: &Client,
    table: &str,
    keys: &[K],
    pk_of: impl Fn(&K) -> String,
    attempted: &'static str,
    decode: impl Fn(&Item) -> Option<T>,
) -> Result<Vec<(K, Option<T>)>, PortError> {
    let names: Vec<String> = keys.iter().map(&pk_of).collect();
    let mut found: HashMap<String, T> = HashMap::new();
    for item in batch(client, table, &names, attempted).await? {
        let pk = item.get(PK).and_then(|pk| pk.as_s().ok()).cloned().unwrap_or_default();
        let unreadable = || PortError::new(attempted, Disposition::DeadLetter, format!("the item {pk} is unreadable"));
        let read = decode(&item).ok_or_else(unreadable)?;
        found.insert(pk, read);
    }
    Ok(keys.iter().map(|key| (key.clone(), found.remove(&pk_of(key)))).collect())
}

async fn chunk(client: &Client, table: &str, keys: &[String], attempted: &'static str) -> Result<Vec<Item>, PortError> {
    let failed = |why: String| PortError::new(attempted, Disposition::Retry, why);
    let key = |key: &String| HashMap::from([(PK.to_owned(), AttributeValue::S(key.clone()))]);
    let keys = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys.iter().map(key).collect()));
    let keys = keys.build().map_err(|error| failed(error.to_string()))?;
    let mut wanted = Some(HashMap::from([(table.to_owned(), keys)]));
    let mut items = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let answer = client.batch_get_item().set_request_items(wanted.take()).send().await;
        let answer = answer.map_err(|error| failed(why(&error, TABLE)))?;
        items.extend(answer.responses.unwrap_or_default().into_values().flatten());
        wanted = answer.unprocessed_keys.filter(|keys| !keys.is_empty());
        if wanted.is_none() {
            return Ok(items);
        }
        tokio::time::sleep(UNPROCESSED_PAUSE).await;
    }
    Err(failed(format!("DynamoDB left keys unprocessed {ROUNDS_MAX} times")))
}
