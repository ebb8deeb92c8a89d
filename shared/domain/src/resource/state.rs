//! A resource: everything recorded about one thing at a provider.

use std::collections::BTreeSet;
use std::time::Duration;

use super::beside::conflict_between;
use super::details::Details;
use super::fact::{Fact, FactContent};
use super::overdue::OverdueNotice;
use super::second_name::owner_in;
use super::statement::StatementContent;
use super::view::View;
use crate::{Claim, FactId, Kind, Ownership, ResourceId, Status, StatusRule, Timestamp, WebhookFamily};

/// How many facts are kept of a resource whose status rule is [`StatusRule::Latest`]: the newest by the provider's
/// clock. Such a resource has no end, so its facts would grow without one. 64 facts are more than ten times what the
/// view needs, and at most 4 KiB each they fit into a table item (400 KB).
pub const LATEST_FACTS_MAX: usize = 64;

/// The current status of a resource, and since when it has been current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentStatus {
    /// The status; `None` when no statement reports one.
    pub status: Option<Status>,
    /// Whether a further statement of the provider is expected.
    pub is_awaited: bool,
    /// When Fundhook received the statement with which the resource reached the status.
    pub since: Timestamp,
    /// The version of the resource with that statement.
    version: u64,
}

/// What is known about one deposit, withdrawal or other thing: its facts, in the order in which they were recorded.
///
/// A resource about which nothing has been recorded has no facts and version 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    id: ResourceId,
    facts: Vec<Fact>,
    ownership: Ownership,
}

impl Resource {
    /// The resource before anything is recorded about it.
    pub fn unknown(id: ResourceId) -> Self {
        Self { id, facts: Vec::new(), ownership: Ownership::Unclaimed }
    }

    /// The resource as it was stored; `facts` in the order in which they were recorded.
    pub fn from_facts(id: ResourceId, facts: Vec<Fact>, ownership: Ownership) -> Self {
        Self { id, facts, ownership }
    }

    /// The resource's id.
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// The facts, in the order in which they were recorded.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Whether this deposit is the one that is credited with its coin.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// The resource under which the facts of this one are recorded; `None` when they are recorded here.
    pub fn second_name_of(&self) -> Option<&ResourceId> {
        owner_in(&self.facts)
    }

    /// How many facts were recorded. It grows by one with each fact, and a conditional write compares it.
    pub fn version(&self) -> u64 {
        self.facts.last().map_or(0, |fact| fact.version)
    }

    /// How many facts published an event: the `sequence` of the resource's latest event.
    pub fn sequence(&self) -> u64 {
        self.facts.last().map_or(0, |fact| fact.sequence)
    }

    /// What the facts add up to; `None` when there is no statement.
    pub fn view(&self) -> Option<View> {
        View::of(self.id.kind(), &self.facts)
    }

    /// The status and since when it has been current; `None` when there are no facts.
    pub fn current_status(&self) -> Option<CurrentStatus> {
        let view = self.view()?;
        let (status, is_awaited) = (view.status, view.is_awaited(self.id.kind()));
        let mut reached = self.facts.last()?;
        for (at, fact) in self.facts.iter().enumerate().rev() {
            if View::of(self.id.kind(), &self.facts[..=at]).is_none_or(|view| view.status != status) {
                break;
            }
            reached = fact;
        }
        let (since, version) = (reached.content.evidence().received_at, reached.version);
        Some(CurrentStatus { status, is_awaited, since, version })
    }

    /// Whether a notice that the next statement is overdue was recorded since the resource reached its status.
    pub fn is_overdue(&self) -> bool {
        let due = self.current_status().map(|current| self.notice_id(&current));
        self.facts.iter().any(|fact| match &fact.content {
            FactContent::Overdue(notice) => Some(&notice.id) == due.as_ref(),
            FactContent::Statement(_) | FactContent::SecondName(_) => false,
        })
    }

    /// The notice that the resource has awaited a further statement for `limit`; `None` when it awaits none.
    pub(super) fn overdue_notice(&self, limit: Duration) -> Option<OverdueNotice> {
        let current = self.awaited_status()?;
        Some(OverdueNotice {
            id: self.notice_id(&current),
            status: current.status,
            overdue_since: current.since.plus(limit),
            evidence: self.view()?.evidence,
        })
    }

