//! What a part of a backfill found, and several parts together.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, Kind, ListId, ListKind, Statement, Status, Timestamp};
use serde::{Deserialize, Serialize};

use crate::backfill::{BackfillMode, BackfillPlan, BackfillPosition, BackfillRequest};
use crate::discrepancy::Discrepancy;

/// How many sentences about rows that need review a part has at most. A function's answer has at most 6 MB.
const FINDINGS_MAX: usize = 500;

/// What one part of a backfill found, or several parts together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillPart {
    /// The first instant of the period.
    pub from: Timestamp,
    /// The first instant after the period.
    pub to: Timestamp,
    /// What was done with the rows.
    pub mode: BackfillMode,
    /// The lists that were read.
    pub lists: Vec<BackfilledList>,
    /// What needs review, one sentence each.
    pub findings: Vec<String>,
    /// How many more sentences there would be: there is no room for them.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub findings_omitted: u64,
    /// Where to continue; `None` when everything was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<BackfillPosition>,
    /// Why it stopped, if something failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<String>,
}

/// What was found in one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfilledList {
    /// The organization's feed of the provider.
    pub feed: Feed,
    /// The list.
    pub list: ListKind,
    /// How many pages were read.
    pub pages: u64,
    /// How many rows of the period were on them.
    pub rows: u64,
    /// How many resources were recorded already as they are listed.
    pub recorded: u64,
    /// How many rows were queued, or would be, by what they state: `deposit.confirmed`.
    pub queued: BTreeMap<String, u64>,
    /// How many may be credited already under another id. They are never queued.
    pub ambiguous: u64,
    /// How many differ from what is recorded, and are not queued.
    pub differing: u64,
    /// How many were not understood. They are queued as unrecognized.
    pub not_understood: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl BackfillPart {
    /// Nothing is read yet.
    pub fn new(request: &BackfillRequest, plan: &BackfillPlan) -> Self {
        let BackfillRequest { from, mode, .. } = *request;
        Self {
            from,
            to: plan.to(),
            mode,
            lists: Vec::new(),
            findings: Vec::new(),
            findings_omitted: 0,
            next: None,
            failed: None,
        }
    }

    /// The counts of `list`.
    pub fn list(&mut self, list: &ListId) -> &mut BackfilledList {
        let known = self.lists.iter().position(|known| known.is_of(list));
        let at = known.unwrap_or_else(|| {
            self.lists.push(BackfilledList::none(list));
            self.lists.len() - 1
        });
        &mut self.lists[at]
    }

    /// Whether nothing needs review: every row was understood, and none contradicts what is recorded or may be credited
    /// already.
    pub fn is_well(&self) -> bool {
        self.findings.is_empty() && self.lists.iter().all(|list| list.not_understood == 0)
    }

    /// Adds sentences about what needs review, each once and as long as there is room.
    pub fn add_findings(&mut self, findings: impl IntoIterator<Item = String>) {
        for finding in findings {
            if self.findings.contains(&finding) {
                continue;
            }
            match self.findings.len() < FINDINGS_MAX {
                true => self.findings.push(finding),
                false => self.findings_omitted += 1,
            }
        }
    }

    /// Adds the part that continues this one.
    pub fn add(&mut self, later: Self) {
        for list in &later.lists {
            self.list(&ListId::new(&list.feed, list.list)).add(list);
        }
        self.add_findings(later.findings);
        self.findings_omitted += later.findings_omitted;
        (self.to, self.next, self.failed) = (later.to, later.next, later.failed);
    }
}

impl BackfilledList {
    fn none(list: &ListId) -> Self {
        let (feed, list) = (list.feed().clone(), list.kind());
        let (pages, rows, recorded, ambiguous, differing, not_understood) = (0, 0, 0, 0, 0, 0);
        Self { feed, list, pages, rows, recorded, queued: BTreeMap::new(), ambiguous, differing, not_understood }
    }

    fn is_of(&self, list: &ListId) -> bool {
        (&self.feed, self.list) == (list.feed(), list.kind())
    }

    /// How many rows were queued, or would be.
    pub fn queued_in_all(&self) -> u64 {
        self.queued.values().sum()
    }

    /// Counts what was queued of a page.
    pub fn count_queued(&mut self, discrepancies: &[Discrepancy]) {
        let queued = discrepancies.iter().filter(|discrepancy| discrepancy.to_queue().is_some());
        for row in queued.filter_map(Discrepancy::theirs) {
            let status = row.content.status.map_or("without_status", Status::as_str);
            *self.queued.entry(format!("{}.{status}", row.resource.kind())).or_default() += 1;
        }
    }

    /// Counts a page that was read completely.
    pub fn count_page(&mut self, rows: &[Statement], discrepancies: &[Discrepancy]) {
        self.pages += 1;
        self.rows += rows.len() as u64;
        self.not_understood += rows.iter().filter(|row| row.resource.kind() == Kind::Unrecognized).count() as u64;
        let mut differs = BTreeSet::new();
        for discrepancy in discrepancies {
            match discrepancy {
                Discrepancy::Differs { .. } => self.differing += u64::from(discrepancy.to_queue().is_none()),
                Discrepancy::Ambiguous { .. } => self.ambiguous += 1,
                Discrepancy::Missing { .. }
                | Discrepancy::Behind { .. }
                | Discrepancy::Incomplete { .. }
                | Discrepancy::StatusMissed { .. }
                | Discrepancy::UnknownToTheProvider { .. }
                | Discrepancy::CreditedTwice { .. }
                | Discrepancy::UnrecordedMovement { .. } => {}
            }
            differs.extend(discrepancy.theirs().map(|row| &row.resource));
        }
        let listed: BTreeSet<_> = rows.iter().map(|row| &row.resource).collect();
        self.recorded += listed.difference(&differs).count() as u64;
    }

    fn add(&mut self, later: &Self) {
        let Self { feed: _, list: _, pages, rows, recorded, queued, ambiguous, differing, not_understood } = later;
        self.pages += pages;
        self.rows += rows;
        self.recorded += recorded;
        self.ambiguous += ambiguous;
        self.differing += differing;
        self.not_understood += not_understood;
        for (what, count) in queued {
            *self.queued.entry(what.clone()).or_default() += count;
        }
    }
}
