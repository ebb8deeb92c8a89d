//! Views: what the facts about a resource add up to.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::beside::conflict_between;
use super::coins::entries;
use super::decision::{self, Decision, DecisionSummary, Verdict};
use super::details::Details;
use super::evidence::Evidence;
use super::fact::Fact;
use super::precedence::{Placed, Precedence, history, in_order};
use super::recorded::Recorded;
use super::relation::Relations;
use super::second_name::owner_in;
use super::statement::{Reading, StatementContent};
use crate::{
    DecimalValue, DepositStatus, FactId, Hold, HoldForce, HoldReason, Kind, Needs, RecoveryDetails, ResourceId, Status,
    StatusRule, Timestamp, WithdrawalStatus,
};

/// What a set of facts adds up to. Equal sets have equal views, whatever order their facts were recorded in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The status; `None` when no statement reports one. It follows from the kind's [`StatusRule`]:
    ///
    /// - [`Furthest`](StatusRule::Furthest): the status of the statement with the greatest [`Precedence`].
    /// - [`Latest`](StatusRule::Latest): the status of the latest statement that reports one.
    /// - [`Sum`](StatusRule::Sum): the status computed from the merged details.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<Status>,
    /// When the resource reached the status, according to the provider.
    pub occurred_at: Timestamp,
    /// The details of all statements, merged: those of a superseding statement replace those of the others.
    pub details: Details,
    /// The resource that counts in place of this one: the deposit that is credited with the same coin, or the resource
    /// that this one is a second name of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duplicate_of: Option<ResourceId>,
    /// The deposit that books the coin of this one: it reports the same coin as to be returned, or in quarantine, and came
    /// first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub booked_by: Option<ResourceId>,
    /// The deposit that this one may be. It is held for that, unless it turned out to be a duplicate or conflicts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resembles: Option<ResourceId>,
    /// What [conflicts](crate::beside) with the final status; `None` when nothing does, and for a second name: its owner
    /// has the same statements, so the conflict is reviewed there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conflict: Option<Conflict>,
    /// What a recovery's payments returned beyond what had arrived before, unless a person resolved it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub surplus: Option<DecimalValue>,
    /// Every different statement; each supersedes those before it.
    pub history: Vec<HistoryEntry>,
    /// The fact that supersedes all others.
    pub fact: FactId,
    /// How that fact was read.
    pub reading: Reading,
    /// The evidence for that fact.
    pub evidence: Evidence,
    /// What a person decided about the resource.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<DecisionSummary>,
}

/// Statements that exclude each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Their statuses. A single one when all state the same status and different money.
    pub statuses: Vec<Status>,
    /// What they state differently: `status`, `amount`, `purpose`, `asset`, `account`, `credit`.
    pub about: Vec<String>,
    /// The other resources whose statements exclude those of this one; empty when its own statements exclude each other.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub with: BTreeSet<ResourceId>,
}

impl Conflict {
    /// The conflict with each status and member once; `None` when it is about nothing.
    fn tidied(mut self) -> Option<Self> {
        self.about.sort_unstable();
        self.about.dedup();
        self.statuses.sort_unstable();
        self.statuses.dedup();
        (!self.about.is_empty()).then_some(self)
    }
}

/// One statement of a provider about a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEntry {
    /// The status that the statement reported; missing when it reported none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
    /// Why it reported a deposit as held.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hold: Option<HoldReason>,
    /// When it happened, according to the provider.
    pub occurred_at: Timestamp,
    /// The provider's name for the event; empty when the webhook names none.
    pub event_type: String,
}

impl View {
    /// What `facts` about the resource `id` add up to; `None` when they hold no statement.
    pub(super) fn of(id: &ResourceId, facts: &[Fact]) -> Option<Self> {
        let (recorded, decision) = (Recorded::among(facts), decision::standing(facts));
        let mut view = Self::of_statements(id, &recorded, decision)?;
        let relations = Relations::among(facts, decision);
        if !relations.is_empty() {
            view.relate(id, recorded.all(), &relations);
        }
        if let Some(owner) = owner_in(facts) {
            view.duplicate_of = Some(owner.clone());
            view.conflict = None;
        }
        if let Details::Recovery(recovery) = &view.details {
            let resolved = decision.and_then(|decision| known_to(decision, &recorded));
            view.surplus = recovery.surplus_unless(resolved.as_deref());
        }
        Some(view)
    }

