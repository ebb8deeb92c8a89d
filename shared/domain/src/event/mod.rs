//! Events: CloudEvents about the changes of a resource's view, and their JSON Schemas.
//!
//! Guarantees:
//!
//! - The events of a resource are a function of its recorded facts, so publishing them again gives the same events with
//!   the same ids.
//! - The sequence numbers of a resource's events are counted from 1 without gaps.
//! - The `status` attribute of a deposit is `confirmed` only if it may be credited.

mod data;
mod schema;
mod tidy;

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::resource::{Change, change};
use crate::{Amount, Fact, Network, Resource, ResourceId, Timestamp};

use data::Arrival;
pub use data::{BalanceBody, EventBody, EventData, RecoveryBody, RecoveryDeposit, RecoveryPayment, TransferBody};
pub use schema::{attributes_schema, event_schema, event_types};

/// A CloudEvent (version 1.0, JSON format) about one change of one resource.
///
/// The id is made of the resource's id and the sequence number, so the same change has the same id whenever it is
/// published again. `sequence` grows by one with each event of a resource. A subscriber that remembers the greatest one
/// can put the deliveries of a standard topic in order and knows when one is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `<resource id>#<sequence>`.
    pub id: String,
    /// `fundhook.<kind>.<status>`, or `.updated`, `.duplicate`, `.conflicting` or `.overdue`.
    pub event_type: String,
    /// When it happened, according to the provider.
    pub time: Timestamp,
    /// The number of the event among the resource's events, counted from 1.
    pub sequence: u64,
    /// The resource after the change.
    pub data: EventData,
}

/// The events about what the facts after the first `version` changed, oldest first.
///
/// A function of the recorded facts alone: called again for the same resource, it returns the same events with the same
/// ids. So a publisher may crash and repeat itself, or publish everything again (`version` 0).
pub fn events_after(resource: &Resource, version: u64) -> Vec<Event> {
    let versions = resource.facts().iter().map(|fact| fact.version).filter(|recorded| *recorded > version);
    versions.filter_map(|version| event_of(&resource.at_version(version))).collect()
}

/// The event that the last fact of `resource` publishes.
fn event_of(resource: &Resource) -> Option<Event> {
    let last = resource.facts().last()?;
    let before = resource.at_version(last.version - 1).view();
    let after = resource.view()?;
    let change = change(resource, before.as_ref(), &after)?;

    let kind = resource.id().kind();
    let sequence = resource.sequence();
    let (outcome, late) = match &change {
        Change::Status { to, .. } => (to.as_str(), false),
        Change::Updated { late } => (UPDATED, *late),
        Change::Duplicate { .. } => (DUPLICATE, false),
        Change::Overdue => (OVERDUE, false),
        Change::Conflicting { .. } => (CONFLICTING, false),
    };
    let previous = before.as_ref().and_then(|view| view.status).filter(|status| Some(*status) != after.status);
    let arrival = Arrival { late, reconciled: is_reconciled(last) };
    let mut data = EventData::of(resource, after, previous, arrival);
    if is_restatement(resource, last) {
        let earlier = resource.at_version(last.version - 1);
        let shown_before = before.map(|view| EventData::of(&earlier, view, None, arrival));
        data.restated = shown_before.map(|shown| changed_members(&shown, &data)).unwrap_or_default();
    }
    Some(Event {
        id: format!("{}#{sequence}", resource.id()),
        event_type: format!("fundhook.{kind}.{outcome}"),
        time: last.content.occurred_at(),
        sequence,
        data,
    })
}

/// Whether the fact states again, in another reading, what the same bytes stated before.
fn is_restatement(resource: &Resource, fact: &Fact) -> bool {
    let same = |earlier: &&Fact| earlier.version < fact.version && earlier.content.id() == fact.content.id();
    fact.statement().is_some() && resource.facts().iter().any(|earlier| same(&earlier))
}

