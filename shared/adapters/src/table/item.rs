//! A resource as a table item, and back.
//!
//! Facts and view are JSON texts: a DynamoDB number holds 38 digits, an amount or a platform's metadata any number of
//! them. What people query by stands beside them as attributes of its own.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::json_fault;
use fundhook_domain::{Claim, Fact, Feed, Kind, Ownership, Resource, ResourceId, Timestamp};

/// The partition key: the resource's id.
pub const PK: &str = "pk";
/// How many facts were recorded: what a conditional write compares, and what the publisher tells new facts by.
pub const VERSION: &str = "version";
/// The facts, each a JSON text, in the order in which they were recorded.
pub const FACTS: &str = "facts";
/// Whose the deposit's coin is, a JSON text; missing while it claims none.
pub const OWNERSHIP: &str = "ownership";
/// A coin's claim, a JSON text.
const CLAIM: &str = "claim";

/// Why an item is not a resource.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    /// An attribute is missing or of another type.
    #[error("the item has no `{0}` of the right type")]
    Attribute(&'static str),
    /// The key does not name a resource.
    #[error("the item's key does not name a resource")]
    Id(#[source] fundhook_domain::ResourceIdError),
    /// A fact does not have a fact's shape.
    #[error("fact {0} of the item cannot be read: {1}")]
    Fact(usize, String),
}

/// The resource with the key `pk`, the stored texts of its facts, and the stored text of its coin's ownership.
pub fn resource_from_texts<'a>(
    pk: &str,
    facts: impl Iterator<Item = &'a str>,
    ownership: Option<&str>,
) -> Result<Resource, ItemError> {
    let id: ResourceId = pk.parse().map_err(ItemError::Id)?;
    let read =
        |(index, text)| serde_json::from_str::<Fact>(text).map_err(|error| ItemError::Fact(index, json_fault(&error)));
    let facts = facts.enumerate().map(read).collect::<Result<_, _>>()?;
    let ownership = ownership.map(serde_json::from_str::<Ownership>).transpose();
    let ownership = ownership.map_err(|_| ItemError::Attribute(OWNERSHIP))?.unwrap_or_default();
    Ok(Resource::from_facts(id, facts, ownership))
}

/// The resource that `item` holds.
pub(super) fn decode(item: &HashMap<String, AttributeValue>) -> Result<Resource, ItemError> {
    let pk = item.get(PK).and_then(|pk| pk.as_s().ok()).ok_or(ItemError::Attribute(PK))?;
    let facts = item.get(FACTS).and_then(|facts| facts.as_l().ok()).ok_or(ItemError::Attribute(FACTS))?;
    let texts: Option<Vec<&str>> = facts.iter().map(|fact| fact.as_s().ok().map(String::as_str)).collect();
    // Read as missing, an odd one would have the deposit claim its coin, and be credited, once more.
    let ownership = item.get(OWNERSHIP).map(|ownership| ownership.as_s().map_err(|_| ItemError::Attribute(OWNERSHIP)));
    let ownership = ownership.transpose()?.map(String::as_str);
    resource_from_texts(pk, texts.ok_or(ItemError::Attribute(FACTS))?.into_iter(), ownership)
}

/// The item of a claim. It has no `version`, so the publisher's filter passes it over.
pub(super) fn encode_claim(
    claim: &Claim,
    now: Timestamp,
) -> Result<HashMap<String, AttributeValue>, serde_json::Error> {
    let text = |text: String| AttributeValue::S(text);
    Ok(HashMap::from([
        (PK.to_owned(), text(claim_key(&claim.coin))),
        (CLAIM.to_owned(), text(serde_json::to_string(claim)?)),
        ("owner".to_owned(), text(claim.owner.to_string())),
        ("claimed_at".to_owned(), text(now.sortable())),
    ]))
}

/// The key of the claim on `coin`.
pub(crate) fn claim_key(coin: &str) -> String {
    format!("claim#{coin}")
}

/// The claim that `item` holds.
pub(crate) fn decode_claim(item: &HashMap<String, AttributeValue>) -> Option<Claim> {
    serde_json::from_str(item.get(CLAIM)?.as_s().ok()?).ok()
}

