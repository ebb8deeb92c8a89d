//! A resource: the facts known about one thing at a provider.

use serde::{Deserialize, Serialize};

use super::statement::OVERDUE_NOTICE;
use crate::{Claim, Course, Details, Evidence, FactId, Kind, Ownership, ResourceId, Signal, Status, Timestamp, View};

/// How many facts are kept of a resource whose latest status stands: the newest by the provider's clock. It has no end, so
/// neither would its facts; 64 of them are over ten times what the view needs, and lie well within an item's 400 KB.
pub const LATEST_FACTS_MAX: usize = 64;

/// A signal as recorded on its resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Which statement it is.
    pub id: FactId,
    /// The resource's version with it: which fact it is, counted from 1 in the order in which they were recorded.
    pub version: u64,
    /// How many different statements had been recorded with it: the number of the event it gave rise to, if it did.
    pub sequence: u64,
    /// Whether it says the same as a fact recorded before it, in other bytes or on other evidence, and so gave rise to no
    /// event.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub repeats: bool,
    /// The event's name in the provider's words.
    pub event_type: String,
    /// What status it reports.
    pub status: Status,
    /// When the provider says it happened.
    pub occurred_at: Timestamp,
    /// What else it says.
    pub details: Details,
    /// Why it is believed.
    pub evidence: Evidence,
    /// Whether it is Fundhook's own notice that a further statement is overdue: an event, and no part of the view.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub overdue: bool,
}

/// Where a resource stands, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its status.
    pub status: Status,
    /// When the statement was received with which it came to stand there.
    pub since: Timestamp,
    /// The version of the resource with that statement.
    version: u64,
}

impl Standing {
    /// Names the one notice that `resource`, standing so, is overdue.
    pub(crate) fn overdue_notice(&self, resource: &ResourceId) -> FactId {
        FactId::of(resource, OVERDUE_NOTICE, format!("{} {}", self.status, self.version).as_bytes())
    }
}

impl Fact {
    /// Whether a subscriber could tell the two apart. Two webhooks that say the same in other bytes (a re-ordered
    /// body) are two facts and one statement.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        self.status == other.status
            && self.occurred_at == other.occurred_at
            && self.event_type == other.event_type
            && self.details == other.details
            // A notice is about one time that the resource came to stand where it does, and says nothing of its own.
            && self.overdue == other.overdue
            && (!self.overdue || self.id == other.id)
    }

    /// Whether one of the two was sent by the provider and the other read from its API, and they tell of the same status
    /// without contradicting each other, and both name the coin or neither: one happening, told in two ways.
    fn corroborates(&self, other: &Self) -> bool {
        let told_in_two_ways = self.evidence.is_from_the_api() != other.evidence.is_from_the_api();
        told_in_two_ways && self.agrees_with(other)
    }

    fn agrees_with(&self, other: &Self) -> bool {
        let are_statements = !self.overdue && !other.overdue;
        // What first tells which coin it is must give rise to an event: the coin may be credited under another deposit.
        let alike = self.status == other.status && self.details.names_a_coin() == other.details.names_a_coin();
        are_statements && alike && self.details.contradictions(&other.details).is_empty()
    }
}

/// What is known of one deposit, withdrawal or other thing: its facts, in the order in which they were recorded.
///
/// A resource that nobody has spoken of yet has no facts and is at version 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    id: ResourceId,
    facts: Vec<Fact>,
    ownership: Ownership,
}

impl Resource {
    /// The resource before anything is known about it.
    pub fn unknown(id: ResourceId) -> Self {
        Self { id, facts: Vec::new(), ownership: Ownership::Unclaimed }
    }

    /// The resource as it was stored: `facts` in the order in which they were recorded.
    pub fn from_facts(id: ResourceId, facts: Vec<Fact>, ownership: Ownership) -> Self {
        Self { id, facts, ownership }
    }

    /// Which resource it is.
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// Its facts, in the order in which they were recorded.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Whether the deposit is the one that its coin is credited under.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// How many facts were recorded: grows by one with each, and is what a conditional write compares.
    pub fn version(&self) -> u64 {
        self.facts.last().map_or(0, |fact| fact.version)
    }

    /// What the facts add up to; `None` while there are none.
    pub fn view(&self) -> Option<View> {
        View::of(self.id.kind(), &self.facts)
    }

    /// Where it stands and since when; `None` while there are no facts.
    pub fn standing(&self) -> Option<Standing> {
        let status = self.view()?.status;
        let mut reached = self.facts.last()?;
        for (at, fact) in self.facts.iter().enumerate().rev() {
            if View::of(self.id.kind(), &self.facts[..=at]).is_none_or(|view| view.status != status) {
                break;
            }
            reached = fact;
        }
        Some(Standing { status, since: reached.evidence.received_at, version: reached.version })
    }

    /// Whether a further statement has been reported overdue since the resource stands where it does.
    pub fn is_overdue(&self) -> bool {
        let notice = self.standing().map(|standing| standing.overdue_notice(&self.id));
        self.facts.iter().any(|fact| fact.overdue && Some(&fact.id) == notice.as_ref())
    }

