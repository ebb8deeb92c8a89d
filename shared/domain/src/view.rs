//! What the facts about a resource add up to.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{Details, Evidence, Fact, FactId, Status, Timestamp};

/// What a set of facts adds up to. Equal for equal sets, whatever order they were recorded in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The status of the fact that stands: the one with the greatest (is final, rank, occurred at).
    pub status: Status,
    /// When the provider says that status was reached.
    pub occurred_at: Timestamp,
    /// What all facts say, the one that stands over the others.
    pub details: Details,
    /// The final statuses that contradict each other; empty unless there are at least two.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The status it reported.
    pub status: String,
    /// When the provider says it happened.
    pub occurred_at: Timestamp,
    /// Its name in the provider's words.
    pub event_type: String,
}

impl View {
    /// What `facts` add up to; `None` when there are none.
    pub(crate) fn of(facts: &[Fact]) -> Option<Self> {
        let mut canonical: Vec<&Fact> = facts.iter().collect();
        canonical.sort_by(|a, b| standing(a, b));
        let (first, rest) = canonical.split_first()?;
        let stands = rest.last().unwrap_or(first);

        let mut details = first.details.clone();
        rest.iter().for_each(|fact| details.overlay(&fact.details));

        let mut finals: Vec<Status> = facts.iter().map(|fact| fact.status).filter(|status| status.is_final()).collect();
        finals.sort_unstable();
        finals.dedup();

        Some(Self {
            status: stands.status,
            occurred_at: stands.occurred_at,
            details,
            conflicting: if finals.len() > 1 { finals } else { Vec::new() },
            history: history(&canonical),
            fact: stands.id.clone(),
            evidence: stands.evidence.clone(),
        })
    }
}

/// The order in which facts stand over each other. What they say settles ties, so that a statement repeated in other
/// bytes, which publishes nothing, never puts one statement over another; the digest then makes the order total.
fn standing(a: &Fact, b: &Fact) -> Ordering {
    let progress = |fact: &Fact| (fact.status.is_final(), fact.status.rank(), fact.occurred_at, fact.status);
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
