//! Items as they are stored, for an operator's commands: by their keys, or by a scan of the whole table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::{ResourceId, Timestamp};
use fundhook_ports::{Disposition, ItemPage, ItemsOf, PortError, StoredItem, StoredItems, UnreadableItem, chain};

use super::ResourceTable;
use super::item::{ItemError, PAGES, PK, UPDATED_AT, texts_of};
use super::reads;
use crate::why::{TABLE, why};

const SCAN: &str = "scan the table";

impl StoredItems for ResourceTable {
    async fn items(&self, ids: &[ResourceId]) -> Result<ItemPage, PortError> {
        let keys: Vec<String> = ids.iter().map(ToString::to_string).collect();
        Ok(page_of(&reads::batch(&self.client, &self.table, &keys, "read items from the table").await?))
    }

    async fn scan(&self, which: ItemsOf, from: Option<String>) -> Result<ItemPage, PortError> {
        // Only resources have a version.
        let scan = self.client.scan().table_name(&self.table).projection_expression("pk, updated_at, pages, facts");
        let scan = match which {
            ItemsOf::WrittenSince(since) => scan
                .filter_expression("attribute_exists(version) AND updated_at >= :since")
                .expression_attribute_values(":since", AttributeValue::S(since.sortable())),
            ItemsOf::Kind(kind) => scan
                .filter_expression("attribute_exists(version) AND kind = :kind")
                .expression_attribute_values(":kind", AttributeValue::S(kind.as_str().to_owned())),
        };
        let from = from.map(|pk| HashMap::from([(PK.to_owned(), AttributeValue::S(pk))]));
        let page = scan.set_exclusive_start_key(from).send().await;
        let page = page.map_err(|error| PortError::new(SCAN, Disposition::Retry, why(&error, TABLE)))?;
        let next = page.last_evaluated_key.and_then(|key| key.get(PK)?.as_s().ok().cloned());
        Ok(ItemPage { next, ..page_of(&page.items.unwrap_or_default()) })
    }
}

fn page_of(items: &[reads::Item]) -> ItemPage {
    let mut page = ItemPage::default();
    for item in items {
        match stored(item) {
            Ok(item) => page.items.push(item),
            Err(error) => {
                let key = item.get(PK).and_then(|pk| pk.as_s().ok()).cloned().unwrap_or_default();
                page.unreadable.push(UnreadableItem { key, why: chain(&error) });
            }
        }
    }
    page
}

fn stored(item: &reads::Item) -> Result<StoredItem, ItemError> {
    let text = |name| item.get(name).and_then(|value| value.as_s().ok()).ok_or(ItemError::Attribute(name));
    let pages = match item.get(PAGES) {
        Some(AttributeValue::N(pages)) => pages.parse().map_err(|_| ItemError::Attribute(PAGES))?,
        Some(_) => return Err(ItemError::Attribute(PAGES)),
        None => 0,
    };
    let updated_at: Timestamp = text(UPDATED_AT)?.parse().map_err(|_| ItemError::Attribute(UPDATED_AT))?;
    let facts = texts_of(item)?.into_iter().map(str::to_owned).collect();
    Ok(StoredItem { id: text(PK)?.parse().map_err(ItemError::Id)?, updated_at, pages, facts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::FACTS;

    #[test]
    fn an_item_that_cannot_be_read_is_named_and_the_others_are_read() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let item = |pk: &str, updated_at: AttributeValue| {
            let facts = (FACTS.to_owned(), AttributeValue::L(vec![text("{}")]));
            HashMap::from([(PK.to_owned(), text(pk)), (UPDATED_AT.to_owned(), updated_at), facts])
        };
        let at = || text("2026-11-20T10:00:00.000000000Z");
        let page = page_of(&[
            item("deposit#connect#1", at()),
            item("deposit#connect#2", AttributeValue::N("1".to_owned())),
            item("no resource", at()),
        ]);
        let [read] = page.items.as_slice() else { unreachable!("one is read: {page:?}") };
        assert_eq!((read.id.to_string().as_str(), read.facts.len(), read.pages), ("deposit#connect#1", 1, 0));
        assert_eq!(read.updated_at.to_string(), "2026-11-20T10:00:00Z");
        let keys: Vec<&str> = page.unreadable.iter().map(|item| item.key.as_str()).collect();
        assert_eq!(keys, ["deposit#connect#2", "no resource"]);
    }
}