    /// How many different statements were recorded: the `sequence` of the resource's latest event.
    pub fn sequence(&self) -> u64 {
        self.facts.last().map_or(0, |fact| fact.sequence)
    }

    /// The claim that the deposit has on its coin and has not made yet: since an event says that it may be credited, and its
    /// transaction is known.
    pub fn claim_due(&self) -> Option<Claim> {
        if self.ownership != Ownership::Unclaimed || self.id.kind() != Kind::Deposit {
            return None;
        }
        let Details::Transfer(transfer) = self.view()?.details else {
            return None;
        };
        let claim = Claim::of(&self.id, &transfer)?.told_by(self.streams());
        // Also one that contradicts itself by now: facts that are recorded together are said one by one.
        let mut views = self.facts.iter().filter_map(|fact| self.at_version(fact.version).view());
        views.any(|view| view.is_confirmed_deposit()).then_some(claim)
    }

    /// Every stream that told of it. The details of its view name only the one whose statement stands: of a deposit that a
    /// row has confirmed the list, although webhooks have told of it before.
    fn streams(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().filter_map(|fact| match &fact.details {
            Details::Transfer(transfer) => transfer.stream.as_deref(),
            Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
        })
    }

    /// The deposit with the claim it is to make on its coin, or as what it is if `taken` shows the coin claimed already. It
    /// was read at `read_version`.
    ///
    /// A claim that another stream made first makes it a duplicate. One that stands beside it (a stream told of both, as of two
    /// deposits in one transaction, or the chains differ) leaves both to be credited.
    pub fn claiming(self, taken: Option<&Claim>, read_version: u64) -> (Self, Option<Claim>) {
        let Some(claim) = self.claim_due() else {
            return (self, None);
        };
        match taken.filter(|taken| taken.coin == claim.coin) {
            None => (self.owning_its_coin(), Some(claim)),
            Some(taken) if claim.stands_beside(taken) => (self.owning_its_coin(), None),
            Some(taken) => (self.duplicating(taken.owner.clone(), read_version), None),
        }
    }

    /// The deposit as the one that its coin is credited under.
    pub fn owning_its_coin(self) -> Self {
        Self { ownership: Ownership::Owner, ..self }
    }

    /// The deposit as one whose coin `owner` is credited under, which was not known of at the version `after`.
    pub fn duplicating(self, owner: ResourceId, after: u64) -> Self {
        Self { ownership: Ownership::DuplicateOf { owner, after }, ..self }
    }

    /// The resource as it was with its facts up to `version`. Whose coin it is, is told as it is known now.
    pub(crate) fn at_version(&self, version: u64) -> Self {
        let facts = self.facts.iter().filter(|fact| fact.version <= version).cloned().collect();
        Self { id: self.id.clone(), facts, ownership: self.ownership.clone() }
    }

    /// Whether a fact of `occurred_at` under `id` is older than all that are kept of a resource without an end.
    pub(crate) fn has_let_go_of(&self, occurred_at: Timestamp, id: &FactId) -> bool {
        let is_full = self.id.kind().course() == Course::Latest && self.facts.len() >= LATEST_FACTS_MAX;
        is_full && self.facts.iter().all(|fact| (fact.occurred_at, &fact.id) > (occurred_at, id))
    }

    /// Records what `signal` says as the latest fact.
    pub(crate) fn record(&mut self, signal: Signal) {
        let Signal { resource: _, fact: id, event_type, status, occurred_at, details, evidence, overdue } = signal;
        let (version, sequence) = (self.version() + 1, self.sequence() + 1);
        let mut new =
            Fact { id, version, sequence, repeats: false, event_type, status, occurred_at, details, evidence, overdue };
        if self.facts.iter().any(|known| known.says_the_same_as(&new)) || self.has_heard_otherwise(&new) {
            new.repeats = true;
            new.sequence = self.sequence();
        }
        self.facts.push(new);
        self.let_go();
    }

    /// Whether `new` tells of nothing but what was told on other evidence already, and so gives rise to no event: a row of
    /// the provider's list about what a webhook said, or the first webhook about what a row said. How many events the set
    /// of facts gives rise to must not depend on which of them came first, so a second webhook is news again.
    fn has_heard_otherwise(&self, new: &Fact) -> bool {
        if self.id.kind().course() != Course::Road {
            return false;
        }
        if new.evidence.is_from_the_api() {
            return self.facts.iter().any(|known| known.agrees_with(new));
        }
        let is_first = |row: &&Fact| !self.facts.iter().any(|known| known.corroborates(row));
        self.facts.iter().filter(|known| known.corroborates(new)).any(|row| is_first(&row))
    }

    /// Lets go of the oldest facts of a resource without an end. What stays is a function of the set of all facts.
    fn let_go(&mut self) {
        if self.id.kind().course() != Course::Latest {
            return;
        }
        while self.facts.len() > LATEST_FACTS_MAX {
            let by_age = |fact: &Fact| (fact.occurred_at, fact.id.clone());
            let Some((oldest, _)) = self.facts.iter().enumerate().min_by_key(|(_, fact)| by_age(fact)) else {
                return;
            };
            // Never the last one: `fold` records nothing that is older than all that is kept.
            self.facts.remove(oldest);
        }
    }
}
