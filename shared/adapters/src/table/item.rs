//! A resource as a table item, and back.
//!
//! Facts and view are stored as JSON texts, because a DynamoDB number has at most 38 digits and an amount or a platform's
//! metadata may have more. The values that people query by are also stored as separate attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::{Claim, Fact, Feed, Kind, Ownership, Resource, ResourceId, Timestamp, json_fault};

/// The partition key: the resource's id.
pub const PK: &str = "pk";
/// The number of recorded facts. Conditional writes compare it, and the publisher finds new facts by it.
pub const VERSION: &str = "version";
/// The facts, each a JSON text, in the order in which they were recorded.
pub const FACTS: &str = "facts";
/// Who owns the deposit's coin, a JSON text; missing while the deposit claims none.
pub const OWNERSHIP: &str = "ownership";
/// The resource that has the facts of this one; only on a second name. For people: the fact says it too.
const SECOND_NAME_OF: &str = "second_name_of";
/// A coin's claim, a JSON text.
const CLAIM: &str = "claim";

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

/// The resource with the key `pk`, from the stored texts of its facts and of its coin's ownership.
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

pub(super) fn decode(item: &HashMap<String, AttributeValue>) -> Result<Resource, ItemError> {
    let pk = item.get(PK).and_then(|pk| pk.as_s().ok()).ok_or(ItemError::Attribute(PK))?;
    let facts = item.get(FACTS).and_then(|facts| facts.as_l().ok()).ok_or(ItemError::Attribute(FACTS))?;
    let texts: Option<Vec<&str>> = facts.iter().map(|fact| fact.as_s().ok().map(String::as_str)).collect();
    // If an invalid ownership were read as missing, the deposit would claim its coin again and be credited twice.
    let ownership = item.get(OWNERSHIP).map(|ownership| ownership.as_s().map_err(|_| ItemError::Attribute(OWNERSHIP)));
    let ownership = ownership.transpose()?.map(String::as_str);
    resource_from_texts(pk, texts.ok_or(ItemError::Attribute(FACTS))?.into_iter(), ownership)
}

/// The item of a claim. It has no `version`, so the publisher's filter ignores it.
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

pub(crate) fn decode_claim(item: &HashMap<String, AttributeValue>) -> Option<Claim> {
    serde_json::from_str(item.get(CLAIM)?.as_s().ok()?).ok()
}

/// The attributes of `resource` without its key, in a fixed order.
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
    attributes.extend(resource.second_name_of().map(|owner| (SECOND_NAME_OF, text(&owner.to_string()))));
    let Some(view) = resource.view() else {
        return Ok(attributes);
    };
    attributes.push(("view", AttributeValue::S(serde_json::to_string(&view)?)));
    attributes.extend(view.status.map(|status| (STATUS, text(status.as_str()))));
    attributes.push(("final", AttributeValue::Bool(view.is_final())));
    let known = [
        (ACCOUNT, view.details.account()),
        (REFERENCE_ID, view.details.reference_id()),
        (TX, view.details.transaction_hash()),
    ];
    attributes.extend(known.into_iter().filter_map(|(name, value)| Some((name, text(value?)))));
    if *resource.ownership() != Ownership::Unclaimed {
        attributes.push((OWNERSHIP, AttributeValue::S(serde_json::to_string(resource.ownership())?)));
    }
    // The sparse index `open` contains what is not final yet, by the time of its current status.
    if let Some(current_status) = view.is_awaited(resource.id().kind()).then(|| resource.current_status()).flatten() {
        attributes.push((OPEN, AttributeValue::S(open_partition(resource.id().kind(), resource.is_overdue()))));
        attributes.push((OPEN_SINCE, AttributeValue::S(current_status.since.sortable())));
    }
    // The sparse index `settled` contains the deposits that may be credited, by feed and day.
    let is_duplicate = matches!(resource.ownership(), Ownership::DuplicateOf { .. });
    if view.is_confirmed_deposit() && !is_duplicate {
        let partition = settled_partition(resource.id().feed(), view.occurred_at);
        attributes.push((SETTLED, AttributeValue::S(partition)));
        attributes.push((SETTLED_AT, AttributeValue::S(view.occurred_at.sortable())));
    }
    Ok(attributes)
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

/// The partition of the index `settled` for the feed's deposits on the day of `at`.
pub(crate) fn settled_partition(feed: &Feed, at: Timestamp) -> String {
    format!("{feed}#{}", at.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_ownership_is_an_error_and_not_an_unclaimed_coin() {
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
