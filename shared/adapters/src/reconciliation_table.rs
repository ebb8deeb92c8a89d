//! The items of reconciliation in the table, and the queries of its indexes.
//!
//! The items are `watermark#<list>`, `watermark#movements`, `report#<list>#<hour>` and, for what was published, `published#<resource>`. None has a
//! `version`, so the publisher ignores them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use fundhook_domain::{
    Claim, ClaimKey, Feed, Kind, ListId, ResourceId, SimilarDeposits, SimilarKey, Timestamp, json_fault,
};
use fundhook_ports::{
    AccountResources, Advance, Claims, Disposition, IndexEntry, IndexPage, MovementsMarks, OpenQuery, OpenResources,
    PortError, Receipts, Reports, SettledResources, Watermarks, chain,
};
use fundhook_reconciliation::{MovementsMark, Receipt, Report, Watermark};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Aws;
use crate::table::PK;
use crate::table::item::{self, OPEN, OPEN_SINCE, SETTLED, SETTLED_AT};
use crate::table::reads::{self, Item};
use crate::why::{TABLE, why};

/// The attribute with an item's content, a JSON text.
const CONTENT: &str = "content";
const REVISION: &str = "revision";

/// The key of the item that says how far movements were checked. No list has this name.
const MOVEMENTS_MARK: &str = "watermark#movements";

/// The items that one `BatchWriteItem` takes (DynamoDB quota).
const WRITES_MAX: usize = 25;
/// How many requests are made for items that DynamoDB leaves unprocessed.
const WRITE_ROUNDS_MAX: usize = 4;

/// The number of entries on a page of an index.
const INDEX_PAGE: i32 = 100;

/// Sorts before the text of every time.
const EARLIEST: &str = "0";

/// The items of reconciliation in Fundhook's table.
#[derive(Clone, Debug)]
pub struct ReconciliationTable {
    client: Client,
    table: String,
}

impl ReconciliationTable {
    pub fn new(aws: &Aws, table: String) -> Self {
        Self { client: Client::new(aws.sdk_config()), table }
    }

    async fn get<T: DeserializeOwned>(&self, pk: String, attempted: &'static str) -> Result<Option<T>, PortError> {
        let get = self.client.get_item().table_name(&self.table).key(PK, AttributeValue::S(pk)).consistent_read(true);
        let got = get.send().await.map_err(|error| failure(attempted, &error))?;
        got.item.map(|item| content(&item, attempted)).transpose()
    }

    /// Stores the item with `revision` if the stored one has the revision before it.
    async fn advance_item(&self, mut item: Item, revision: u64, attempted: &'static str) -> Result<Advance, PortError> {
        item.insert(REVISION.to_owned(), AttributeValue::N(revision.to_string()));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = match revision {
            0 | 1 => put.condition_expression(format!("attribute_not_exists({PK})")),
            revision => put
                .condition_expression(format!("{REVISION} = :read"))
                .expression_attribute_values(":read", AttributeValue::N((revision - 1).to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(Advance::Stored),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(Advance::Lost),
                _ => Err(failure(attempted, &error)),
            },
        }
    }

    fn query(&self, index: &str, partition: (&str, String)) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .expression_attribute_names("#partition", partition.0)
            .expression_attribute_values(":partition", AttributeValue::S(partition.1))
            .limit(INDEX_PAGE)
    }
}

fn failure<E, R>(attempted: &'static str, error: &SdkError<E, R>) -> PortError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    PortError::new(attempted, Disposition::Retry, why(error, TABLE))
}

fn item_of(pk: String, value: &impl Serialize, attempted: &'static str) -> Result<Item, PortError> {
    let text = serde_json::to_string(value);
    let text = text.map_err(|error| PortError::new(attempted, Disposition::DeadLetter, json_fault(&error)))?;
    Ok(HashMap::from([(PK.to_owned(), AttributeValue::S(pk)), (CONTENT.to_owned(), AttributeValue::S(text))]))
}

fn content<T: DeserializeOwned>(item: &Item, attempted: &'static str) -> Result<T, PortError> {
    let unreadable = |why: String| {
        let pk = item.get(PK).and_then(|pk| pk.as_s().ok()).map_or("an item without a key", String::as_str);
        PortError::new(attempted, Disposition::DeadLetter, format!("{pk}: {why}"))
    };
    let text = item.get(CONTENT).and_then(|text| text.as_s().ok());
    let text = text.ok_or_else(|| unreadable(format!("the attribute `{CONTENT}` is missing or not a text")))?;
    serde_json::from_str(text).map_err(|error| unreadable(json_fault(&error)))
}