/// The members that differ between two states of a resource, but for those that describe the event itself.
fn changed_members(before: &EventData, after: &EventData) -> Vec<String> {
    const OF_THE_EVENT: [&str; 6] = ["late", "reconciled", "previous_status", "restated", "history", "evidence"];
    let members = |data: &EventData| match serde_json::to_value(data) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let (before, after) = (members(before), members(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = |name: &&String| !OF_THE_EVENT.contains(&name.as_str()) && before.get(*name) != after.get(*name);
    names.into_iter().filter(differs).cloned().collect()
}

/// Whether the fact is a statement that was read from the provider's list, because its webhook had not arrived.
fn is_reconciled(fact: &Fact) -> bool {
    fact.statement().is_some_and(|statement| statement.evidence.is_from_api())
}

/// The asset and the network of an amount, when known.
fn of_amount(amount: &Option<Amount>) -> (Option<&str>, Option<&Network>) {
    let amount = amount.as_ref();
    (amount.and_then(|amount| amount.asset.as_deref()), amount.and_then(|amount| amount.network.as_ref()))
}

/// The last parts of event types that are not a status.
const UPDATED: &str = "updated";
const DUPLICATE: &str = "duplicate";
const CONFLICTING: &str = "conflicting";
const OVERDUE: &str = "overdue";

impl Event {
    /// The status that a filter policy sees. It is not `confirmed` for a deposit whose coin is credited under another
    /// deposit, for a withdrawal that counts under another id, or while final statuses exclude each other, so that a policy
    /// for `confirmed` never selects those.
    ///
    /// `None` while no webhook has reported a status.
    pub fn status_attribute(&self) -> Option<&'static str> {
        if !self.data.conflicting.is_empty() {
            Some(CONFLICTING)
        } else if self.data.duplicate_of.is_some() {
            Some(DUPLICATE)
        } else {
            self.data.status
        }
    }

    /// The message attributes, by name: what a subscription's filter policy can select by.
    ///
    /// There are at most nine. With raw delivery to SQS, SNS drops a message that has more than ten.
    pub fn attributes(&self) -> Vec<(&'static str, &str)> {
        let mut attributes =
            vec![("type", self.event_type.as_str()), ("kind", self.data.kind), ("provider", self.data.provider)];
        let (asset, network, account, reference_id) = match &self.data.body {
            EventBody::Transfer(transfer) => {
                let (asset, network) = of_amount(&transfer.amount);
                let (asset, network) = (asset.or(transfer.asset.as_deref()), network.or(transfer.network.as_ref()));
                (asset, network, transfer.account.as_deref(), transfer.reference_id.as_deref())
            }
            EventBody::Recovery(recovery) => {
                let RecoveryBody { outstanding, account, .. } = &**recovery;
                (outstanding.asset.as_deref(), outstanding.network.as_ref(), Some(account.as_str()), None)
            }
            EventBody::Balance(balance) => {
                let (asset, network) = of_amount(&balance.amount);
                (asset, network, balance.account.as_deref(), None)
            }
            EventBody::Account(details) => (None, None, details.account.as_deref(), None),
            EventBody::Unrecognized(_) => (None, None, None, None),
        };
        let known = [
            ("status", self.status_attribute()),
            ("asset", asset),
            ("network", network.map(Network::slug)),
            ("account", account),
            ("reference_id", reference_id),
            ("tenant", self.data.tenant.as_deref()),
        ];
        attributes.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
        attributes
    }
}

impl Serialize for Event {
    /// Writes the JSON event format of CloudEvents 1.0 [cloudevents]. `sequence` is the extension of that name: a
    /// string whose lexicographic order is the order of the events, hence the leading zeros.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct CloudEvent<'a> {
            specversion: &'static str,
            id: &'a str,
            source: String,
            #[serde(rename = "type")]
            event_type: &'a str,
            subject: &'a ResourceId,
            time: Timestamp,
            sequence: String,
            datacontenttype: &'static str,
            data: &'a EventData,
        }
        CloudEvent {
            specversion: "1.0",
            id: &self.id,
            source: format!("/fundhook/{}", self.data.resource.feed()),
            event_type: &self.event_type,
            subject: &self.data.resource,
            time: self.time,
            sequence: format!("{:010}", self.sequence),
            datacontenttype: "application/json",
            data: &self.data,
        }
        .serialize(serializer)
    }
}
