//! The report of a closed window of time.

use fundhook_domain::{Feed, ListId, ListKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ControlTotalsLine;

/// The control totals of one list over a closed window of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The organization's feed of the provider whose list was read.
    pub feed: Feed,
    /// The list that was read.
    pub list: ListKind,
    /// The first instant inside the window.
    pub from: Timestamp,
    /// The first instant after the window.
    pub before: Timestamp,
    /// When the report was made.
    pub made_at: Timestamp,
    /// The totals of each asset.
    pub lines: Vec<ControlTotalsLine>,
    /// How recorded and listed deposits differ, one sentence each.
    pub discrepancies: Vec<String>,
    /// How many listed rows were not understood or have no date, and therefore count in no line.
    #[serde(default)]
    pub not_understood: u32,
}

impl Report {
    /// The list that was read.
    pub fn list_id(&self) -> ListId {
        ListId::new(&self.feed, self.list)
    }

    /// How many lines and rows show a difference: the value of the metric `ControlTotalsDifferences`.
    pub fn differences(&self) -> u64 {
        self.lines.iter().filter(|line| !line.holds()).count() as u64 + u64::from(self.not_understood)
    }

    /// Whether both reports state the same totals.
    pub fn has_same_totals_as(&self, other: &Self) -> bool {
        self.lines == other.lines && self.not_understood == other.not_understood
    }
}
