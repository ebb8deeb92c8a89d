//! Events: CloudEvents about the changes of a resource's view, and their JSON Schemas.
//!
//! Guarantees:
//!
//! - The events of a resource are a function of its recorded facts, so publishing them again gives the same events with
//!   the same ids.
//! - The sequence numbers of a resource's events are counted from 1 without gaps.
//! - The `status` attribute of a deposit is `confirmed` only if it may be credited.

mod data;
mod recovery;
mod schema;
mod tidy;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::resource::{change, shown};
use crate::{Amount, Change, CorrelationId, Fact, Network, Resource, ResourceId, StatementContent, Timestamp, View};

use data::Arrival;
pub use data::{BalanceBody, EventBody, EventData, TransferBody};
pub use recovery::{RecoveryBody, RecoveryDeposit, RecoveryPayment, RecoveryRequest};
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
    /// `fundhook.<kind>.<status>`, or `.updated`, `.duplicate`, `.conflicting`, `.overdue` or `.surplus`.
    pub event_type: String,
    /// When it happened, according to the provider.
    pub time: Timestamp,
    /// The number of the event among the resource's events, counted from 1.
    pub sequence: u64,
    /// The version of the fact that the event is about. It is not a part of the published event.
    pub fact_version: u64,
    /// The webhook that caused it, as log lines name it; for what Fundhook noticed itself, the last webhook before.
    pub correlation_id: CorrelationId,
    /// The resource after the change.
    pub data: EventData,
}

/// The events about what the facts after the first `version` changed, oldest first.
///
/// A function of the recorded facts alone: called again for the same resource, it returns the same events with the same
/// ids. So a publisher may crash and repeat itself, or publish everything again (`version` 0).
pub fn events_after(resource: &Resource, version: u64) -> Vec<Event> {
    let versions = resource.facts().iter().map(|fact| fact.version).filter(|recorded| *recorded > version);
    versions.flat_map(|version| events_of(&resource.at_version(version))).collect()
}

/// The events that the last fact of `resource` publishes: one, and before it one for each relation and decision that was
/// recorded before there was anything to publish.
fn events_of(resource: &Resource) -> Vec<Event> {
    let (Some(last), Some(after)) = (resource.facts().last(), resource.view()) else {
        return Vec::new();
    };
    let (mut before, after) = (resource.view_before_last(), Arc::unwrap_or_clone(after));
    let mut events = Vec::new();
    if before.is_none() && !last.repeats && last.statement().is_some() {
        for (sequence, relation) in (1..).zip(resource.unpublished()) {
            let shown = shown(before.as_ref(), &after, None).unwrap_or(Change::Updated { late: false });
            events.push(event(resource, sequence, relation, &shown, before.as_ref(), after.clone()));
            before = Some(after.clone());
        }
    }
    if let Some(change) = change(resource, before.as_ref(), &after) {
        let mut event = event(resource, resource.sequence(), last, &change, before.as_ref(), after);
        if let Some(before) = before.filter(|_| is_restatement(resource, last)) {
            let shown_before = EventData::of(resource.id(), before, None, arrival(last, &change));
            event.data.restated = changed_members(&shown_before, &event.data);
        }
        events.push(event);
    }
    events
}

/// The event with the number `sequence` about what `fact` changed.
fn event(
    resource: &Resource,
    sequence: u64,
    fact: &Fact,
    change: &Change,
    before: Option<&View>,
    after: View,
) -> Event {
    let id = resource.id();
    let outcome = match change {
        Change::Status { to, .. } => to.as_str(),
        Change::Updated { .. } => UPDATED,
        Change::Duplicate { .. } => DUPLICATE,
        Change::Overdue => OVERDUE,
        Change::Surplus => SURPLUS,
        Change::Conflicting { .. } => CONFLICTING,
    };
    Event {
        id: format!("{id}#{sequence}"),
        event_type: format!("fundhook.{}.{outcome}", id.kind()),
        time: fact.content.occurred_at(),
        sequence,
        fact_version: fact.version,
        correlation_id: fact.content.evidence().correlation_id.clone(),
        data: EventData::of(id, after, before, arrival(fact, change)),
    }
}

fn arrival(fact: &Fact, change: &Change) -> Arrival {
    let late = matches!(change, Change::Updated { late: true });
    Arrival { late, reconciled: is_reconciled(fact), backfilled: is_backfilled(fact) }
}

/// Whether the fact states again, in another reading, what the same bytes stated before.
fn is_restatement(resource: &Resource, fact: &Fact) -> bool {
    let earlier = resource.facts().iter().filter(|earlier| earlier.version < fact.version);
    let is_same = |statement: &StatementContent| {
        earlier.filter_map(Fact::statement).any(|earlier| earlier.is_another_reading_of(statement))
    };
    fact.statement().is_some_and(is_same)
}

/// The members that differ between two states of a resource, but for those that describe the event itself.
fn changed_members(before: &EventData, after: &EventData) -> Vec<String> {
    const OF_THE_EVENT: [&str; 9] = [
        "late",
        "reconciled",
        "backfilled",
        "previous_status",
        "restated",
        "postings",
        "history",
        "history_omitted",
        "evidence",
    ];
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

/// Whether the fact is a statement that a backfill read.
fn is_backfilled(fact: &Fact) -> bool {
    fact.statement().is_some_and(|statement| statement.evidence.backfilled.is_some())
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
const SURPLUS: &str = "surplus";

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

    /// Where it is from: the provider, and the organization when there are several.
    pub fn source(&self) -> String {
        format!("/fundhook/{}", self.data.resource.feed())
    }

    /// Whether it says that a recovery returned more than had arrived.
    pub fn is_surplus(&self) -> bool {
        self.event_type.rsplit('.').next() == Some(SURPLUS)
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
    /// string whose lexicographic order is the order of the events, hence the leading zeros. `correlationid` is the
    /// extension of that name, too.
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
            #[serde(rename = "correlationid")]
            correlation_id: &'a CorrelationId,
            datacontenttype: &'static str,
            data: &'a EventData,
        }
        CloudEvent {
            specversion: "1.0",
            id: &self.id,
            source: self.source(),
            event_type: &self.event_type,
            subject: &self.data.resource,
            time: self.time,
            sequence: format!("{:010}", self.sequence),
            correlation_id: &self.correlation_id,
            datacontenttype: "application/json",
            data: &self.data,
        }
        .serialize(serializer)
    }
}
