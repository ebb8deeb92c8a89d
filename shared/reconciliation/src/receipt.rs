//! The proof that a credit was published.

use fundhook_domain::{DecimalValue, Event, EventBody, Kind, ResourceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::credit::{CONFIRMED, UNNAMED_ASSET};

/// Records that the topic accepted an event which says that a deposit may be credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The deposit.
    pub resource: ResourceId,
    /// The event's id.
    pub event: String,
    /// The asset that the event named.
    pub asset: String,
    /// The amount that the event named, in whole coins.
    pub value: DecimalValue,
    /// When the topic accepted it.
    pub published_at: Timestamp,
}

/// The receipt to store once the topic has accepted `event`; `None` for an event that does not say that a deposit may be
/// credited.
pub fn receipt_of(event: &Event, published_at: Timestamp) -> Option<Receipt> {
    let EventBody::Transfer(transfer) = &event.data.body else {
        return None;
    };
    let is_credit = event.data.kind == Kind::Deposit.as_str() && event.status_attribute() == Some(CONFIRMED.as_str());
    let amount = transfer.amount.as_ref();
    let asset = amount.and_then(|amount| amount.asset.as_deref()).or(transfer.asset.as_deref());
    is_credit.then(|| Receipt {
        resource: event.data.resource.clone(),
        event: event.id.clone(),
        asset: asset.unwrap_or(UNNAMED_ASSET).to_uppercase(),
        value: amount.and_then(|amount| amount.major.clone()).unwrap_or_else(DecimalValue::zero),
        published_at,
    })
}
