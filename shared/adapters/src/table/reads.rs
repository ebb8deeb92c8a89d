//! Reads many items of the table by their keys.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use fundhook_ports::{Disposition, PortError};

use super::item::PK;

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

async fn chunk(client: &Client, table: &str, keys: &[String], attempted: &'static str) -> Result<Vec<Item>, PortError> {
    let failed = |why: String| PortError::new(attempted, Disposition::Retry, why);
    let key = |key: &String| HashMap::from([(PK.to_owned(), AttributeValue::S(key.clone()))]);
    let keys = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys.iter().map(key).collect()));
    let keys = keys.build().map_err(|error| failed(error.to_string()))?;
    let mut wanted = Some(HashMap::from([(table.to_owned(), keys)]));
    let mut items = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let answer = client.batch_get_item().set_request_items(wanted.take()).send().await;
        let answer = answer.map_err(|error| failed(DisplayErrorContext(&error).to_string()))?;
        items.extend(answer.responses.unwrap_or_default().into_values().flatten());
        wanted = answer.unprocessed_keys.filter(|keys| !keys.is_empty());
        if wanted.is_none() {
            return Ok(items);
        }
        tokio::time::sleep(UNPROCESSED_PAUSE).await;
    }
    Err(failed(format!("DynamoDB left keys unprocessed {ROUNDS_MAX} times")))
}
