//! A resource as a table item, and back.
//!
//! Facts are stored as JSON texts, because a DynamoDB number has at most 38 digits and an amount or a platform's metadata
//! may have more. The values that people query by are also stored as separate attributes. The view follows from the facts
//! and is not stored.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::{
    Claim, ClaimKey, Fact, Feed, Kind, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp, json_fault,
};
use fundhook_reconciliation::last_movement_received;

use super::pages::Division;

/// The partition key: the resource's id.
pub const PK: &str = "pk";
/// The number of recorded facts. Conditional writes compare it, and the publisher finds new facts by it.
pub const VERSION: &str = "version";
/// The facts, each a JSON text, in the order in which they were recorded.
pub const FACTS: &str = "facts";
/// The number of [pages](super::pages) with earlier facts; only on a resource with many.
pub const PAGES: &str = "pages";
/// When the item was last written.
pub(super) const UPDATED_AT: &str = "updated_at";
/// The resource that has the facts of this one; only on a second name. For people: the fact says it too.
const SECOND_NAME_OF: &str = "second_name_of";
/// A coin's claim, a JSON text.
const CLAIM: &str = "claim";
/// Similar deposits, a JSON text.
const SIMILAR: &str = "similar";

/// Why an item is not a resource.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    #[error("the item's attribute `{0}` is missing or has the wrong type")]
    Attribute(&'static str),
    #[error("the item's key does not name a resource")]
    Id(#[source] fundhook_domain::ResourceIdError),
    #[error("fact {0} of the item cannot be parsed: {1}")]
    Fact(usize, String),
}

/// A resource's item: its newest facts, and the number of the pages that hold the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The resource.
    pub id: ResourceId,
    /// The facts in the item, in the order in which they were recorded.
    pub facts: Vec<Fact>,
    /// The number of pages with earlier facts.
    pub pages: u32,
}

impl Head {
    /// The item with the key `pk`, from the stored texts of its facts and of its number of pages.
    pub fn from_texts<'a>(
        pk: &str,
        facts: impl Iterator<Item = &'a str>,
        pages: Option<&str>,
    ) -> Result<Self, ItemError> {
        let id: ResourceId = pk.parse().map_err(ItemError::Id)?;
        let pages = pages.map_or(Ok(0), str::parse).map_err(|_| ItemError::Attribute(PAGES))?;
        Ok(Self { id, facts: facts_from_texts(facts)?, pages })
    }

    /// The resource, if all its facts are in the item.
    pub fn whole(self) -> Option<Resource> {
        (self.pages == 0).then(|| Resource::from_facts(self.id, self.facts))
    }

    /// The resource, with the facts on its pages.
    pub fn after(self, on_pages: Vec<Fact>) -> Resource {
        Resource::from_pages(self.id, self.pages, on_pages, self.facts)
    }
}

fn facts_from_texts<'a>(facts: impl Iterator<Item = &'a str>) -> Result<Vec<Fact>, ItemError> {
    let read =
        |(index, text)| serde_json::from_str::<Fact>(text).map_err(|error| ItemError::Fact(index, json_fault(&error)));
    facts.enumerate().map(read).collect()
}

/// The facts in an item or on a page.
pub(super) fn facts_of(item: &HashMap<String, AttributeValue>) -> Result<Vec<Fact>, ItemError> {
    facts_from_texts(texts_of(item)?.into_iter())
}

pub(super) fn texts_of(item: &HashMap<String, AttributeValue>) -> Result<Vec<&str>, ItemError> {
    let facts = item.get(FACTS).and_then(|facts| facts.as_l().ok()).ok_or(ItemError::Attribute(FACTS))?;
    let texts: Option<Vec<&str>> = facts.iter().map(|fact| fact.as_s().ok().map(String::as_str)).collect();
    texts.ok_or(ItemError::Attribute(FACTS))
}

pub(super) fn decode(item: &HashMap<String, AttributeValue>) -> Result<Head, ItemError> {
    let pk = item.get(PK).and_then(|pk| pk.as_s().ok()).ok_or(ItemError::Attribute(PK))?;
    let pages = item.get(PAGES).map(|pages| pages.as_n().map_err(|_| ItemError::Attribute(PAGES))).transpose()?;
    Head::from_texts(pk, texts_of(item)?.into_iter(), pages.map(String::as_str))
}

/// The resource that a write lost to, if the item that the table returned has all its facts.
pub(super) fn decode_whole(item: &HashMap<String, AttributeValue>) -> Option<Resource> {
    decode(item).ok()?.whole()
}

/// The version of a claim. It is no `version`, because the publisher's filter passes every item that has one.
pub(super) const CLAIM_VERSION: &str = "claim_version";

/// The item of a claim. It has no `version`, so the publisher's filter ignores it.
pub(super) fn encode_claim(
    claim: &Claim,
    now: Timestamp,
) -> Result<HashMap<String, AttributeValue>, serde_json::Error> {
    let text = |text: String| AttributeValue::S(text);
    Ok(HashMap::from([
        (PK.to_owned(), text(claim_key(claim.key()))),
        (CLAIM_VERSION.to_owned(), AttributeValue::N(claim.version().to_string())),
        (CLAIM.to_owned(), text(serde_json::to_string(claim)?)),
        ("claimed_at".to_owned(), text(now.sortable())),
    ]))
}

/// The key of a claim's item.
pub(crate) fn claim_key(key: &ClaimKey) -> String {
    format!("claim#{key}")
}

