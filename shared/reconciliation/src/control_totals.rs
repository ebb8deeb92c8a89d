//! Control totals: per flow and asset, what the provider lists, what is recorded, what was published and what was posted.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{DecimalValue, Resource, ResourceId, Statement, Timestamp};
use serde::{Deserialize, Serialize};

use crate::moved::{Flow, Moved, moved_by, moved_by_row};
use crate::plan::furthest;
use crate::receipt::Receipt;

/// How long after a fact was received its event may still be on its way. An alarm watches the delay of the stream, and its
/// limit is shorter.
const ON_ITS_WAY: Duration = Duration::from_secs(900);

/// A number of amounts and their sum in whole coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub total: DecimalValue,
}

impl Default for Total {
    fn default() -> Self {
        Self { count: 0, total: DecimalValue::zero() }
    }
}

impl Total {
    fn count(&mut self, value: &DecimalValue) {
        self.count += 1;
        self.total = self.total.clone() + value;
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.total = self.total.clone() + &other.total;
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.add(other);
        sum
    }
}

/// The totals of one flow of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTotalsLine {
    /// The asset's code; `-` when it is not named.
    pub asset: String,
    /// Which way the money went.
    pub flow: Flow,
    /// What the provider lists.
    pub provider: Total,
    /// What is recorded, and is neither in conflict nor a duplicate.
    pub ours: Total,
    /// What was published.
    pub published: Total,
    /// What the postings of the published events add up to.
    pub posted: Total,
    /// What is recorded so recently that its event may not have been published yet.
    #[serde(default)]
    pub on_its_way: Total,
    /// What a backfill recorded and did not publish: the opening balance, which no event tells.
    #[serde(default)]
    pub opening: Total,
}

impl ControlTotalsLine {
    fn empty(flow: Flow, asset: &str) -> Self {
        Self {
            asset: asset.to_owned(),
            flow,
            provider: Total::default(),
            ours: Total::default(),
            published: Total::default(),
            posted: Total::default(),
            on_its_way: Total::default(),
            opening: Total::default(),
        }
    }

    /// Whether the line is about this flow and asset.
    pub fn is_of(&self, other: &Self) -> bool {
        (self.flow, &self.asset) == (other.flow, &other.asset)
    }

    /// Adds the totals of another part of the same flow and asset.
    pub fn add(&mut self, other: &Self) {
        self.provider.add(&other.provider);
        self.ours.add(&other.ours);
        self.published.add(&other.published);
        self.posted.add(&other.posted);
        self.on_its_way.add(&other.on_its_way);
        self.opening.add(&other.opening);
    }

    /// Whether the totals are equal. What is still on its way counts as published, and so does the opening balance.
    pub fn holds(&self) -> bool {
        let is_ours = |told: &Total| self.ours == told.plus(&self.on_its_way).plus(&self.opening);
        self.provider == self.ours && is_ours(&self.published) && is_ours(&self.posted)
    }
}

/// The totals of a part of a window, and where what is recorded was not published as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// A line for each asset and flow.
    pub lines: Vec<ControlTotalsLine>,
    /// One sentence for each resource whose event or postings differ from what is recorded.
    pub unpublished: Vec<String>,
}

/// Totals each flow and asset over the listed rows `theirs`, the recorded resources `ours`, and the receipts of those
/// resources, at `now`.
///
/// Only money that has arrived or left counts: what is pending, failed, in conflict or a duplicate does not. A row, resource or
/// receipt that occurs twice counts once.
pub fn control_totals(ours: &[Resource], theirs: &[Statement], receipts: &[Receipt], now: Timestamp) -> Totals {
    let mut lines = Lines::default();
    for row in furthest(theirs) {
        lines.count(&moved_by_row(row), |line| &mut line.provider);
    }
    let distinct: BTreeMap<&ResourceId, &Resource> = ours.iter().map(|resource| (resource.id(), resource)).collect();
    let receipts: BTreeMap<&ResourceId, &Receipt> =
        receipts.iter().map(|receipt| (&receipt.resource, receipt)).collect();
    let mut unpublished = Vec::new();
    for (id, resource) in distinct {
        let recorded = moved_by(resource);
        lines.count(&recorded, |line| &mut line.ours);
        let receipt = receipts.get(id);
        let (published, posted) = match receipt {
            Some(receipt) => (receipt.moved.as_slice(), receipt.posted.as_slice()),
            None => (&[][..], &[][..]),
        };
        // No event told it, or only one that changed nothing of it.
        if receipt.is_none() && recorded == moved_by(&resource.opening()) {
            lines.count(&recorded, |line| &mut line.opening);
            continue;
        }
        if published != recorded && is_on_its_way(resource, now) {
            lines.count(&recorded, |line| &mut line.on_its_way);
            continue;
        }
        lines.count(published, |line| &mut line.published);
        lines.count(posted, |line| &mut line.posted);
        let differs = [("published", published), ("posted", posted)].into_iter().find(|(_, moved)| *moved != recorded);
        unpublished.extend(
            differs.map(|(how, moved)| {
                format!("{id} is recorded as {} and was {how} as {}", words(&recorded), words(moved))
            }),
        );
    }
    Totals { lines: lines.0.into_values().collect(), unpublished }
}

/// Whether the last fact of the resource is so recent that its event may not have been published yet.
fn is_on_its_way(resource: &Resource, now: Timestamp) -> bool {
    let received = resource.facts().last().map(|fact| fact.content.evidence().received_at);
    received.is_some_and(|received| now.since(received) < ON_ITS_WAY)
}

/// Amounts as words: `in 100 USDC, fees 1 USDC`.
fn words(moved: &[Moved]) -> String {
    if moved.is_empty() {
        return "nothing".to_owned();
    }
    let words: Vec<String> = moved.iter().map(ToString::to_string).collect();
    words.join(", ")
}

#[derive(Default)]
struct Lines(BTreeMap<(String, Flow), ControlTotalsLine>);

impl Lines {
    fn count(&mut self, moved: &[Moved], total: impl Fn(&mut ControlTotalsLine) -> &mut Total) {
        for Moved { flow, asset, value } in moved {
            let line = self.0.entry((asset.clone(), *flow));
            total(line.or_insert_with(|| ControlTotalsLine::empty(*flow, asset))).count(value);
        }
    }
}
