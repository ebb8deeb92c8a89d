//! What subscribers read: CloudEvents about changes of views.

mod data;
mod schema;

use serde::{Serialize, Serializer};

use crate::resource::{Change, change};
use crate::{Amount, Fact, Network, Resource, ResourceId, Timestamp};

use data::Telling;
pub use data::{BalanceBody, EventBody, EventData, RecoveryBody, RecoveryDeposit, RecoveryPayment, TransferBody};
pub(crate) use schema::resource_id_pattern;
pub use schema::{attributes_schema, event_schema, event_types};

/// A CloudEvent (version 1.0, JSON format) about one change of one resource.
///
/// The id is made of the resource's id and the sequence number, so the same change has the same id whenever it is said
/// again. `sequence` grows by one with each event of a resource: a subscriber that remembers the greatest it has seen
/// can put a standard topic's deliveries in order and knows when one is still to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `<resource id>#<sequence>`.
    pub id: String,
    /// `fundhook.<kind>.<status>`, or `.updated`, `.duplicate`, `.conflicting` or `.overdue`.
    pub event_type: String,
    /// When the provider says it happened.
    pub time: Timestamp,
    /// Which of the resource's events this is, counted from 1.
    pub sequence: u64,
    /// The resource as it stands after the change.
    pub data: EventData,
}

/// The events that say what the facts after the first `version` changed, oldest first.
///
/// A function of the recorded facts alone: called again for the same resource it gives the same events with the same
/// ids, so a publisher may crash, repeat itself or be asked to say everything again (`version` 0).
pub fn events_after(resource: &Resource, version: u64) -> Vec<Event> {
    let versions = resource.facts().iter().map(|fact| fact.version).filter(|recorded| *recorded > version);
    versions.filter_map(|version| event_of(&resource.at_version(version))).collect()
}

/// The event that the last fact of `resource` gave rise to.
fn event_of(resource: &Resource) -> Option<Event> {
    let last = resource.facts().last()?;
    let before = resource.at_version(last.version - 1).view();
    let after = resource.view()?;
    let change = change(resource, before.as_ref(), &after)?;

    let kind = resource.id().kind();
    let sequence = resource.sequence();
    let (outcome, late) = match &change {
        Change::Status { .. } => (after.status.as_str(), false),
        Change::Updated { late } => (UPDATED, *late),
        Change::Duplicate { .. } => (DUPLICATE, false),
        Change::Overdue => (OVERDUE, false),
        Change::Conflicting { .. } => (CONFLICTING, false),
    };
    let previous = before.map(|view| view.status).filter(|status| *status != after.status);
    Some(Event {
        id: format!("{}#{sequence}", resource.id()),
        event_type: format!("fundhook.{kind}.{outcome}"),
        time: last.occurred_at,
        sequence,
        data: EventData::of(resource, after, previous, Telling { late, reconciled: is_reconciled(last) }),
    })
}

/// Whether the statement was not sent to us, or not yet, but read from the provider's list.
fn is_reconciled(fact: &Fact) -> bool {
    fact.evidence.is_from_the_api() && !fact.overdue
}

/// The asset and the network of an amount, as far as they are known.
fn of_amount(amount: &Option<Amount>) -> (Option<&str>, Option<&Network>) {
    let amount = amount.as_ref();
    (amount.and_then(|amount| amount.asset.as_deref()), amount.and_then(|amount| amount.network.as_ref()))
}

/// What happened, where it is not that a status was reached.
const UPDATED: &str = "updated";
const DUPLICATE: &str = "duplicate";
const CONFLICTING: &str = "conflicting";
const OVERDUE: &str = "overdue";

impl Event {
    /// The status as a filter policy sees it. A policy that credits what is `confirmed` must not be given a coin that is
    /// credited under another deposit, nor one about which final statuses contradict each other.
    pub fn status_attribute(&self) -> &'static str {
        if !self.data.conflicting.is_empty() {
            CONFLICTING
        } else if self.data.duplicate_of.is_some() {
            DUPLICATE
        } else {
            self.data.status
        }
    }

    /// The values that a subscription's filter policy can choose by, each named as in the filter.
    ///
    /// At most nine: with raw delivery to SQS, SNS drops a message that has more than ten.
    pub fn attributes(&self) -> Vec<(&'static str, &str)> {
        let mut attributes = vec![
            ("type", self.event_type.as_str()),
            ("kind", self.data.kind),
            ("status", self.status_attribute()),
            ("provider", self.data.provider),
        ];
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
    /// In the JSON event format of CloudEvents 1.0. `sequence` is the extension of that name: a string whose
    /// lexicographic order is the order of the events, hence the leading zeros.
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
