//! Pages: the oldest facts of a resource that has many, stored apart from its item.
//!
//! An item holds 400 KB, and each write of it costs what it holds. So beyond [`FACTS_BYTES_MAX`] the oldest facts of a
//! resource move to page items, unchanged, in the transaction that records the newest ones. A page never changes
//! afterwards. Nothing is dropped: a view is made of all facts.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::{Fact, Resource, ResourceId, StatusRule, Versioned};
use fundhook_ports::{Disposition, PortError};

use super::item::{FACTS, Head, ItemError, PK, facts_of};
use super::reads;

/// How many bytes of facts an item holds before its oldest facts move to a page. A transaction writes up to ten facts of at
/// most 50 KB beside them, so that with its attributes the item stays far below 400 KB.
pub const FACTS_BYTES_MAX: usize = 100 * 1024;
/// How many bytes of facts stay in the item then, so that not every write makes a page.
const FACTS_BYTES_KEPT: usize = FACTS_BYTES_MAX / 2;

/// A write of a resource, with its facts divided.
#[derive(Clone, Debug)]
pub(super) struct Divided {
    pub(super) write: Versioned<Resource>,
    pub(super) facts: Division,
}

/// The facts of a resource, divided into those on pages, those that a write puts on new pages, and the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Division {
    /// The facts in the item, each a JSON text.
    pub(super) head: Vec<String>,
    /// The new pages.
    pub(super) new_pages: Vec<Vec<String>>,
    /// The number of all pages.
    pub(super) pages: u32,
}

impl Division {
    /// The division of the resource's facts. A kind without an end forgets its oldest facts instead.
    pub(super) fn of(resource: &Resource) -> Result<Self, serde_json::Error> {
        let facts = resource.facts().get(resource.paged_facts()..).unwrap_or_default();
        let mut head: Vec<String> = facts.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let mut bytes: usize = head.iter().map(String::len).sum();
        let mut new_pages: Vec<Vec<String>> = Vec::new();
        if bytes > FACTS_BYTES_MAX && resource.id().kind().status_rule() != StatusRule::Latest {
            // The newest fact stays, whatever its size.
            let mut moved = 0;
            while bytes > FACTS_BYTES_KEPT && moved + 1 < head.len() {
                bytes -= head[moved].len();
                moved += 1;
            }
            let rest = head.split_off(moved);
            new_pages = in_pages(std::mem::replace(&mut head, rest));
        }
        let added = u32::try_from(new_pages.len()).unwrap_or(u32::MAX);
        Ok(Self { head, new_pages, pages: resource.pages().saturating_add(added) })
    }

    /// The items of the new pages.
    pub(super) fn page_items(&self, id: &ResourceId) -> Vec<HashMap<String, AttributeValue>> {
        let first = self.pages - u32::try_from(self.new_pages.len()).unwrap_or(u32::MAX) + 1;
        let item = |(number, facts): (u32, &Vec<String>)| {
            let facts = facts.iter().cloned().map(AttributeValue::S).collect();
            HashMap::from([
                (PK.to_owned(), AttributeValue::S(page_key(id, number))),
                (FACTS.to_owned(), AttributeValue::L(facts)),
            ])
        };
        (first..).zip(&self.new_pages).map(item).collect()
    }
}

/// The facts in pages of at most [`FACTS_BYTES_MAX`], or of one fact.
fn in_pages(facts: Vec<String>) -> Vec<Vec<String>> {
    let mut pages: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for fact in facts {
        bytes += fact.len();
        match pages.last_mut().filter(|_| bytes <= FACTS_BYTES_MAX) {
            Some(page) => page.push(fact),
            None => {
                bytes = fact.len();
                pages.push(vec![fact]);
            }
        }
    }
    pages
}

/// The key of a page's item, counted from 1.
fn page_key(id: &ResourceId, number: u32) -> String {
    format!("page#{id}#{number}")
}

/// The resources whose items are `heads`, with the facts on their pages.
pub(super) async fn with_pages(client: &Client, table: &str, heads: Vec<Head>) -> Result<Vec<Resource>, PortError> {
    let keys = heads.iter().flat_map(|head| (1..=head.pages).map(|number| page_key(&head.id, number)));
    let keys: Vec<String> = keys.collect();
    let mut pages = if keys.is_empty() { HashMap::new() } else { read(client, table, &keys).await? };
    let whole = |head: Head| {
        let mut facts = Vec::new();
        for key in (1..=head.pages).map(|number| page_key(&head.id, number)) {
            facts.extend(pages.remove(&key).ok_or_else(|| unreadable(format!("the item {key} is missing")))?);
        }
        Ok(head.after(facts))
    };
    heads.into_iter().map(whole).collect()
}

/// The facts on the first `count` pages of a resource.
pub(super) async fn facts(client: &Client, table: &str, id: &ResourceId, count: u32) -> Result<Vec<Fact>, PortError> {
    let head = Head { id: id.clone(), facts: Vec::new(), pages: count };
    let read = with_pages(client, table, vec![head]).await?;
    Ok(read.into_iter().flat_map(|resource| resource.facts().to_vec()).collect())
}

const READ: &str = "read pages of a resource";

fn unreadable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(READ, Disposition::DeadLetter, why)
}

async fn read(client: &Client, table: &str, keys: &[String]) -> Result<HashMap<String, Vec<Fact>>, PortError> {
    let mut pages = HashMap::new();
    for item in reads::batch(client, table, keys, READ).await? {
        let key = item.get(PK).and_then(|key| key.as_s().ok()).cloned();
        let key = key.ok_or_else(|| unreadable(ItemError::Attribute(PK)))?;
        let facts = facts_of(&item).map_err(|error| unreadable(format!("the item {key}: {error}")))?;
        pages.insert(key, facts);
    }
    Ok(pages)
}