    /// Whether `notice` is about the status that the resource has now, and not about an earlier one.
    pub(super) fn is_notice_current(&self, notice: &OverdueNotice) -> bool {
        self.awaited_status().is_some_and(|current| self.notice_id(&current) == notice.id)
    }

    fn awaited_status(&self) -> Option<CurrentStatus> {
        self.current_status().filter(|current| current.is_awaited)
    }

    fn notice_id(&self, current: &CurrentStatus) -> FactId {
        OverdueNotice::id_for(&self.id, current.status, current.version)
    }

    /// The claim that this deposit must make on its coin. `None` when it made one already, when its coin is not known,
    /// or when no event has said that it may be credited.
    pub fn claim_due(&self) -> Option<Claim> {
        if self.ownership != Ownership::Unclaimed || self.id.kind() != Kind::Deposit {
            return None;
        }
        let Details::Transfer(transfer) = self.view()?.details else {
            return None;
        };
        let claim = Claim { families: self.families(), ..transfer.claim_by(&self.id)? };
        // Each version is examined: facts that are recorded together publish an event each, so a deposit may have been
        // confirmed in between although its final statuses conflict by now.
        let mut views = self.facts.iter().filter_map(|fact| self.at_version(fact.version).view());
        views.any(|view| view.is_confirmed_deposit()).then_some(claim)
    }

    /// Every webhook family that reported the resource. The view's details name only the family whose statement
    /// supersedes the others: for a deposit that a listed row confirmed, that is the list, although webhooks reported
    /// it before.
    fn families(&self) -> BTreeSet<WebhookFamily> {
        self.statements().filter_map(StatementContent::family).collect()
    }

    /// The deposit, read at `read_version`, with the result of claiming its coin, and the claim to store with it.
    ///
    /// `taken` is the stored claim on the coin, if there is one. The deposit becomes the owner of an unclaimed coin.
    /// When another webhook family claimed the coin first, the deposit is a duplicate. When the two claims
    /// [coexist](Claim::coexists_with), both deposits are credited.
    pub fn claiming(self, taken: Option<&Claim>, read_version: u64) -> (Self, Option<Claim>) {
        let Some(claim) = self.claim_due() else {
            return (self, None);
        };
        match taken.filter(|taken| taken.coin == claim.coin) {
            None => (self.owning_its_coin(), Some(claim)),
            Some(taken) if claim.coexists_with(taken) => (self.owning_its_coin(), None),
            Some(taken) => (self.duplicating(taken.owner.clone(), read_version), None),
        }
    }

    /// The deposit as the one that is credited with its coin.
    pub fn owning_its_coin(self) -> Self {
        Self { ownership: Ownership::Owner, ..self }
    }

    /// The deposit as a duplicate of `owner`, which was not known at the version `after`.
    pub fn duplicating(self, owner: ResourceId, after: u64) -> Self {
        Self { ownership: Ownership::DuplicateOf { owner, after }, ..self }
    }

    /// The resource with its facts up to `version`. The ownership of its coin stays as it is known now.
    pub(crate) fn at_version(&self, version: u64) -> Self {
        let facts = self.facts.iter().filter(|fact| fact.version <= version).cloned().collect();
        Self { id: self.id.clone(), facts, ownership: self.ownership.clone() }
    }

