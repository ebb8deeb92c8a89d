//! What came in, added up as each party has it: what the provider lists, what is recorded, and what was published.

use std::collections::BTreeMap;

use fundhook_domain::{
    DecimalValue, Details, Event, EventBody, Kind, Ownership, Quantity, Resource, ResourceId, Statement, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::plan::{CONFIRMED, furthest};

/// The asset of a deposit that names none.
const UNNAMED: &str = "-";

/// The asset and the amount that a deposit may be credited with, in whole coins; `None` when it may not.
pub(crate) fn credited(resource: &Resource) -> Option<(String, DecimalValue)> {
    let view = resource.view()?;
    let is_credited = view.is_confirmed_deposit() && !matches!(resource.ownership(), Ownership::DuplicateOf { .. });
    is_credited.then(|| worth(&view.details)).flatten()
}

/// The asset and the amount as an event of it names them, so that what is published of it compares: an amount that is not
/// told in coins is none of them.
pub(crate) fn worth(details: &Details) -> Option<(String, DecimalValue)> {
    match details {
        Details::Transfer(transfer) => {
            let amount = transfer.quantity.as_ref().or(transfer.total.as_ref());
            let value = amount.and_then(Quantity::in_major).unwrap_or_else(DecimalValue::zero);
            Some((transfer.asset.as_deref().unwrap_or(UNNAMED).to_uppercase(), value))
        }
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}

/// That an event was taken by the topic which says that a deposit may be credited.
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
    /// When the topic took it.
    pub published_at: Timestamp,
}

/// The amount of the asset that an event tells of, to be noted when the topic has taken it: of a deposit that may be
/// credited. `None` for any other event.
pub fn receipt_of(event: &Event, published_at: Timestamp) -> Option<Receipt> {
    let EventBody::Transfer(transfer) = &event.data.body else {
        return None;
    };
    let is_credit = event.data.kind == Kind::Deposit.as_str() && event.status_attribute() == CONFIRMED.as_str();
    let amount = transfer.amount.as_ref();
    let asset = amount.and_then(|amount| amount.asset.as_deref()).or(transfer.asset.as_deref()).unwrap_or(UNNAMED);
    is_credit.then(|| Receipt {
        resource: event.data.resource.clone(),
        event: event.id.clone(),
        asset: asset.to_uppercase(),
        value: amount.and_then(|amount| amount.major.clone()).unwrap_or_else(DecimalValue::zero),
        published_at,
    })
}

/// So many deposits, and what they come to in whole coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many.
    pub deposits: u64,
    /// How much.
    pub total: DecimalValue,
}

impl Default for Total {
    fn default() -> Self {
        Self { deposits: 0, total: DecimalValue::zero() }
    }
}

impl Total {
    fn count(&mut self, value: &DecimalValue) {
        self.deposits += 1;
        self.total = self.total.clone() + value;
    }

    fn add(&mut self, other: &Self) {
        self.deposits += other.deposits;
        self.total = self.total.clone() + &other.total;
    }
}

/// What came in of one asset, as each party has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTotalsLine {
    /// The asset's code; `-` for one that is not named.
    pub asset: String,
    /// What the provider lists as succeeded.
    pub provider: Total,
    /// What is recorded as confirmed, and no duplicate.
    pub ours: Total,
    /// What was published as confirmed.
    pub published: Total,
}

impl ControlTotalsLine {
    /// Adds what `other` counted of the same asset.
    pub fn add(&mut self, other: &Self) {
        self.provider.add(&other.provider);
        self.ours.add(&other.ours);
        self.published.add(&other.published);
    }

    /// Whether all three are the same.
    pub fn holds(&self) -> bool {
        self.provider == self.ours && self.ours == self.published
    }
}

/// Adds up each asset over a closed window: the rows of the provider's list in it, the deposits recorded for them or
/// dated in it, and the receipts of those.
///
/// A deposit that is in `ours` without being credited (pending, failed, a duplicate) counts for nothing, as does a row
/// that has not succeeded. A row seen twice counts once.
pub fn control_totals(ours: &[Resource], theirs: &[Statement], receipts: &[Receipt]) -> Vec<ControlTotalsLine> {
    let mut lines: BTreeMap<String, ControlTotalsLine> = BTreeMap::new();
    let mut line = |asset: String, count: &dyn Fn(&mut ControlTotalsLine)| {
        let empty = || ControlTotalsLine {
            asset: asset.clone(),
            provider: Total::default(),
            ours: Total::default(),
            published: Total::default(),
        };
        count(lines.entry(asset.clone()).or_insert_with(empty));
    };
    for row in furthest(theirs).filter(|row| row.content.status == CONFIRMED) {
        if let Some((asset, value)) = worth(&row.content.details) {
            line(asset, &|line| line.provider.count(&value));
        }
    }
    let distinct: BTreeMap<&ResourceId, &Resource> = ours.iter().map(|resource| (resource.id(), resource)).collect();
    for (asset, value) in distinct.values().filter_map(|resource| credited(resource)) {
        line(asset, &|line| line.ours.count(&value));
    }
    let receipts: BTreeMap<&ResourceId, &Receipt> =
        receipts.iter().map(|receipt| (&receipt.resource, receipt)).collect();
    for receipt in receipts.values().filter(|receipt| distinct.contains_key(&receipt.resource)) {
        line(receipt.asset.to_uppercase(), &|line| line.published.count(&receipt.value));
    }
    lines.into_values().collect()
}
