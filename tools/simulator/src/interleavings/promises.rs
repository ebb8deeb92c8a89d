//! What must hold after every step, and what must hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fundhook_domain::{
    Claim, ClaimEntry, ClaimKey, DecimalValue, Direction, FactId, Fate, LedgerAccount, NewFact, Resource, ResourceId,
    Status, Stored, events_after,
};
use fundhook_ports::fakes::ResourceTable;
use fundhook_reconciliation::Watermark;

use super::state::{Published, State};
use crate::books::Sums;

/// What a write must not do to a resource.
pub(super) fn of_resource(before: &Resource, after: &Resource) -> Vec<String> {
    let id = after.id();
    let mut broken = Vec::new();
    if after.version() <= before.version() {
        broken.push(format!("the version of {id} went from {} to {}", before.version(), after.version()));
    }
    if !after.facts().starts_with(before.facts()) {
        broken.push(format!("{id} lost a fact, or one was changed"));
    }
    let ids: BTreeSet<&FactId> = after.facts().iter().map(|fact| fact.content.id()).collect();
    if ids.len() != after.facts().len() {
        broken.push(format!("{id} has a fact twice"));
    }
    broken
}

/// What a write must not do to a claim.
pub(super) fn of_claim(before: &Claim, after: &Claim) -> Option<String> {
    let (key, before, after) = (after.key(), before.version(), after.version());
    (after <= before).then(|| format!("the version of the claim {key} went from {before} to {after}"))
}

/// What must hold of the coin, whatever was recorded last: its claim says what its deposits say, and at most one of them is
/// credited.
pub(super) fn of_coin(table: &ResourceTable, coin: Option<&DecimalValue>) -> Vec<String> {
    let mut broken = Vec::new();
    for resource in table.resources.values() {
        for (key, entry) in resource.claim_entries() {
            if !table.claim(&key).entries().any(|claimed| *claimed == entry) {
                broken.push(format!("the claim {key} does not say what {} says", resource.id()));
            }
        }
    }
    for (key, claim) in &table.claims {
        let is_of = |id: &ResourceId, fate: Fate| {
            fate == Fate::Withdrawn || table.resource(id).claim_entries().get(key).is_some_and(|own| own.fate == fate)
        };
        for entry in claim.entries().filter(|entry| !is_of(&entry.resource, entry.fate)) {
            broken.push(format!("the claim {key} has an entry of {} that it does not have itself", entry.resource));
        }
        // Two deposits that contradict each other are both reported as credited, and neither is.
        let is_credited = |entry: &&ClaimEntry| {
            table.resource(&entry.resource).view().is_some_and(|view| view.is_credited() && view.conflict.is_none())
        };
        if claim.owners().filter(is_credited).count() > 1 {
            broken.push(format!("the claim {key} has two owners"));
        }
    }
    let credited = credited(table);
    if coin.is_some_and(|coin| (coin.clone() - &credited).is_negative()) {
        broken.push(format!("customers are credited with {credited}, and one coin arrived"));
    }
    broken
}

/// What all customers are credited with, in all assets together.
fn credited(table: &ResourceTable) -> DecimalValue {
    let mut credited = DecimalValue::zero();
    for resource in table.resources.values() {
        let books = resource.view().map(|view| view.books(resource.id())).unwrap_or_default();
        for posting in books.postings() {
            if matches!(posting.ledger_account, LedgerAccount::Customer(_)) {
                credited = match posting.direction {
                    Direction::Credit => credited + &posting.value,
                    Direction::Debit => credited - &posting.value,
                };
            }
        }
    }
    credited
}

/// What must hold when the watermark moves `to`: it never moves back, nor past a row that was not queued and whose coin no
/// deposit reports.
pub(super) fn of_watermark(state: &State, to: &Watermark) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(before) = &state.watermark {
        if to.revision <= before.revision {
            broken.push(format!("the revision of the watermark went from {} to {}", before.revision, to.revision));
        }
        if to.read_until < before.read_until {
            broken.push(format!("the watermark went back from {} to {}", before.read_until, to.read_until));
        }
    }
    let on_pages = to.window.as_ref().map(|window| state.rows_before(window.from, window.until, &window.next_page));
    let passed = state.rows.iter().filter(|row| row.at < to.read_until).chain(on_pages.into_iter().flatten());
    let is_claimed = !state.table.items().claims.is_empty();
    for row in passed.filter(|row| !row.is_late && !is_claimed && !state.queued.contains(&row.id)) {
        broken.push(format!("the watermark moved past the row {}, which was not queued", row.id));
    }
    broken
}

/// What is recorded, as far as the order in which it was recorded must not matter to a platform.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Summary {
    resources: BTreeMap<ResourceId, Said>,
    claims: BTreeMap<ClaimKey, Vec<(ResourceId, Fate)>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Said {
    statements: BTreeSet<FactId>,
    status: Option<Status>,
    books: Sums,
    counts_in_place: Option<ResourceId>,
    conflicts_with: Option<BTreeSet<ResourceId>>,
}

