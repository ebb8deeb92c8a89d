//! What subscribers read: CloudEvents about changes of views.

use serde::{Serialize, Serializer};

use crate::fold::{Change, change};
use crate::{
    Amount, Details, Evidence, HistoryEntry, Network, Quantity, Resource, ResourceId, Status, Timestamp,
    TransferDetails, View,
};

/// A CloudEvent (version 1.0, JSON format) about one change of one resource.
///
/// The id is made of the resource's id and the sequence number, so the same change has the same id whenever it is said
/// again. `sequence` grows by one with each event of a resource: a subscriber that remembers the greatest it has seen
/// can put a standard topic's deliveries in order and knows when one is still to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `<resource id>#<sequence>`.
    pub id: String,
    /// `fundhook.<kind>.<status>`, or `.updated`, or `.conflicting`.
    pub event_type: String,
    /// When the provider says it happened.
    pub time: Timestamp,
    /// Which of the resource's events this is, counted from 1.
    pub sequence: u64,
    /// The resource as it stands after the change.
    pub data: EventData,
}

/// The resource as it stands after a change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventData {
    /// The resource's id; the event's `subject` too.
    pub resource: ResourceId,
    /// What it is.
    pub kind: &'static str,
    /// Who reports it.
    pub provider: &'static str,
    /// The provider's own id for it.
    pub provider_id: String,
    /// Its status.
    pub status: &'static str,
    /// Its status before this change, when that was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<&'static str>,
    /// Whether nothing further is expected.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Whether the webhook behind this event came after one that stands over it.
    pub late: bool,
    /// Final statuses that contradict each other: a person must look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicting: Vec<&'static str>,
    /// What is known beside the status.
    #[serde(flatten)]
    pub body: EventBody,
    /// Every statement of the provider so far.
    pub history: Vec<HistoryEntry>,
    /// Why the status is believed.
    pub evidence: Evidence,
}

/// The part of the data that depends on the kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EventBody {
    /// Of a deposit or a withdrawal.
    Transfer(Box<TransferBody>),
    /// Of a webhook that nothing claims.
    Unrecognized {
        /// Why it was not understood.
        reason: String,
        /// The name it gives itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload_type: Option<String>,
        /// The length of its body, which lies in the evidence.
        body_bytes: u64,
    },
}

/// What subscribers read about a deposit or a withdrawal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TransferBody {
    /// How much, of which asset, on which network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What else is known; asset and network too, as long as the amount is not.
    #[serde(flatten)]
    pub details: TransferDetails,
}

/// The events that say what the facts after the first `version` changed, oldest first.
///
/// A function of the recorded facts alone: called again for the same resource it gives the same events with the same
/// ids, so a publisher may crash, repeat itself or be asked to say everything again (`version` 0).
pub fn events_after(resource: &Resource, version: u64) -> Vec<Event> {
    let recorded = resource.facts().len();
    let first = usize::try_from(version).unwrap_or(usize::MAX).min(recorded);
    (first..recorded).filter_map(|at| event_of(&resource.at_version(at + 1))).collect()
}

/// The event that the last fact of `resource` gave rise to.
fn event_of(resource: &Resource) -> Option<Event> {
    let last = resource.facts().last()?;
    let before = resource.at_version(resource.facts().len() - 1).view();
    let after = resource.view()?;
    let change = change(resource, before.as_ref(), &after)?;

    let kind = resource.id().kind();
    let sequence = resource.sequence();
    let (outcome, late) = match &change {
        Change::Status { .. } => (after.status.as_str(), false),
        Change::Updated { late } => ("updated", *late),
        Change::Conflicting { .. } => ("conflicting", false),
    };
    let previous = before.map(|view| view.status).filter(|status| *status != after.status);
    Some(Event {
        id: format!("{}#{sequence}", resource.id()),
        event_type: format!("fundhook.{kind}.{outcome}"),
        time: last.occurred_at,
        sequence,
        data: EventData::of(resource.id(), after, previous, late),
    })
}

impl EventData {
    fn of(id: &ResourceId, view: View, previous: Option<Status>, late: bool) -> Self {
        let View { status, details, conflicting, history, evidence, occurred_at: _, fact: _ } = view;
        Self {
            resource: id.clone(),
            kind: id.kind().as_str(),
            provider: id.feed().as_str(),
            provider_id: id.native().to_owned(),
            status: status.as_str(),
            previous_status: previous.map(Status::as_str),
            is_final: status.is_final(),
            late,
            conflicting: conflicting.into_iter().map(Status::as_str).collect(),
            body: details.into(),
            history,
            evidence,
        }
    }
}

impl From<Details> for EventBody {
    fn from(details: Details) -> Self {
        match details {
            Details::Unrecognized(unrecognized) => Self::Unrecognized {
                reason: unrecognized.reason,
                payload_type: unrecognized.payload_type,
                body_bytes: unrecognized.body_bytes,
            },
            Details::Transfer(mut details) => {
                let amount = details.quantity.take().map(|Quantity { value, units }| Amount {
                    value,
                    asset: details.asset.take(),
                    network: details.network.take(),
                    units,
                });
                Self::Transfer(Box::new(TransferBody { amount, details: *details }))
            }
        }
    }
}

impl Event {
    /// The values that a subscription's filter policy can choose by, each named as in the filter.
    pub fn attributes(&self) -> Vec<(&'static str, &str)> {
        let mut attributes = vec![
            ("type", self.event_type.as_str()),
            ("kind", self.data.kind),
            ("status", self.data.status),
            ("provider", self.data.provider),
        ];
        if let EventBody::Transfer(transfer) = &self.data.body {
            let TransferBody { amount, details } = &**transfer;
            let (asset, network) = match amount {
                Some(amount) => (&amount.asset, &amount.network),
                None => (&details.asset, &details.network),
            };
            let known = [
                ("asset", asset.as_deref()),
                ("network", network.as_ref().map(Network::slug)),
                ("account", details.account.as_deref()),
                ("reference_id", details.reference_id.as_deref()),
            ];
            attributes.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
        }
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
            source: format!("/fundhook/{}", self.data.provider),
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
