//! The state of one run.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, ListId, ResourceId, Timestamp};
use fundhook_reconciliation::{RowCounts, RunSummary};

use crate::ReconcileError;
use crate::budget::Budget;
use crate::list_reader::ReadableLists;

/// How many requests about single rows may fail in a row before the list counts as down. One row that the provider cannot
/// answer about is not an outage.
const FAILURES_IN_A_ROW_MAX: u32 = 3;

/// A run in progress.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) summary: RunSummary,
    pub(crate) lists: ReadableLists,
    pub(crate) outages: Outages,
    /// The first failed request that did not stop anything else. The run returns it at its end.
    pub(crate) first_skipped: Option<ReconcileError>,
    /// Whether a provider lists these deposits under their ids. Each is asked once in a run.
    pub(crate) listed: BTreeMap<ResourceId, bool>,
    /// How many rows of each feed's lists were read for the first time, and how many of them no webhook told.
    pub(crate) counted: BTreeMap<Feed, RowCounts>,
}

/// One phase of a run, with the time that it may use.
#[derive(Debug)]
pub(crate) struct Phase<'run> {
    pub(crate) run: &'run mut Run,
    budget: Budget,
}

/// Which lists cannot be read in this run. They are not requested again until the next one.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    down: BTreeSet<ListId>,
    failures_in_a_row: BTreeMap<ListId, u32>,
}

/// What a failed request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailedRequest {
    /// One row by its id; the provider was reached.
    SingleRow,
    /// A page of the list, or a token.
    ListOrToken,
}

impl Run {
    pub(crate) fn new(lists: ReadableLists) -> Self {
        Self {
            summary: RunSummary { complete: true, ..RunSummary::default() },
            lists,
            outages: Outages::default(),
            first_skipped: None,
            listed: BTreeMap::new(),
            counted: BTreeMap::new(),
        }
    }

    /// Begins a phase that may use `budget`.
    pub(crate) fn phase(&mut self, budget: Budget) -> Phase<'_> {
        Phase { run: self, budget }
    }
}

impl Phase<'_> {
    /// Whether the phase must not begin another step at `now`. If so, the run is no longer complete.
    pub(crate) fn is_out_of_time(&mut self, now: Timestamp) -> bool {
        let is_spent = self.budget.is_spent(now);
        self.run.summary.complete &= !is_spent;
        is_spent
    }
}

impl Outages {
    pub(crate) fn is_down(&self, list: &ListId) -> bool {
        self.down.contains(list)
    }

    pub(crate) fn answered(&mut self, list: &ListId) {
        self.failures_in_a_row.remove(list);
    }

    pub(crate) fn failed(&mut self, list: &ListId, request: FailedRequest) {
        let failures = self.failures_in_a_row.entry(list.clone()).or_default();
        *failures += 1;
        if request == FailedRequest::ListOrToken || *failures >= FAILURES_IN_A_ROW_MAX {
            self.down.insert(list.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use fundhook_domain::{ListKind, Provider};

    use super::*;

    #[test]
    fn a_provider_is_down_after_a_failed_page_or_three_failed_deposits_in_a_row() {
        use FailedRequest::{ListOrToken, SingleRow};
        let list = ListId::new(&Provider::Connect.into(), ListKind::ConnectTransactions);
        for (requests, is_down) in [
            (&[Some(ListOrToken)][..], true),
            (&[Some(SingleRow), Some(SingleRow)], false),
            (&[Some(SingleRow), Some(SingleRow), Some(SingleRow)], true),
            (&[Some(SingleRow), Some(SingleRow), None, Some(SingleRow)], false),
            (&[None], false),
        ] {
            let mut outages = Outages::default();
            for request in requests {
                match request {
                    Some(request) => outages.failed(&list, *request),
                    None => outages.answered(&list),
                }
            }
            assert_eq!(outages.is_down(&list), is_down, "{requests:?}");
        }
    }
}