/// The resource that an entry of an index names. An entry that names none is logged and skipped.
fn resource(item: &Item) -> Option<ResourceId> {
    let pk = item.get(PK).and_then(|pk| pk.as_s().ok());
    let named = pk.and_then(|pk| pk.parse().ok());
    if named.is_none() {
        tracing::error!(pk, "index entry {pk:?} does not name a resource; skipping it");
    }
    named
}

/// The resources on all pages of `query`.
async fn all_pages(query: QueryFluentBuilder, attempted: &'static str) -> Result<Vec<ResourceId>, PortError> {
    let (mut all, mut start) = (Vec::new(), None);
    loop {
        let page = query.clone().set_exclusive_start_key(start).send().await;
        let page = page.map_err(|error| failure(attempted, &error))?;
        all.extend(page.items.unwrap_or_default().iter().filter_map(resource));
        start = page.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            return Ok(all);
        }
    }
}

impl Watermarks for ReconciliationTable {
    async fn load(&self, list: &ListId) -> Result<Option<Watermark>, PortError> {
        self.get(watermark_key(list), "read the watermark").await
    }

    async fn advance(&self, list: &ListId, to: &Watermark) -> Result<Advance, PortError> {
        const ATTEMPTED: &str = "move the watermark";
        self.advance_item(item_of(watermark_key(list), to, ATTEMPTED)?, to.revision, ATTEMPTED).await
    }
}

impl MovementsMarks for ReconciliationTable {
    async fn movements_mark(&self) -> Result<Option<MovementsMark>, PortError> {
        self.get(MOVEMENTS_MARK.to_owned(), "read how far movements were checked").await
    }

    async fn advance_movements_mark(&self, to: &MovementsMark) -> Result<Advance, PortError> {
        const ATTEMPTED: &str = "store how far movements were checked";
        self.advance_item(item_of(MOVEMENTS_MARK.to_owned(), to, ATTEMPTED)?, to.revision, ATTEMPTED).await
    }
}

fn watermark_key(list: &ListId) -> String {
    format!("watermark#{list}")
}

impl Reports for ReconciliationTable {
    async fn put(&self, report: &Report) -> Result<(), PortError> {
        const ATTEMPTED: &str = "store a report";
        let item = item_of(report_key(&report.list_id(), report.from), report, ATTEMPTED)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| failure(ATTEMPTED, &error))
    }

    async fn of_day(&self, list: &ListId, day: Timestamp) -> Result<Vec<Report>, PortError> {
        const ATTEMPTED: &str = "read the reports of a day";
        let hours = (0..24).map(|hour| day.plus(Duration::from_secs(hour * 3600)));
        let keys: Vec<String> = hours.map(|hour| report_key(list, hour)).collect();
        let items = reads::batch(&self.client, &self.table, &keys, ATTEMPTED).await?;
        let mut reports: Vec<Report> =
            items.iter().map(|item| content(item, ATTEMPTED)).collect::<Result<_, PortError>>()?;
        reports.sort_by_key(|report| report.from);
        Ok(reports)
    }
}

fn report_key(list: &ListId, from: Timestamp) -> String {
    format!("report#{list}#{}", from.hour())
}

impl OpenResources for ReconciliationTable {
    async fn open(&self, query: OpenQuery<'_>) -> Result<IndexPage, PortError> {
        const ATTEMPTED: &str = "read the index of open resources";
        let partition = item::open_partition(query.kind, query.overdue);
        let from = query.from.map_or_else(|| EARLIEST.to_owned(), Timestamp::sortable);
        // BETWEEN includes both ends. Times have a resolution of one nanosecond.
        let last = query.before.minus(Duration::from_nanos(1)).sortable();
        let start = query.after.and_then(|after| {
            // DynamoDB rejects a start key outside of the queried range.
            let (since, pk) = after.split_once(' ').filter(|(since, _)| *since >= from.as_str())?;
            let text = |text: &str| AttributeValue::S(text.to_owned());
            Some(HashMap::from([
                (PK.to_owned(), text(pk)),
                (OPEN.to_owned(), text(&partition)),
                (OPEN_SINCE.to_owned(), text(since)),
            ]))
        });
        let page = self
            .query(OPEN, (OPEN, partition.clone()))
            .limit(i32::from(query.limit))
            .key_condition_expression(format!("#partition = :partition AND {OPEN_SINCE} BETWEEN :from AND :last"))
            .expression_attribute_values(":from", AttributeValue::S(from.clone()))
            .expression_attribute_values(":last", AttributeValue::S(last))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| failure(ATTEMPTED, &error))?;
        let entry = |item: &Item| {
            let since = item.get(OPEN_SINCE).and_then(|since| since.as_s().ok())?;
            resource(item).map(|resource| IndexEntry { cursor: format!("{since} {resource}"), resource })
        };
        let is_last = page.last_evaluated_key.is_none_or(|key| key.is_empty());
        Ok(IndexPage { entries: page.items.unwrap_or_default().iter().filter_map(entry).collect(), is_last })
    }
}

