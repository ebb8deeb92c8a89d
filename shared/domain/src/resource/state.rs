//! A resource: everything recorded about one thing at a provider.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::beside::conflict_between;
use super::coins::entries;
use super::decision;
use super::details::Details;
use super::fact::{Fact, FactContent};
use super::overdue::OverdueNotice;
use super::publishing::Publishes;
use super::recorded::Recorded;
use super::second_name::owner_in;
use super::statement::StatementContent;
use super::view::View;
use crate::{
    ClaimEntry, ClaimKey, DepositStatus, FactId, Kind, ResourceId, Sighting, SimilarKey, Status, StatusRule, Timestamp,
    WebhookFamily,
};

/// How many facts are kept of a resource whose status rule is [`StatusRule::Latest`]: the newest by the provider's
/// clock. Such a resource has no end, so its facts would grow without one. 64 facts are more than ten times what the
/// view needs, and at most 4 KiB each they fit into a table item (400 KB).
pub const LATEST_FACTS_MAX: usize = 64;

/// The current status of a resource, and since when it has been current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentStatus {
    /// The status; `None` when no statement reports one.
    pub status: Option<Status>,
    /// Whether a further statement of the provider is expected. It is of no resource that published nothing: what a
    /// backfill only recorded is old, and never becomes overdue.
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
    /// Shared with its copies.
    facts: Arc<Vec<Fact>>,
    paged: Paged,
    view: ComputedView,
}

/// The view of the facts, once it was computed: it follows from them, so it says nothing new.
#[derive(Clone, Debug, Default)]
struct ComputedView(OnceLock<Option<Arc<View>>>);

impl PartialEq for ComputedView {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Where the oldest facts of a resource with many are stored: it says nothing about the resource itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Paged {
    pages: u32,
    facts: usize,
}

impl Resource {
    /// The resource before anything is recorded about it.
    pub fn unknown(id: ResourceId) -> Self {
        Self::from_facts(id, Vec::new())
    }

    /// The resource as it was stored; `facts` in the order in which they were recorded.
    pub fn from_facts(id: ResourceId, facts: Vec<Fact>) -> Self {
        Self { id, facts: Arc::new(facts), paged: Paged::default(), view: ComputedView::default() }
    }

    /// The resource as it was stored, with its oldest facts on `pages` pages; all facts in the order in which they were
    /// recorded.
    pub fn from_pages(id: ResourceId, pages: u32, on_pages: Vec<Fact>, others: Vec<Fact>) -> Self {
        let paged = Paged { pages, facts: on_pages.len() };
        let facts = on_pages.into_iter().chain(others).collect();
        Self { id, facts: Arc::new(facts), paged, view: ComputedView::default() }
    }

    /// The number of pages on which its oldest facts are stored.
    pub fn pages(&self) -> u32 {
        self.paged.pages
    }

    /// How many facts are on those pages.
    pub fn paged_facts(&self) -> usize {
        self.paged.facts
    }

    /// The resource's id.
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// The facts, in the order in which they were recorded.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
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
    pub fn view(&self) -> Option<Arc<View>> {
        self.view.0.get_or_init(|| View::of(&self.id, &self.facts).map(Arc::new)).clone()
    }

    /// The status and since when it has been current; `None` when there are no facts.
    pub fn current_status(&self) -> Option<CurrentStatus> {
        let view = self.view()?;
        let (status, is_awaited) = (view.status, self.sequence() > 0 && view.is_awaited(self.id.kind()));
        let reached = self.facts.iter().rev().find(|fact| fact.reaches).or(self.facts.first())?;
        let (since, version) = (reached.content.evidence().received_at, reached.version);
        Some(CurrentStatus { status, is_awaited, since, version })
    }

    /// Whether a notice that the next statement is overdue was recorded since the resource reached its status.
    pub fn is_overdue(&self) -> bool {
        let due = self.current_status().map(|current| self.notice_id(&current));
        self.facts.iter().any(|fact| match &fact.content {
            FactContent::Overdue(notice) => Some(&notice.id) == due.as_ref(),
            FactContent::Statement(_)
            | FactContent::SecondName(_)
            | FactContent::Relation(_)
            | FactContent::Decision(_) => false,
        })
    }