impl Said {
    fn of(resource: &Resource) -> Self {
        let statements = resource.facts().iter().filter(|fact| fact.statement().is_some());
        let view = resource.view();
        Self {
            statements: statements.map(|fact| fact.content.id().clone()).collect(),
            status: view.as_ref().and_then(|view| view.status),
            books: books_of(resource),
            counts_in_place: view.as_ref().and_then(|view| view.duplicate_of.clone().or(view.booked_by.clone())),
            conflicts_with: view.and_then(|view| Some(view.conflict.as_ref()?.with.clone())),
        }
    }
}

impl Summary {
    fn of<'a>(resources: impl Iterator<Item = &'a Resource>, claims: impl Iterator<Item = &'a Claim>) -> Self {
        let fates = |claim: &Claim| claim.entries().map(|entry| (entry.resource.clone(), entry.fate)).collect();
        Self {
            resources: resources
                .filter(|resource| resource.version() > 0)
                .map(|resource| (resource.id().clone(), Said::of(resource)))
                .collect(),
            claims: claims
                .filter(|claim| claim.version() > 0)
                .map(|claim| (claim.key().clone(), fates(claim)))
                .collect(),
        }
    }

    /// What the table says.
    pub(super) fn in_table(table: &ResourceTable) -> Self {
        Self::of(table.resources.values(), table.claims.values())
    }

    /// What clean passes give, which record `facts` one after the other: one summary for each order that gives another one.
    pub(super) fn of_clean_passes(recorded: &Stored, facts: &[NewFact]) -> Vec<Self> {
        let mut summaries = Vec::new();
        each_order(facts.to_vec(), &mut Vec::new(), &mut |order| {
            let mut stored = recorded.clone();
            let is_recorded = order.iter().all(|fact| stored.record(std::slice::from_ref(fact)).is_ok());
            let summary = Self::of(stored.resources(), stored.claims());
            if is_recorded && !summaries.contains(&summary) {
                summaries.push(summary);
            }
        });
        summaries
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = |(id, said): (&ResourceId, &Said)| {
            let status = said.status.map_or("without a status", Status::as_str);
            let conflicts = said.conflicts_with.as_ref().map_or("", |_| " in conflict");
            let owner = said.counts_in_place.as_ref().map(|owner| format!(" under {owner}")).unwrap_or_default();
            let statements = said.statements.len();
            format!("{id} {status}{conflicts}{owner} by {statements} statements, which books {}", said.books)
        };
        f.write_str(&self.resources.iter().map(resource).collect::<Vec<_>>().join("; "))
    }
}

/// Calls `with` for each order of `left` after `begun`.
fn each_order(left: Vec<NewFact>, begun: &mut Vec<NewFact>, with: &mut impl FnMut(&[NewFact])) {
    if left.is_empty() {
        return with(begun);
    }
    for at in 0..left.len() {
        let mut others = left.clone();
        begun.push(others.remove(at));
        each_order(others, begun, with);
        begun.pop();
    }
}

/// What must hold of what is recorded when nothing is left to do. `clean` is what clean passes give.
pub(super) fn of_table_in_the_end(table: &ResourceTable, clean: &[Summary]) -> Vec<String> {
    let mut broken = Vec::new();
    let found = Summary::in_table(table);
    if !clean.contains(&found) {
        let clean: Vec<String> = clean.iter().map(ToString::to_string).collect();
        broken.push(format!("recorded is {found}; a clean pass gives {}", clean.join(", or ")));
    }
    for (id, resource) in &table.resources {
        let mut posted = Sums::default();
        events_after(resource, 0).iter().for_each(|event| posted.post(&event.data.postings));
        let books = books_of(resource);
        if posted != books {
            broken.push(format!("{id} books {books}, and its events post {posted}"));
        }
        if !books.unbalanced().is_empty() {
            broken.push(format!("{id} books other debits than credits"));
        }
    }
    broken
}

/// What must hold of what was published when nothing is left to do.
pub(super) fn of_published_in_the_end(table: &ResourceTable, published: &Published) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, resource) in &table.resources {
        let expected: Vec<u64> = events_after(resource, 0).iter().map(|event| event.sequence).collect();
        let found: Vec<u64> = published.events.keys().filter(|(of, _)| of == id).map(|(_, number)| *number).collect();
        if found != expected {
            broken.push(format!("{id} has the events {expected:?}, and {found:?} were published"));
        }
        let (posted, books) = (published.books.get(id).cloned().unwrap_or_default(), books_of(resource));
        if posted != books {
            broken.push(format!("{id} books {books}, and what was published posts {posted}"));
        }
    }
    broken
}

fn books_of(resource: &Resource) -> Sums {
    resource.view().map(|view| Sums::of(&view.books(resource.id()).postings())).unwrap_or_default()
}
