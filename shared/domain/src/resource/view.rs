//! What the facts about a resource add up to.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Course, DepositStatus, Details, Evidence, Fact, FactId, Kind, Status, Timestamp};

/// What a set of facts adds up to. Equal for equal sets, whatever order they were recorded in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Where the resource stands. On a road, the status of the fact with the greatest (is final, rank, occurred at), what
    /// the provider sent before what was read from its API; where
    /// the latest status stands, that of the latest fact; of a recovery, what the sum comes to.
    pub status: Status,
    /// When the provider says that status was reached.
    pub occurred_at: Timestamp,
    /// What all facts say, the one that stands over the others.
    pub details: Details,
    /// The final statuses of one rank that contradict each other; empty unless there are at least two.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conflicting: Vec<Status>,
    /// Every different statement, in the order in which they stand over each other.
    pub history: Vec<HistoryEntry>,
    /// The fact that stands.
    pub fact: FactId,
    /// Why it is believed.
    pub evidence: Evidence,
}

/// One statement of a provider about a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEntry {
    /// The status it reported.
    pub status: String,
    /// When the provider says it happened.
    pub occurred_at: Timestamp,
    /// Its name in the provider's words; empty when it gives itself none.
    pub event_type: String,
}

impl View {
    /// What `facts` about a resource of `kind` add up to; `None` when there are none.
    pub(crate) fn of(kind: Kind, facts: &[Fact]) -> Option<Self> {
        let mut canonical: Vec<&Fact> = facts.iter().filter(|fact| !fact.overdue).collect();
        canonical.sort_by(|a, b| standing(kind.course(), a, b));
        let (first, rest) = canonical.split_first()?;
        let stands = rest.last().unwrap_or(first);

        let mut details = first.details.clone();
        rest.iter().for_each(|fact| details.overlay(&fact.details));
        let status = match &details {
            Details::Recovery(recovery) => recovery.status(),
            Details::Transfer(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => {
                stands.status
            }
        };
        Some(Self {
            status,
            occurred_at: stands.occurred_at,
            details,
            conflicting: conflicting(kind, facts),
            history: history(&canonical),
            fact: stands.id.clone(),
            evidence: stands.evidence.clone(),
        })
    }

    /// Whether this is a deposit that may be credited.
    pub fn is_confirmed_deposit(&self) -> bool {
        self.status == Status::Deposit(DepositStatus::Confirmed) && self.conflicting.is_empty()
    }
}

/// The final statuses of the highest rank, when there are several.
fn conflicting(kind: Kind, facts: &[Fact]) -> Vec<Status> {
    if kind.course() != Course::Road {
        return Vec::new();
    }
    let finals = facts.iter().map(|fact| fact.status).filter(|status| status.is_final());
    let highest = finals.clone().map(Status::rank).max();
    let mut contradicting: Vec<Status> = finals.filter(|status| Some(status.rank()) == highest).collect();
    contradicting.sort_unstable();
    contradicting.dedup();
    if contradicting.len() > 1 { contradicting } else { Vec::new() }
}

/// The order in which facts stand over each other. What they say settles ties, so that a statement repeated in other
/// bytes, which publishes nothing, never puts one statement over another; the digest then makes the order total.
fn standing(course: Course, a: &Fact, b: &Fact) -> Ordering {
    let progress = |fact: &Fact| {
        let (is_final, rank, was_sent) = (fact.status.is_final(), fact.status.rank(), !fact.evidence.is_from_the_api());
        match course {
            Course::Road => ((is_final, rank, was_sent), fact.occurred_at, (is_final, rank), fact.status),
            Course::Latest | Course::Sum => ((false, 0, false), fact.occurred_at, (is_final, rank), fact.status),
        }
    };
    let said = |fact: &Fact| (fact.event_type.clone(), serde_json::to_string(&fact.details).unwrap_or_default());
    progress(a).cmp(&progress(b)).then_with(|| said(a).cmp(&said(b))).then_with(|| a.id.cmp(&b.id))
}

fn history(canonical: &[&Fact]) -> Vec<HistoryEntry> {
    let is_new = |at: usize| !canonical[..at].iter().any(|known| known.says_the_same_as(canonical[at]));
    let statements = canonical.iter().enumerate().filter(|(at, _)| is_new(*at));
    statements
        .map(|(_, fact)| HistoryEntry {
            status: fact.status.as_str().to_owned(),
            occurred_at: fact.occurred_at,
            event_type: fact.event_type.clone(),
        })
        .collect()
}
