//! Views: what the facts about a resource add up to.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::details::Details;
use super::evidence::Evidence;
use super::fact::Fact;
use super::statement::StatementContent;
use crate::{DepositStatus, FactId, Kind, Status, StatusRule, Timestamp};

/// What a set of facts adds up to. Equal sets have equal views, whatever order their facts were recorded in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The status. It follows from the kind's [`StatusRule`]:
    ///
    /// - [`Furthest`](StatusRule::Furthest): the status of the statement with the greatest (is final, rank, sent rather
    ///   than listed, time).
    /// - [`Latest`](StatusRule::Latest): the status of the latest statement.
    /// - [`Sum`](StatusRule::Sum): the status computed from the merged details.
    pub status: Status,
    /// When the resource reached the status, according to the provider.
    pub occurred_at: Timestamp,
    /// The details of all statements, merged: those of a superseding statement replace those of the others.
    pub details: Details,
    /// The final statuses that conflict; empty unless there are at least two of the same rank.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conflicting: Vec<Status>,
    /// Every different statement; each supersedes those before it.
    pub history: Vec<HistoryEntry>,
    /// The fact that supersedes all others.
    pub fact: FactId,
    /// The evidence for that fact.
    pub evidence: Evidence,
}

/// One statement of a provider about a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEntry {
    /// The status that the statement reported.
    pub status: String,
    /// When it happened, according to the provider.
    pub occurred_at: Timestamp,
    /// The provider's name for the event; empty when the webhook names none.
    pub event_type: String,
}

impl View {
    /// What `facts` about a resource of `kind` add up to; `None` when they hold no statement.
    pub(super) fn of(kind: Kind, facts: &[Fact]) -> Option<Self> {
        let mut statements: Vec<&StatementContent> = facts.iter().filter_map(Fact::statement).collect();
        statements.sort_by(|a, b| precedence(kind.status_rule(), a, b));
        let (first, rest) = statements.split_first()?;
        let last = rest.last().unwrap_or(first);

        let mut details = first.details.clone();
        rest.iter().for_each(|statement| details.merge(&statement.details));
        let status = match &details {
            Details::Recovery(recovery) => recovery.status(),
            Details::Transfer(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => last.status,
        };
        Some(Self {
            status,
            occurred_at: last.occurred_at,
            details,
            conflicting: conflicting(kind, &statements),
            history: history(&statements),
            fact: last.id.clone(),
            evidence: last.evidence.clone(),
        })
    }

    /// Whether this is a deposit that may be credited.
    pub fn is_confirmed_deposit(&self) -> bool {
        self.status == Status::Deposit(DepositStatus::Confirmed) && self.conflicting.is_empty()
    }
}

/// The final statuses of the highest rank, when there are several.
fn conflicting(kind: Kind, statements: &[&StatementContent]) -> Vec<Status> {
    if kind.status_rule() != StatusRule::Furthest {
        return Vec::new();
    }
    let finals = statements.iter().map(|statement| statement.status).filter(|status| status.is_final());
    let highest = finals.clone().map(Status::rank).max();
    let mut conflicting: Vec<Status> = finals.filter(|status| Some(status.rank()) == highest).collect();
    conflicting.sort_unstable();
    conflicting.dedup();
    if conflicting.len() > 1 { conflicting } else { Vec::new() }
}

/// The order in which statements supersede each other: the greatest one supersedes all others.
///
/// Ties are settled by the content first. So a statement that is repeated in other bytes, which publishes no event,
/// never makes one statement supersede another. The digest then makes the order total.
fn precedence(status_rule: StatusRule, a: &StatementContent, b: &StatementContent) -> Ordering {
    let progress = |statement: &StatementContent| {
        let (is_final, rank) = (statement.status.is_final(), statement.status.rank());
        let was_sent = !statement.evidence.is_from_api();
        let foremost = match status_rule {
            StatusRule::Furthest => (is_final, rank, was_sent),
            StatusRule::Latest | StatusRule::Sum => (false, 0, false),
        };
        (foremost, statement.occurred_at, (is_final, rank), statement.status)
    };
    let content = |statement: &StatementContent| {
        (statement.event_type.clone(), serde_json::to_string(&statement.details).unwrap_or_default())
    };
    progress(a).cmp(&progress(b)).then_with(|| content(a).cmp(&content(b))).then_with(|| a.id.cmp(&b.id))
}

fn history(statements: &[&StatementContent]) -> Vec<HistoryEntry> {
    let is_new = |at: usize| !statements[..at].iter().any(|known| known.has_same_content_as(statements[at]));
    let different = statements.iter().enumerate().filter(|(at, _)| is_new(*at));
    different
        .map(|(_, statement)| HistoryEntry {
            status: statement.status.as_str().to_owned(),
            occurred_at: statement.occurred_at,
            event_type: statement.event_type.clone(),
        })
        .collect()
}