    /// What makes `statement` [conflict](crate::beside) with the final status of this resource; empty when it does not,
    /// or when the status is not final.
    pub fn conflict_with(&self, statement: &StatementContent) -> Vec<&'static str> {
        let Some(view) = self.view() else {
            return Vec::new();
        };
        let mut statements = self.statements();
        let last = statements.find(|known| known.id == view.fact && known.reading == view.reading);
        let sent_at = |statement: &StatementContent| statement.evidence.sent_at();
        let conflict = last.map(|last| {
            let shown = StatementContent { details: view.details.clone(), ..last.clone() };
            conflict_between(&shown, statement, || sent_at(statement) <= sent_at(last))
        });
        conflict.unwrap_or_default()
    }

    /// Whether `content` is recorded already: the same notice, or the same bytes read in the same way as those that
    /// count now.
    pub(super) fn knows(&self, content: &FactContent) -> bool {
        let same = self.facts.iter().filter(|fact| fact.content.id() == content.id());
        match content {
            FactContent::Overdue(_) | FactContent::SecondName(_) => same.count() > 0,
            FactContent::Statement(new) => {
                let readings = same.filter_map(Fact::statement).map(|statement| &statement.reading);
                let newest = readings.clone().max();
                newest.is_some_and(|newest| newest.is_same_way_as(&new.reading))
                    || readings.into_iter().any(|reading| *reading == new.reading)
            }
        }
    }

    /// Whether `content` is older than every fact that is kept, so that it would be evicted at once.
    pub(super) fn has_evicted(&self, content: &FactContent) -> bool {
        let is_full = self.id.kind().status_rule() == StatusRule::Latest && self.facts.len() >= LATEST_FACTS_MAX;
        is_full && self.facts.iter().all(|fact| age(&fact.content) > age(content))
    }

    /// Records `content` as the latest fact.
    pub(super) fn record(&mut self, content: FactContent) {
        let (says_the_same, restates) = match &content {
            FactContent::Statement(statement) => (
                self.is_repetition(statement) || self.is_corroboration(statement),
                self.statements().any(|known| known.id == statement.id),
            ),
            // A notice that is recorded already is recognized by its id, so this one is a new one.
            FactContent::Overdue(_) | FactContent::SecondName(_) => (false, false),
        };
        // Nothing was published under this name, so there is nothing that another resource counts in place of.
        let is_unheard_of = matches!(content, FactContent::SecondName(_)) && self.view().is_none();
        let before = if says_the_same { self.view() } else { None };
        let fact = Fact { version: self.version() + 1, sequence: self.sequence() + 1, repeats: false, content };
        self.facts.push(fact);
        // What was said before may still change what is booked: a setting that is set back restates what an earlier
        // reading stated, and an event must tell it.
        let shows_the_same = |before: &View, after: &View| {
            after.books_the_same_as(before) && (!restates || after.details == before.details)
        };
        let shown = before.is_some_and(|before| self.view().is_some_and(|after| shows_the_same(&before, &after)));
        let repeats = shown || is_unheard_of;
        if let Some(last) = self.facts.last_mut().filter(|_| repeats) {
            last.repeats = true;
            last.sequence -= 1;
        }
        self.evict_oldest();
    }

    fn is_repetition(&self, new: &StatementContent) -> bool {
        self.statements().any(|known| known.has_same_content_as(new))
    }

    /// Whether `new` only confirms, on other evidence, what was recorded already, so that it publishes no event: a
    /// listed row about what a webhook said, or the first webhook about what a row said. The number of events must not
    /// depend on which of them arrived first, so a second webhook does publish an event.
    fn is_corroboration(&self, new: &StatementContent) -> bool {
        if self.id.kind().status_rule() != StatusRule::Furthest {
            return false;
        }
        if new.evidence.is_from_api() {
            return self.statements().any(|known| known.agrees_with(new));
        }
        let is_uncorroborated = |row: &StatementContent| !self.statements().any(|known| known.corroborates(row));
        self.statements().filter(|known| known.corroborates(new)).any(is_uncorroborated)
    }

    fn statements(&self) -> impl Iterator<Item = &StatementContent> {
        self.facts.iter().filter_map(Fact::statement)
    }

    /// Evicts the oldest facts of a resource without an end. What remains is a function of the set of all facts.
    fn evict_oldest(&mut self) {
        if self.id.kind().status_rule() != StatusRule::Latest {
            return;
        }
        while self.facts.len() > LATEST_FACTS_MAX {
            let Some((oldest, _)) = self.facts.iter().enumerate().min_by_key(|(_, fact)| age(&fact.content)) else {
                return;
            };
            // Never the fact that was recorded last: `fold` records none that is older than all that are kept.
            self.facts.remove(oldest);
        }
    }
}

/// What facts are evicted by: the oldest first, and of equally old ones the one with the lesser id.
fn age(content: &FactContent) -> (Timestamp, &FactId) {
    (content.occurred_at(), content.id())
}
