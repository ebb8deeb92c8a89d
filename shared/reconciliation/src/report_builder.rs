//! Builds a report page by page.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{FactId, Kind, ListId, ListedAt, Resource, ResourceId, Statement, Timestamp};

use crate::control_totals::{ControlTotalsLine, Totals, control_totals};
use crate::discrepancy::Discrepancy;
use crate::moved::{Flow, moved_by_row};
use crate::receipt::Receipt;
use crate::report::Report;
use crate::window::ClosedWindow;

/// How many sentences about discrepancies a report has at most: an item of the table holds 400 KB.
const DISCREPANCIES_MAX: usize = 500;

/// The totals of a window while its pages are read.
///
/// Each row, deposit and receipt counts once, on whichever pages it occurs.
#[derive(Debug)]
pub struct ReportBuilder {
    window: ClosedWindow,
    lines: BTreeMap<(String, Flow), ControlTotalsLine>,
    discrepancies: Vec<String>,
    /// The resources whose rows were counted.
    counted_rows: BTreeSet<ResourceId>,
    /// The recorded resources that were counted.
    counted_resources: BTreeSet<ResourceId>,
    /// The rows that cannot be counted.
    not_understood: BTreeSet<FactId>,
}

impl ReportBuilder {
    /// An empty report of `window`.
    pub fn new(window: ClosedWindow) -> Self {
        Self {
            window,
            lines: BTreeMap::new(),
            discrepancies: Vec::new(),
            counted_rows: BTreeSet::new(),
            counted_resources: BTreeSet::new(),
            not_understood: BTreeSet::new(),
        }
    }

    /// Whether the row is to be compared and counted: it is dated in the window, and no row about its resource was counted
    /// before. A row that should have a date and has none, or was not understood, is noted in the report, once.
    pub fn admits(&mut self, row: &Statement, dated: ListedAt) -> bool {
        let is_in_window = match dated {
            ListedAt::At(at) => self.window.contains(at),
            ListedAt::AsRequested => true,
            ListedAt::Missing => false,
        };
        let is_not_understood =
            dated == ListedAt::Missing || (is_in_window && row.resource.kind() == Kind::Unrecognized);
        if is_not_understood && self.not_understood.insert(row.content.id.clone()) {
            self.add_sentence(format!("{} is listed and not understood, and in no total", row.resource));
        }
        is_in_window && !self.counted_rows.contains(&row.resource)
    }

    /// Adds a sentence about each discrepancy, as long as the report has room.
    pub fn add_discrepancies<'a>(&mut self, discrepancies: impl IntoIterator<Item = &'a Discrepancy>) {
        for discrepancy in discrepancies {
            self.add_sentence(discrepancy.to_string());
        }
    }

    /// Those of `recorded` that were not counted before.
    pub fn uncounted(&self, mut recorded: Vec<Resource>) -> Vec<Resource> {
        recorded.retain(|resource| !self.counted_resources.contains(resource.id()));
        recorded
    }

    /// Those of the ids whose resources were not counted before: no row in the window is about them.
    pub fn uncounted_ids(&self, mut ids: Vec<ResourceId>) -> Vec<ResourceId> {
        ids.retain(|id| !self.counted_resources.contains(id));
        ids
    }

    /// Counts rows, the resources recorded for them, and their receipts, at `now`. `recorded` was not counted before (see
    /// [`Self::uncounted`]).
    pub fn count(&mut self, recorded: &[Resource], rows: &[Statement], receipts: &[Receipt], now: Timestamp) {
        let Totals { lines, unpublished } = control_totals(recorded, rows, receipts, now);
        for line in lines {
            match self.lines.get_mut(&(line.asset.clone(), line.flow)) {
                Some(known) => known.add(&line),
                None => drop(self.lines.insert((line.asset.clone(), line.flow), line)),
            }
        }
        unpublished.into_iter().for_each(|sentence| self.add_sentence(sentence));
        // A row about money that has not moved counts for nothing, and a later page may have one about the same that has.
        let moved = rows.iter().filter(|row| !moved_by_row(row).is_empty());
        self.counted_rows.extend(moved.map(|row| row.resource.clone()));
        self.counted_resources.extend(recorded.iter().map(|resource| resource.id().clone()));
    }

    /// The report of `list`, made at `made_at`.
    pub fn finish(self, list: &ListId, made_at: Timestamp) -> Report {
        Report {
            feed: list.feed().clone(),
            list: list.kind(),
            from: self.window.from,
            before: self.window.before,
            made_at,
            lines: self.lines.into_values().collect(),
            discrepancies: self.discrepancies,
            not_understood: u32::try_from(self.not_understood.len()).unwrap_or(u32::MAX),
        }
    }

    fn add_sentence(&mut self, sentence: String) {
        if self.discrepancies.len() < DISCREPANCIES_MAX {
            self.discrepancies.push(sentence);
        }
    }
}