/// The item of similar deposits. As a claim, it has no `version`.
pub(super) fn encode_similar(
    similar: &SimilarDeposits,
    now: Timestamp,
) -> Result<HashMap<String, AttributeValue>, serde_json::Error> {
    let text = |text: String| AttributeValue::S(text);
    Ok(HashMap::from([
        (PK.to_owned(), text(similar_key(similar.key()))),
        (CLAIM_VERSION.to_owned(), AttributeValue::N(similar.version().to_string())),
        (SIMILAR.to_owned(), text(serde_json::to_string(similar)?)),
        ("claimed_at".to_owned(), text(now.sortable())),
    ]))
}

/// The key of the item of similar deposits.
pub(crate) fn similar_key(key: &SimilarKey) -> String {
    format!("similar#{key}")
}

pub(crate) fn decode_similar(item: &HashMap<String, AttributeValue>) -> Option<SimilarDeposits> {
    let similar: SimilarDeposits = serde_json::from_str(item.get(SIMILAR)?.as_s().ok()?).ok()?;
    is_of(item, &similar_key(similar.key())).then_some(similar)
}

pub(crate) fn decode_claim(item: &HashMap<String, AttributeValue>) -> Option<Claim> {
    let claim: Claim = serde_json::from_str(item.get(CLAIM)?.as_s().ok()?).ok()?;
    is_of(item, &claim_key(claim.key())).then_some(claim)
}

/// Whether the item has this key. One that says another key inside must not be taken for either.
fn is_of(item: &HashMap<String, AttributeValue>, pk: &str) -> bool {
    item.get(PK).and_then(|stored| stored.as_s().ok()).is_some_and(|stored| stored == pk)
}

/// The attributes of `resource` without its key, in a fixed order.
pub(super) fn encode(resource: &Resource, facts: &Division, now: Timestamp) -> Vec<(&'static str, AttributeValue)> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let head = facts.head.iter().cloned().map(AttributeValue::S);
    let mut attributes = vec![
        (VERSION, AttributeValue::N(resource.version().to_string())),
        (FACTS, AttributeValue::L(head.collect())),
        ("kind", text(resource.id().kind().as_str())),
        (UPDATED_AT, AttributeValue::S(now.sortable())),
    ];
    attributes.extend((facts.pages > 0).then(|| (PAGES, AttributeValue::N(facts.pages.to_string()))));
    attributes.extend(resource.second_name_of().map(|owner| (SECOND_NAME_OF, text(&owner.to_string()))));
    let Some(view) = resource.view() else {
        return attributes;
    };
    attributes.extend(view.status.map(|status| (STATUS, text(status.as_str()))));
    attributes.push(("final", AttributeValue::Bool(view.is_final())));
    let transaction = view.details.transaction_id();
    let known =
        [(ACCOUNT, view.details.account()), (REFERENCE_ID, view.details.reference_id()), (TX, transaction.as_deref())];
    attributes.extend(known.into_iter().filter_map(|(name, value)| Some((name, text(value?)))));
    // The sparse index `open` contains what is not final yet and what needs review, by the time of its current status.
    let (kind, current) = (resource.id().kind(), resource.current_status());
    let partition = match (current.is_some_and(|current| current.is_awaited), view.needs_review()) {
        (true, _) => Some(open_partition(kind, resource.is_overdue())),
        (false, true) => Some(review_partition(kind)),
        (false, false) => None,
    };
    if let Some((partition, current_status)) = partition.zip(current) {
        attributes.push((OPEN, AttributeValue::S(partition)));
        attributes.push((OPEN_SINCE, AttributeValue::S(current_status.since.sortable())));
    }
    // It also contains the balances with a movement that names a deposit or a withdrawal, for the check that it is recorded.
    if let Some(received_at) = (kind == Kind::Balance).then(|| last_movement_received(resource)).flatten() {
        attributes.push((OPEN, AttributeValue::S(open_partition(kind, false))));
        attributes.push((OPEN_SINCE, AttributeValue::S(received_at.sortable())));
    }
    // The sparse index `settled` contains the deposits that may be credited and the withdrawals that have left, by feed, kind
    // and day.
    if view.is_settled() {
        let partition = settled_partition(resource.id().feed(), kind, view.occurred_at);
        attributes.push((SETTLED, AttributeValue::S(partition)));
        attributes.push((SETTLED_AT, AttributeValue::S(view.occurred_at.sortable())));
    }
    attributes
}

/// The attributes that an item may lose: those of the sparse indexes, with the indexes' own names, and what a new reading
/// of the same bytes may no longer state.
pub(super) const OPTIONAL: [&str; 8] = [STATUS, ACCOUNT, REFERENCE_ID, TX, OPEN, OPEN_SINCE, SETTLED, SETTLED_AT];
const STATUS: &str = "status";
const ACCOUNT: &str = "account";
const REFERENCE_ID: &str = "reference_id";
const TX: &str = "tx";
pub(crate) const OPEN: &str = "open";
pub(crate) const OPEN_SINCE: &str = "open_since";
pub(crate) const SETTLED: &str = "settled";
pub(crate) const SETTLED_AT: &str = "settled_at";

/// The partition of the index `open` for resources of `kind`. Those that were reported overdue have a partition of their
/// own, so that a query for the others does not read them.
pub(crate) fn open_partition(kind: Kind, overdue: bool) -> String {
    if overdue { format!("{kind}.overdue") } else { kind.to_string() }
}

/// The partition of the index `open` for resources of `kind` that need a person's review.
pub fn review_partition(kind: Kind) -> String {
    format!("{kind}.review")
}

/// The partition of the index `settled` for the feed's resources of `kind` on the day of `at`.
pub(crate) fn settled_partition(feed: &Feed, kind: Kind, at: Timestamp) -> String {
    format!("{feed}#{kind}#{}", at.day())
}
