//! Tables: what is in one, its backup, and a table that is restored from it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, StreamSpecification, StreamViewType, TableStatus};
use fundhook_adapters::ResourceTable;
use fundhook_domain::{Resource, ResourceId};
use fundhook_ports::Resources as _;

use crate::{Platform, eventually};

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

impl Platform {
    /// All items of a table.
    pub async fn items(&self, table: &str) -> Vec<Item> {
        let scan = self.clients().dynamodb.scan().table_name(table).consistent_read(true);
        let items = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.expect("the table answers")
    }

    /// All resources that are recorded in a table.
    pub async fn recorded_in(&self, table: &str) -> BTreeMap<ResourceId, Resource> {
        let keys = self.items(table).await.into_iter().filter_map(|item| item["pk"].as_s().ok()?.parse().ok());
        let keys: Vec<ResourceId> = keys.collect();
        let table = ResourceTable::new(self.aws(), table.to_owned());
        let mut recorded = BTreeMap::new();
        // As many as one call reads.
        for keys in keys.chunks(100) {
            let read = table.read(keys).await.expect("the table answers");
            recorded.extend(read.into_iter().map(|resource| (resource.id().clone(), resource)));
        }
        recorded
    }

    /// Backs a table up as it is now. Returns the ARN of the backup.
    ///
    /// The emulator has no memory of the past: what it restores to a point in time is the table as it is. So this is a backup
    /// on demand, which restores to a new table in the same way.
    pub async fn back_up(&self, table: &str) -> String {
        let backup = self.clients().dynamodb.create_backup().table_name(table).backup_name("before");
        let backup = backup.send().await.expect("the table is backed up");
        backup.backup_details.expect("details").backup_arn
    }

    /// Restores a backup to the new table `table` and enables its stream, as an operator does. Returns the ARN of the stream.
    pub async fn restore(&self, backup: &str, table: &str) -> String {
        let dynamodb = &self.clients().dynamodb;
        let restore = dynamodb.restore_table_from_backup().backup_arn(backup).target_table_name(table);
        restore.send().await.expect("the backup is restored");
        let describe = async || {
            let described = dynamodb.describe_table().table_name(table).send().await.expect("the table answers");
            described.table.expect("a description")
        };
        let restored =
            eventually("the table is restored", describe, |table| table.table_status == Some(TableStatus::Active));
        assert_eq!(restored.await.latest_stream_arn, None, "a restored table has no stream");
        let stream = StreamSpecification::builder().stream_enabled(true);
        let stream = stream.stream_view_type(StreamViewType::NewAndOldImages).build().expect("it is complete");
        let update = dynamodb.update_table().table_name(table).stream_specification(stream);
        update.send().await.expect("the stream is enabled");
        describe().await.latest_stream_arn.expect("the table has a stream")
    }

    /// Deletes a table.
    pub async fn delete_table(&self, table: &str) {
        self.clients().dynamodb.delete_table().table_name(table).send().await.expect("the table is deleted");
    }

    /// Replaces all items of a table, whose key has the attributes `key`.
    pub async fn replace_items(&self, table: &str, key: &[&str], items: &[Item]) {
        let dynamodb = &self.clients().dynamodb;
        for mut item in self.items(table).await {
            item.retain(|name, _| key.contains(&name.as_str()));
            let delete = dynamodb.delete_item().table_name(table).set_key(Some(item));
            delete.send().await.expect("the item is deleted");
        }
        for item in items {
            let put = dynamodb.put_item().table_name(table).set_item(Some(item.clone()));
            put.send().await.expect("the item is stored");
        }
    }
}