    /// The notice that the resource has awaited a further statement for `limit`; `None` when it awaits none.
    pub(super) fn overdue_notice(&self, limit: Duration) -> Option<OverdueNotice> {
        let current = self.awaited_status()?;
        Some(OverdueNotice {
            id: self.notice_id(&current),
            status: current.status,
            overdue_since: current.since.plus(limit),
            evidence: self.view()?.evidence.clone(),
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

    /// What this deposit says about coins, by the claims that it belongs to. A function of its own statements: what other
    /// resources say does not change it.
    pub fn claim_entries(&self) -> BTreeMap<ClaimKey, ClaimEntry> {
        if self.id.kind() != Kind::Deposit {
            return BTreeMap::new();
        }
        let recorded = Recorded::among(&self.facts);
        let view = View::of_statements(&self.id, &recorded, decision::standing(&self.facts));
        view.map(|view| entries(&self.id, recorded.all(), &view)).unwrap_or_default()
    }

    /// What is remembered of this deposit, so that another report of it that names no transaction is recognized; `None` when
    /// it was not reported as credited, or is a duplicate. That it is held because it resembles another deposit does not
    /// matter, nor that it conflicts or was rejected: it may have been booked.
    pub fn sighting(&self) -> Option<(SimilarKey, Sighting)> {
        let view = self.view().filter(|_| self.id.kind() == Kind::Deposit)?;
        let is_or_was_credited =
            |status: &Status| matches!(status, Status::Deposit(DepositStatus::Confirmed | DepositStatus::Reversed));
        let is_reported =
            view.resembles.is_some() || view.status.iter().chain(view.conflicting()).any(is_or_was_credited);
        let Details::Transfer(transfer) = &view.details else {
            return None;
        };
        let amount = transfer.quantity.as_ref().and_then(|quantity| quantity.in_major())?;
        let coin = transfer.coin();
        let key = SimilarKey::new(self.id.feed(), transfer.account.as_deref()?, coin.asset()?, &amount);
        let (resource, families, occurred_at) = (self.id.clone(), self.families(), view.occurred_at);
        let is_accepted = decision::standing(&self.facts).is_some_and(decision::Decision::accepts);
        let sighting = Sighting { resource, families, coin, occurred_at, is_accepted };
        (is_reported && view.duplicate_of.is_none()).then_some((key, sighting))
    }

    /// Whether a statement that counts says that the deposit is confirmed, and what may be credited.
    pub fn states_a_credit(&self) -> bool {
        let confirmed = Some(Status::Deposit(DepositStatus::Confirmed));
        let recorded = Recorded::among(&self.facts);
        recorded.standing().any(|statement| statement.status == confirmed && statement.details.credit().is_some())
    }

    /// Every webhook family that reported the resource. The view's details name only the family whose statement
    /// supersedes the others: for a deposit that a listed row confirmed, that is the list, although webhooks reported it
    /// before.
    pub fn families(&self) -> BTreeSet<WebhookFamily> {
        self.statements().filter_map(StatementContent::family).collect()
    }

    /// Whether a recorded statement reports the same status as `statement`; of deposits that are held, for the same reason.
    pub fn has_reported(&self, statement: &StatementContent) -> bool {
        self.statements().any(|known| known.reported() == statement.reported())
    }

    /// The resource with its facts up to `version`.
    pub(crate) fn at_version(&self, version: u64) -> Self {
        if version >= self.version() {
            return self.clone();
        }
        let facts = self.facts.iter().filter(|fact| fact.version <= version).cloned().collect();
        Self { id: self.id.clone(), facts: Arc::new(facts), paged: self.paged, view: ComputedView::default() }
    }

    /// The resource as it was before the first fact that was received after `at`. Facts that were recorded after that one are
    /// left out too, so that it never says what it never said.
    #[must_use]
    pub fn received_by(&self, at: Timestamp) -> Self {
        let is_known = |fact: &&Fact| fact.content.evidence().received_at <= at;
        let facts = self.facts.iter().take_while(is_known).cloned().collect();
        Self::from_facts(self.id.clone(), facts)
    }

    /// The view that subscribers know: the one after the last fact that published an event.
    pub(super) fn published_view(&self) -> Option<Arc<View>> {
        match self.facts.last() {
            Some(last) if last.repeats => self.view_of_published(&self.facts).map(Arc::new),
            Some(_) | None => self.view(),
        }
    }

    /// The view that subscribers knew before the last fact: the one after the last fact before it that published an event.
    pub(crate) fn view_before_last(&self) -> Option<View> {
        let (_, facts) = self.facts.split_last()?;
        self.view_of_published(facts)
    }

    /// What was recorded before the first event: what a backfill recorded and did not publish. What it books is the
    /// resource's opening balance, and the postings of all events are added to that.
    #[must_use]
    pub fn opening(&self) -> Self {
        let facts = self.facts.iter().take_while(|fact| fact.sequence == 0).cloned().collect();
        Self::from_facts(self.id.clone(), facts)
    }

    /// The view of `facts` without those at the end that published no event. What was recorded before the first event is
    /// known to subscribers from elsewhere, so it stays.
    fn view_of_published(&self, mut facts: &[Fact]) -> Option<View> {
        while let Some((last, earlier)) = facts.split_last()
            && last.repeats
            && last.sequence > 0
        {
            facts = earlier;
        }
        View::of(&self.id, facts)
    }

    /// The relations and decisions that were recorded before the first statement and are published with it.
    pub(crate) fn unpublished(&self) -> impl Iterator<Item = &Fact> {
        let before_first = self.facts.iter().take_while(|fact| fact.statement().is_none());
        before_first.filter(|fact| match &fact.content {
            FactContent::Relation(_) | FactContent::Decision(_) => !fact.repeats,
            FactContent::Statement(_) | FactContent::Overdue(_) | FactContent::SecondName(_) => false,
        })
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
            FactContent::Overdue(_)
            | FactContent::SecondName(_)
            | FactContent::Relation(_)
            | FactContent::Decision(_) => same.count() > 0,
            FactContent::Statement(new) => {
                let recorded: Vec<&StatementContent> = same.filter_map(Fact::statement).collect();
                let newest = recorded.iter().map(|known| &known.reading).max();
                let is_read_again = newest.is_some_and(|newest| newest.is_same_way_as(&new.reading))
                    || recorded.iter().any(|known| known.reading == new.reading);
                is_read_again && !new.is_an_earlier_copy_of_all(&recorded)
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
        let publishes = self.publishes(&content);
        let before = self.view();
        let (version, sequence, is_first) = (self.version() + 1, self.sequence(), before.is_none());
        // Relations that were recorded before there was anything to publish are published with the first statement.
        let with_first = if is_first { self.unpublished().count() } else { 0 };
        Arc::make_mut(&mut self.facts).push(Fact { version, sequence, repeats: false, reaches: false, content });
        self.view = ComputedView::default();
        let after = self.view();
        let status = |view: &Option<Arc<View>>| view.as_ref().map(|view| view.status);
        let repeats = match publishes {
            Publishes::Always => false,
            Publishes::Never => true,
            Publishes::Changes { of } => of.is_unchanged(&self.id, before.as_deref(), after.as_deref()),
        };
        if let Some(last) = Arc::make_mut(&mut self.facts).last_mut() {
            (last.repeats, last.reaches) = (repeats, status(&before) != status(&after));
            if !repeats && after.is_some() {
                last.sequence += 1 + with_first as u64;
            }
        }
        self.evict_oldest();
    }

    /// Makes the last fact publish an event if subscribers would otherwise not learn of what is booked: a relation leaves that
    /// to the statement with it, which may be a repetition.
    pub(super) fn publish_what_is_unsaid(&mut self) {
        let books_other = |(published, view): (Arc<View>, Arc<View>)| published.books(&self.id) != view.books(&self.id);
        let is_unsaid = self.facts.last().is_some_and(|last| last.repeats)
            && self.published_view().zip(self.view()).is_some_and(books_other);
        if is_unsaid && let Some(last) = Arc::make_mut(&mut self.facts).last_mut() {
            (last.repeats, last.sequence) = (false, last.sequence + 1);
            self.view = ComputedView::default();
        }
    }

    pub(super) fn statements(&self) -> impl Iterator<Item = &StatementContent> {
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
            Arc::make_mut(&mut self.facts).remove(oldest);
            self.view = ComputedView::default();
        }
    }
}

/// What facts are evicted by: the oldest first, and of equally old ones the one with the lesser id.
fn age(content: &FactContent) -> (Timestamp, &FactId) {
    (content.occurred_at(), content.id())
}
