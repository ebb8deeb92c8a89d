//! Control totals: per asset, what the provider lists, what is recorded and what was published.

use std::collections::BTreeMap;

use fundhook_domain::{DecimalValue, Resource, ResourceId, Statement};
use serde::{Deserialize, Serialize};

use crate::credit::{asset_and_amount, credited, is_credit};
use crate::plan::furthest;
use crate::receipt::Receipt;

/// A number of deposits and their sum in whole coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many deposits.
    pub deposits: u64,
    /// Their sum.
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

/// The three totals of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTotalsLine {
    /// The asset's code; `-` when it is not named.
    pub asset: String,
    /// What the provider lists as succeeded.
    pub provider: Total,
    /// What is recorded as confirmed and is not a duplicate.
    pub ours: Total,
    /// What was published as confirmed.
    pub published: Total,
}

impl ControlTotalsLine {
    /// Adds the totals of another part of the same asset.
    pub fn add(&mut self, other: &Self) {
        self.provider.add(&other.provider);
        self.ours.add(&other.ours);
        self.published.add(&other.published);
    }

    /// Whether all three totals are equal.
    pub fn holds(&self) -> bool {
        self.provider == self.ours && self.ours == self.published
    }
}

/// Totals each asset over the listed rows `theirs`, the recorded deposits `ours`, and the receipts of those deposits.
///
/// Only credits count: a recorded deposit that is pending, failed or a duplicate does not, nor does a row that has not
/// succeeded. A row, deposit or receipt that occurs twice counts once.
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
    for row in furthest(theirs).filter(|row| is_credit(row)) {
        if let Some((asset, value)) = asset_and_amount(&row.content.details) {
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