    /// What the resource's own statements add up to, with what a person decided, whatever other resources say.
    pub(super) fn of_statements(id: &ResourceId, recorded: &Recorded<'_>, decision: Option<&Decision>) -> Option<Self> {
        let rule = id.kind().status_rule();
        let placed = in_order(rule, recorded);
        let (first, rest) = placed.split_first()?;
        let last = rest.last().unwrap_or(first);

        let mut details = stated(first).into_owned();
        rest.iter().for_each(|placed| details.merge(&stated(placed)));
        let status = match &details {
            Details::Recovery(recovery) => Some(recovery.status()),
            Details::Transfer(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => {
                placed.iter().rev().find_map(|placed| placed.statement.status)
            }
        };
        let settled =
            |statement: &StatementContent| decision.is_some_and(|known| known.settles(statement, recorded.all()));
        let conflict = match rule {
            StatusRule::Furthest => conflict(&placed, &details, recorded, settled),
            StatusRule::Latest | StatusRule::Sum => None,
        };
        let mut view = Self {
            status,
            occurred_at: last.precedence.occurred_at,
            details,
            duplicate_of: None,
            booked_by: None,
            resembles: None,
            conflict,
            surplus: None,
            history: history(&placed),
            fact: last.statement.id.clone(),
            reading: last.statement.reading.clone(),
            evidence: last.statement.evidence.clone(),
            decision: decision.map(Decision::summary),
        };
        if let Some(decision) = decision {
            let statements: Vec<&StatementContent> = placed.iter().map(|placed| placed.statement).collect();
            view.decide(decision, &statements, settled);
        }
        Some(view)
    }

    /// Applies what a person decided. What is not settled by it stays as it is.
    fn decide(
        &mut self,
        decision: &Decision,
        statements: &[&StatementContent],
        is_settled: impl Fn(&StatementContent) -> bool,
    ) {
        let confirmed = Some(Status::Deposit(DepositStatus::Confirmed));
        let confirming = |statement: &&&StatementContent| statement.status == confirmed;
        match &decision.verdict {
            Verdict::Resolved => {}
            Verdict::RejectedInFavourOf(other) => self.duplicate_of = Some(other.clone()),
            Verdict::Accepted => {
                // What a person accepts is the deposit's confirmation, whatever else was stated by then.
                let accepted = statements.iter().rev().find(confirming);
                let accepted = accepted.filter(|_| self.conflict.is_none() && self.status != confirmed);
                if let Some(credit) = accepted.and_then(|statement| statement.details.credit()) {
                    self.status = confirmed;
                    self.details.set_credit(credit.clone());
                }
            }
            Verdict::Rejected => {
                if let Some(last) = statements.last().filter(|last| matches!(last.status, Some(Status::Deposit(_)))) {
                    let later = statements.iter().filter(confirming).any(|statement| !is_settled(statement));
                    let statuses =
                        vec![Status::Deposit(DepositStatus::Confirmed), Status::Deposit(DepositStatus::Reversed)];
                    let conflict = Conflict { statuses, about: vec!["status".to_owned()], ..Conflict::default() };
                    self.status = Some(Status::Deposit(DepositStatus::Reversed));
                    self.conflict = later.then_some(conflict);
                    self.occurred_at = last.occurred_at;
                }
            }
        }
    }

    /// Adds what the relations say.
    fn relate(&mut self, id: &ResourceId, recorded: &[&StatementContent], relations: &Relations<'_>) {
        if let Details::Recovery(recovery) = &mut self.details {
            let of_recovery = |ids: BTreeSet<&ResourceId>| -> BTreeSet<ResourceId> {
                ids.into_iter().filter(|id| recovery.deposits.contains_key(*id)).cloned().collect()
            };
            let (suspended, decided) = (of_recovery(relations.contradicted()), of_recovery(relations.decided()));
            (recovery.suspended, recovery.decided) = (suspended, decided);
            self.status = Some(recovery.status());
            return;
        }
        let mut conflict = self.conflict.take().unwrap_or_default();
        for own in entries(id, recorded, self).values() {
            for other in relations.contradicting(own) {
                conflict.statuses.extend(self.status.into_iter().chain(other.fate.status()));
                conflict.about.extend(own.differences(other).into_iter().map(str::to_owned));
                conflict.with.insert(other.resource.clone());
            }
        }
        self.conflict = conflict.tidied();
        let is_confirmed = |status: &Status| *status == Status::Deposit(DepositStatus::Confirmed);
        if matches!(self.status, Some(Status::Deposit(DepositStatus::Unexpected | DepositStatus::Held))) {
            self.booked_by = relations.duplicate_of().cloned();
        }
        if self.status.iter().chain(self.conflicting()).any(is_confirmed)
            && let Some(owner) = relations.duplicate_of()
        {
            self.duplicate_of = Some(owner.clone());
        }
        if self.status.as_ref().is_some_and(is_confirmed)
            && let Some(other) = relations.resembles()
        {
            self.resembles = Some(other.clone());
            self.hold_as_similar(other);
        }
    }

    /// Holds the deposit because it may be `other`, unless it is a duplicate or conflicts.
    fn hold_as_similar(&mut self, other: &ResourceId) {
        if self.duplicate_of.is_none() && self.conflict.is_none() {
            self.status = Some(Status::Deposit(DepositStatus::Held));
            self.details.set_hold(Hold::from(HoldReason::MayBeCredited).because(format!(
                "It may be {other}, which was reported as credited: the same user, asset and amount, within days, and not both name \
                 their transactions."
            )));
        }
    }

    /// Whether this is a deposit that the provider credited, and that nothing contradicts. It may be the duplicate of one
    /// that is credited in its place.
    pub fn is_confirmed_deposit(&self) -> bool {
        self.status == Some(Status::Deposit(DepositStatus::Confirmed)) && self.conflict.is_none()
    }

    /// Whether this is a deposit that may be booked: [confirmed](Self::is_confirmed_deposit), and no duplicate.
    pub fn is_credited(&self) -> bool {
        self.is_confirmed_deposit() && self.duplicate_of.is_none()
    }

    /// Whether money has come in or left for good, going by what is recorded: a deposit that
    /// [may be booked](Self::is_credited), or a confirmed withdrawal that nothing contradicts.
    pub fn is_settled(&self) -> bool {
        let is_out = self.status == Some(Status::Withdrawal(WithdrawalStatus::Confirmed));
        self.is_credited() || (is_out && self.conflict.is_none() && self.duplicate_of.is_none())
    }

    /// Whether it needs review: statements conflict, a hold needs a review or a setting, or more was returned than had
    /// arrived.
    pub fn needs_review(&self) -> bool {
        let needs = self.details.hold().map(|hold| hold.needs);
        let is_held = self.status == Some(Status::Deposit(DepositStatus::Held));
        self.conflict.is_some()
            || self.surplus.is_some()
            || (is_held && matches!(needs, Some(Needs::Review | Needs::Setting)))
    }

    /// Whether a further statement of the provider is expected.
    ///
    /// None is expected of a second name, of a status that is final, of a kind that has no end or only final statuses, of
    /// a session that the user left, and of a deposit that the provider is done with.
    pub fn is_awaited(&self, kind: Kind) -> bool {
        if self.duplicate_of.is_some() {
            return false;
        }
        let Some(status) = self.status else {
            let has_open_status = Status::ALL.into_iter().any(|status| status.kind() == kind && !status.is_final());
            return kind.status_rule() == StatusRule::Furthest && has_open_status;
        };
        let is_left = status == Status::Deposit(DepositStatus::Abandoned);
        let is_waiting = self.details.hold().is_none_or(|hold| hold.reason.force() == HoldForce::Waiting);
        kind.status_rule() != StatusRule::Latest && !status.is_final() && !is_left && is_waiting
    }

    /// Whether no further change is expected: the status is final, or the resource is a second name.
    pub fn is_final(&self) -> bool {
        self.duplicate_of.is_some() || self.status.is_some_and(Status::is_final)
    }

    /// Whether a subscriber acts on the same after both views of the resource `id`: the status, the credit, the hold, the
    /// conflict, what is to be returned and what is booked are the same.
    pub(super) fn books_the_same_as(&self, other: &Self, id: &ResourceId) -> bool {
        let hold = |view: &Self| view.details.hold().map(|hold| hold.reason);
        self.status == other.status
            && self.conflict == other.conflict
            && self.duplicate_of == other.duplicate_of
            && self.booked_by == other.booked_by
            && self.decision == other.decision
            && hold(self) == hold(other)
            && self.details.credits_the_same_as(&other.details)
            && self.surplus == other.surplus
            && self.details.returns_the_same_as(&other.details)
            && self.books(id) == other.books(id)
    }

    /// The statuses that exclude each other; empty when none do.
    pub fn conflicting(&self) -> &[Status] {
        self.conflict.as_ref().map_or(&[], |conflict| &conflict.statuses)
    }
}

/// Whether other facts about a resource of `kind` supersede `statement`, which is one of them, for another reason than
/// that it was received before them.
pub(super) fn is_superseded(kind: Kind, facts: &[Fact], statement: &StatementContent) -> bool {
    let (rule, received_at) = (kind.status_rule(), statement.evidence.received_at);
    let recorded = Recorded::among(facts);
    let precedence = |statement| Precedence::of(rule, statement, &recorded, received_at);
    let of_statement = precedence(statement);
    let mut is_standing = false;
    for other in recorded.standing() {
        is_standing |= other.id == statement.id && other.reading == statement.reading;
        if precedence(other) > of_statement {
            return true;
        }
    }
    !is_standing
}

/// A recovery of the statements that were known when a person decided.
fn known_to(decision: &Decision, recorded: &Recorded<'_>) -> Option<Box<RecoveryDetails>> {
    let placed = in_order(StatusRule::Sum, recorded);
    let mut known = placed.iter().filter(|placed| decision.settles.contains(&placed.statement.id));
    let mut details = stated(known.next()?).into_owned();
    known.for_each(|placed| details.merge(&stated(placed)));
    match details {
        Details::Recovery(recovery) => Some(recovery),
        Details::Transfer(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}

/// The details of a statement, with its date in the lines of a recovery.
fn stated<'a>(placed: &Placed<'a>) -> Cow<'a, Details> {
    match &placed.statement.details {
        Details::Recovery(recovery) => {
            let mut recovery = recovery.clone();
            recovery.date(placed.precedence.occurred_at);
            Cow::Owned(Details::Recovery(recovery))
        }
        other @ (Details::Transfer(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_)) => {
            Cow::Borrowed(other)
        }
    }
}

/// What conflicts with the statement that supersedes all others, the last of `statements`. Where that one is silent, it
/// states what the others state: `merged`.
fn conflict(
    placed: &[Placed<'_>],
    merged: &Details,
    recorded: &Recorded<'_>,
    is_settled: impl Fn(&StatementContent) -> bool,
) -> Option<Conflict> {
    let sent_at = |statement: &StatementContent| recorded.first(statement, Evidence::sent_at);
    let (last, others) = placed.split_last()?;
    let last = last.statement;
    let shown = StatementContent { details: merged.clone(), ..last.clone() };
    let mut conflict = Conflict { statuses: last.status.into_iter().collect(), ..Conflict::default() };
    let others = others.iter().map(|placed| placed.statement);
    for other in others.filter(|other| !is_settled(last) || !is_settled(other)) {
        let different = if [last, &shown].iter().any(|last| last.has_other_asset_than(other)) {
            vec!["asset"]
        } else {
            conflict_between(&shown, other, || sent_at(other) <= sent_at(last))
        };
        if !different.is_empty() {
            conflict.statuses.extend(other.status);
            conflict.about.extend(different.into_iter().map(str::to_owned));
        }
    }
    conflict.tidied()
}