impl SettledResources for ReconciliationTable {
    async fn settled(
        &self,
        feed: &Feed,
        kind: Kind,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<ResourceId>, PortError> {
        let last = before.minus(Duration::from_nanos(1));
        let query = self
            .query(SETTLED, (SETTLED, item::settled_partition(feed, kind, from)))
            .key_condition_expression(format!("#partition = :partition AND {SETTLED_AT} BETWEEN :from AND :last"))
            .expression_attribute_values(":from", AttributeValue::S(from.sortable()))
            .expression_attribute_values(":last", AttributeValue::S(last.sortable()));
        all_pages(query, "read what was confirmed in an hour").await
    }
}

impl AccountResources for ReconciliationTable {
    async fn of_account(&self, account: &str, since: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        let query = self
            .query("by-account", ("account", account.to_owned()))
            .key_condition_expression("#partition = :partition AND updated_at >= :since")
            .expression_attribute_values(":since", AttributeValue::S(since.sortable()));
        all_pages(query, "read the resources about a user").await
    }
}

impl Claims for ReconciliationTable {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        reads::claims(&self.client, &self.table, keys).await
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        reads::similar(&self.client, &self.table, keys).await
    }
}

impl Receipts for ReconciliationTable {
    async fn note(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        const ATTEMPTED: &str = "record what was published";
        // One request must not name an item twice.
        let mut latest: BTreeMap<&ResourceId, &Receipt> = BTreeMap::new();
        for receipt in receipts {
            let known = latest.entry(&receipt.resource).or_insert(receipt);
            if receipt.sequence() >= known.sequence() {
                *known = receipt;
            }
        }
        let resources: Vec<ResourceId> = latest.keys().map(|id| (*id).clone()).collect();
        let keys: Vec<String> = resources.iter().map(receipt_key).collect();
        for item in reads::batch(&self.client, &self.table, &keys, ATTEMPTED).await? {
            let stored: Receipt = match content(&item, ATTEMPTED) {
                Ok(stored) => stored,
                Err(unreadable) => {
                    tracing::warn!(error = chain(&unreadable), "a stored receipt cannot be read; it is replaced");
                    continue;
                }
            };
            latest.retain(|id, receipt| **id != stored.resource || receipt.sequence() >= stored.sequence());
        }
        let items: Result<Vec<Item>, PortError> =
            latest.into_iter().map(|(id, receipt)| item_of(receipt_key(id), receipt, ATTEMPTED)).collect();
        let requests: Result<Vec<WriteRequest>, _> = items?
            .into_iter()
            .map(|item| PutRequest::builder().set_item(Some(item)).build())
            .map(|put| put.map(|put| WriteRequest::builder().put_request(put).build()))
            .collect();
        let requests =
            requests.map_err(|error| PortError::new(ATTEMPTED, Disposition::DeadLetter, error.to_string()))?;
        for requests in requests.chunks(WRITES_MAX) {
            let mut left = Some(HashMap::from([(self.table.clone(), requests.to_vec())]));
            for _ in 0..WRITE_ROUNDS_MAX {
                let written = self.client.batch_write_item().set_request_items(left.take()).send().await;
                let written = written.map_err(|error| failure(ATTEMPTED, &error))?;
                left = written.unprocessed_items.filter(|items| !items.is_empty());
                if left.is_none() {
                    break;
                }
                tokio::time::sleep(reads::UNPROCESSED_PAUSE).await;
            }
            if left.is_some() {
                let why = format!("DynamoDB left items unprocessed {WRITE_ROUNDS_MAX} times");
                return Err(PortError::new(ATTEMPTED, Disposition::Retry, why));
            }
        }
        Ok(())
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        const ATTEMPTED: &str = "read what was published";
        let keys: Vec<String> = resources.iter().map(receipt_key).collect();
        let items = reads::batch(&self.client, &self.table, &keys, ATTEMPTED).await?;
        items.iter().map(|item| content(item, ATTEMPTED)).collect()
    }
}

fn receipt_key(resource: &ResourceId) -> String {
    format!("published#{resource}")
}