/// The attributes of `resource` beside its key, in a fixed order.
pub(super) fn encode(
    resource: &Resource,
    now: Timestamp,
) -> Result<Vec<(&'static str, AttributeValue)>, serde_json::Error> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let facts = resource.facts().iter().map(|fact| serde_json::to_string(fact).map(AttributeValue::S));
    let mut attributes = vec![
        (VERSION, AttributeValue::N(resource.version().to_string())),
        (FACTS, AttributeValue::L(facts.collect::<Result<_, _>>()?)),
        ("kind", text(resource.id().kind().as_str())),
        ("updated_at", AttributeValue::S(now.sortable())),
    ];
    let Some(view) = resource.view() else {
        return Ok(attributes);
    };
    attributes.push(("view", AttributeValue::S(serde_json::to_string(&view)?)));
    attributes.push(("status", text(view.status.as_str())));
    attributes.push(("final", AttributeValue::Bool(view.status.is_final())));
    let known = [
        ("account", view.details.account()),
        ("reference_id", view.details.reference_id()),
        ("tx", view.details.transaction_hash()),
    ];
    attributes.extend(known.into_iter().filter_map(|(name, value)| Some((name, text(value?)))));
    if *resource.ownership() != Ownership::Unclaimed {
        attributes.push((OWNERSHIP, AttributeValue::S(serde_json::to_string(resource.ownership())?)));
    }
    // The sparse index `open` holds what is not final yet, by how long it has stood where it does.
    if let Some(standing) = view.status.is_awaited().then(|| resource.standing()).flatten() {
        attributes.push((OPEN, AttributeValue::S(open_partition(resource.id().kind(), resource.is_overdue()))));
        attributes.push((OPEN_SINCE, AttributeValue::S(standing.since.sortable())));
    }
    // The sparse index `settled` holds the deposits that may be credited, by feed and day.
    let is_duplicate = matches!(resource.ownership(), Ownership::DuplicateOf { .. });
    if view.is_confirmed_deposit() && !is_duplicate {
        let partition = settled_partition(resource.id().feed(), view.occurred_at);
        attributes.push((SETTLED, AttributeValue::S(partition)));
        attributes.push((SETTLED_AT, AttributeValue::S(view.occurred_at.sortable())));
    }
    Ok(attributes)
}

/// The attributes that an item has only while it is in a sparse index.
pub(super) const SPARSE: [&str; 4] = [OPEN, OPEN_SINCE, SETTLED, SETTLED_AT];
pub(crate) const OPEN: &str = "open";
pub(crate) const OPEN_SINCE: &str = "open_since";
pub(crate) const SETTLED: &str = "settled";
pub(crate) const SETTLED_AT: &str = "settled_at";

/// Where the index `open` has the resources of `kind`: those that were reported overdue stand apart, so that looking for
/// those that were not passes over them.
pub(crate) fn open_partition(kind: Kind, overdue: bool) -> String {
    if overdue { format!("{kind}.overdue") } else { kind.to_string() }
}

/// Where the index `settled` has the feed's deposits of the day of `at`.
pub(crate) fn settled_partition(feed: &Feed, at: Timestamp) -> String {
    format!("{feed}#{}", at.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ownership_that_cannot_be_read_is_an_error_and_not_a_coin_that_nobody_claimed() {
        let item = |ownership: AttributeValue| {
            HashMap::from([
                (PK.to_owned(), AttributeValue::S("deposit#connect#1".to_owned())),
                (FACTS.to_owned(), AttributeValue::L(Vec::new())),
                (OWNERSHIP.to_owned(), ownership),
            ])
        };
        assert!(
            decode(&item(AttributeValue::S(r#""owner""#.to_owned())))
                .is_ok_and(|read| *read.ownership() == Ownership::Owner)
        );
        for odd in [AttributeValue::Bool(true), AttributeValue::S("mine".to_owned())] {
            assert!(matches!(decode(&item(odd)), Err(ItemError::Attribute(OWNERSHIP))));
        }
    }
}
