//! The state of one run.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, ResourceId, Timestamp};
use fundhook_reconciliation::RunSummary;

use crate::ReconcileError;
use crate::budget::Budget;

/// How many requests about single deposits may fail in a row before the provider counts as down. One deposit that it
/// cannot answer about is not an outage.
const FAILURES_IN_A_ROW_MAX: u32 = 3;

/// A run in progress.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) summary: RunSummary,
    pub(crate) feeds: ReadableFeeds,
    pub(crate) outages: Outages,
    /// The first failed request that did not stop anything else. The run returns it at its end.
    pub(crate) first_skipped: Option<ReconcileError>,
    /// Whether the provider lists these deposits under their ids. Each is asked once in a run.
    pub(crate) listed: BTreeMap<ResourceId, bool>,
}

/// One phase of a run, with the time that it may use.
#[derive(Debug)]
pub(crate) struct Phase<'run> {
    pub(crate) run: &'run mut Run,
    budget: Budget,
}

/// The feeds whose lists can be read: those whose organizations have credentials for the provider's API.
#[derive(Clone, Debug)]
pub(crate) enum ReadableFeeds {
    Known(Vec<Feed>),
    /// The credentials could not be read.
    Unknown,
}

/// Which providers do not answer in this run. They are not asked again until the next one.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    down: BTreeSet<Feed>,
    failures_in_a_row: BTreeMap<Feed, u32>,
}

/// What a failed request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailedRequest {
    /// One deposit by its id; the provider was reached.
    SingleDeposit,
    /// A page of the list, or a token.
    ListOrToken,
}

impl Run {
    pub(crate) fn new(feeds: ReadableFeeds) -> Self {
        Self {
            summary: RunSummary { complete: true, ..RunSummary::default() },
            feeds,
            outages: Outages::default(),
            first_skipped: None,
            listed: BTreeMap::new(),
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

impl ReadableFeeds {
    /// The feeds, none if they are unknown.
    pub(crate) fn known(&self) -> &[Feed] {
        match self {
            Self::Known(feeds) => feeds,
            Self::Unknown => &[],
        }
    }
}

impl Outages {
    pub(crate) fn is_down(&self, feed: &Feed) -> bool {
        self.down.contains(feed)
    }

    pub(crate) fn answered(&mut self, feed: &Feed) {
        self.failures_in_a_row.remove(feed);
    }

    pub(crate) fn failed(&mut self, feed: &Feed, request: FailedRequest) {
        let failures = self.failures_in_a_row.entry(feed.clone()).or_default();
        *failures += 1;
        if request == FailedRequest::ListOrToken || *failures >= FAILURES_IN_A_ROW_MAX {
            self.down.insert(feed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use fundhook_domain::Provider;

    use super::*;

    #[test]
    fn a_provider_is_down_after_a_failed_page_or_three_failed_deposits_in_a_row() {
        use FailedRequest::{ListOrToken, SingleDeposit};
        let feed: Feed = Provider::Connect.into();
        for (requests, is_down) in [
            (&[Some(ListOrToken)][..], true),
            (&[Some(SingleDeposit), Some(SingleDeposit)], false),
            (&[Some(SingleDeposit), Some(SingleDeposit), Some(SingleDeposit)], true),
            (&[Some(SingleDeposit), Some(SingleDeposit), None, Some(SingleDeposit)], false),
            (&[None], false),
        ] {
            let mut outages = Outages::default();
            for request in requests {
                match request {
                    Some(request) => outages.failed(&feed, *request),
                    None => outages.answered(&feed),
                }
            }
            assert_eq!(outages.is_down(&feed), is_down, "{requests:?}");
        }
    }
}
