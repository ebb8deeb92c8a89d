//! A resource as a table item, and back.
//!
//! Facts and view are JSON texts: a DynamoDB number holds 38 digits, an amount or a platform's metadata any number of
//! them. What people query by stands beside them as attributes of its own.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::port::json_fault;
use fundhook_domain::{Details, Fact, Resource, ResourceId, Timestamp};

/// The partition key: the resource's id.
pub const PK: &str = "pk";
/// The facts, each a JSON text, in the order in which they were recorded.
pub const FACTS: &str = "facts";

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

/// The resource with the key `pk` and the stored texts of its facts.
pub fn resource_from_facts<'a>(pk: &str, facts: impl Iterator<Item = &'a str>) -> Result<Resource, ItemError> {
    let id: ResourceId = pk.parse().map_err(ItemError::Id)?;
    let read =
        |(index, text)| serde_json::from_str::<Fact>(text).map_err(|error| ItemError::Fact(index, json_fault(&error)));
    let facts = facts.enumerate().map(read).collect::<Result<_, _>>()?;
    Ok(Resource::from_facts(id, facts))
}

/// The resource that `item` holds.
pub(super) fn decode(item: &HashMap<String, AttributeValue>) -> Result<Resource, ItemError> {
    let pk = item.get(PK).and_then(|pk| pk.as_s().ok()).ok_or(ItemError::Attribute(PK))?;
    let facts = item.get(FACTS).and_then(|facts| facts.as_l().ok()).ok_or(ItemError::Attribute(FACTS))?;
    let texts: Option<Vec<&str>> = facts.iter().map(|fact| fact.as_s().ok().map(String::as_str)).collect();
    resource_from_facts(pk, texts.ok_or(ItemError::Attribute(FACTS))?.into_iter())
}

/// The attributes of `resource` beside its key, in a fixed order.
pub(super) fn encode(
    resource: &Resource,
    now: Timestamp,
) -> Result<Vec<(&'static str, AttributeValue)>, serde_json::Error> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let facts = resource.facts().iter().map(|fact| serde_json::to_string(fact).map(AttributeValue::S));
    let mut attributes = vec![
        ("version", AttributeValue::N(resource.version().to_string())),
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
    if let Details::Transfer(transfer) = &view.details {
        let known = [
            ("account", transfer.account.as_deref()),
            ("reference_id", transfer.reference_id.as_deref()),
            ("tx", transfer.transaction.hash.as_deref()),
        ];
        attributes.extend(known.into_iter().filter_map(|(name, value)| Some((name, text(value?)))));
    }
    // The sparse index `open` holds what is not final yet, by age.
    if !view.status.is_final() {
        let since = resource.facts().iter().map(|fact| fact.evidence.received_at).min();
        attributes.push(("open", text(resource.id().kind().as_str())));
        attributes.push(("open_since", AttributeValue::S(since.unwrap_or(now).sortable())));
    }
    Ok(attributes)
}
