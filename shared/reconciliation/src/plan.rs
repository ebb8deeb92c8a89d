//! Compares what is recorded with what the provider lists.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{
    ClaimKey, CoinId, DecimalValue, Details, Kind, Quantity, Resource, ResourceId, Statement, Status, Tenant,
    TransferDetails, fold,
};

use crate::ambiguity::Ambiguity;
use crate::coin::{CreditedDeposits, claim_of, coin_in, is_about, names, provider_id};
use crate::credit::credited;
use crate::discrepancy::Discrepancy;
use crate::moved::moved_by;

/// Compares the recorded resources `ours` with `theirs`: the rows of the provider's list, each as its statement.
///
/// A row is about the resource with its id; if there is none, about the deposit with the same id in the organization's
/// other feed; if there is none, about the deposit that its coin is credited under, unless one webhook family reported
/// both: a family reports each coin once, so those are two deposits in one transaction. Of several rows about one
/// resource the furthest counts, so that a row that is seen twice, on a page that shifted, is one.
///
/// A row is ambiguous if another webhook family of the same feed reported its coin under another id.
pub fn plan(ours: &[Resource], theirs: &[Statement]) -> Vec<Discrepancy> {
    let recorded = Recorded::of(ours);
    let mut matched: BTreeSet<&ResourceId> = BTreeSet::new();
    let mut discrepancies = Vec::new();
    for row in furthest(theirs) {
        match recorded.matching(row) {
            None => discrepancies.push(Discrepancy::Missing { theirs: row.clone() }),
            Some(resource) if is_about(resource.id(), row) || resource.id().feed() != row.resource.feed() => {
                matched.insert(resource.id());
                discrepancies.extend(compare(resource, row));
            }
            // The same feed reported the same coin under another id. Either one transaction has two deposits, or it is one
            // deposit and the setting for the ids of rows is wrong.
            Some(resource) => {
                let reason = Ambiguity::Resembles(resource.id().clone());
                discrepancies.push(Discrepancy::Ambiguous { theirs: row.clone(), reason });
            }
        }
    }
    let unmatched = recorded.by_id.values().filter(|resource| !matched.contains(resource.id()));
    let settled = unmatched.filter(|resource| is_settled(resource));
    discrepancies.extend(settled.map(|resource| Discrepancy::UnknownToTheProvider { ours: resource.id().clone() }));
    discrepancies
}

/// What a row states now, and the statuses that its resource has left, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// What it states now.
    pub newest: &'a Statement,
    /// What it stated before.
    pub left: &'a [Statement],
}

/// The resources of which a row tells a status that they have left and that is not recorded, each once: their rows are to be
/// queued. One of which `found` tells a discrepancy already is left out.
///
/// Only what is recorded under the row's id is compared. If a person decided about the resource, or one of the statuses
/// contradicts what is recorded, the row is not queued for its history: it would reopen what is settled.
pub fn untold(ours: &[Resource], rows: &[History<'_>], found: &[Discrepancy]) -> Vec<Discrepancy> {
    let recorded = Recorded::of(ours);
    let mut known: BTreeSet<ResourceId> = found.iter().map(|it| it.resource().clone()).collect();
    let mut discrepancies = Vec::new();
    for row in rows {
        let resource = names(row.newest).find_map(|name| recorded.named(name));
        let is_undecided = |resource: &&Resource| resource.view().is_some_and(|view| view.decision.is_none());
        let Some(resource) = resource.filter(is_undecided) else {
            continue;
        };
        let untold: Vec<&Statement> = row.left.iter().filter(|left| !resource.has_reported(&left.content)).collect();
        let contradicts = |left: &&Statement| !resource.conflict_with(&left.content).is_empty();
        if let Some(first) = untold.first().filter(|_| !untold.iter().any(contradicts))
            && known.insert(resource.id().clone())
        {
            discrepancies.push(Discrepancy::StatusMissed { ours: resource.id().clone(), theirs: (*first).clone() });
        }
    }
    discrepancies
}

/// Whether it is recorded as credited, or as a withdrawal that has left.
fn is_settled(resource: &Resource) -> bool {
    resource.id().kind() != Kind::Deposit && !moved_by(resource).is_empty() || credited(resource).is_some()
}

/// The rows `theirs` that are recorded in `ours` under their ids and credited, and that may be the same coin as one of
/// `others`: credited deposits of the organization's other feed.
///
/// Where both name their transactions, the claim on the coin prevents a second credit. Where one does not, only a
/// resemblance shows it.
pub fn credited_twice(ours: &[Resource], theirs: &[Statement], others: &[Resource]) -> Vec<Discrepancy> {
    let ours: BTreeMap<&ResourceId, &Resource> = ours.iter().map(|resource| (resource.id(), resource)).collect();
    let others = CreditedDeposits::among(others);
    let is_credited = |row: &&Statement| ours.get(&row.resource).is_some_and(|recorded| credited(recorded).is_some());
    let twice = |row: &Statement| {
        let other = others.that_may_be(row).find(|other| other.id().feed() != row.resource.feed())?;
        Some(Discrepancy::CreditedTwice { ours: row.resource.clone(), other: other.id().clone() })
    };
    furthest(theirs).filter(is_credited).filter_map(twice).collect()
}

/// The recorded resources, indexed by what a row can be matched with.
pub(crate) struct Recorded<'a> {
    by_id: BTreeMap<&'a ResourceId, &'a Resource>,
    by_provider_id: BTreeMap<(Option<&'a Tenant>, &'a str), &'a Resource>,
    by_claim: BTreeMap<ClaimKey, Vec<(CoinId, &'a Resource)>>,
}

impl<'a> Recorded<'a> {
    pub(crate) fn of(ours: &'a [Resource]) -> Self {
        let known = ours.iter().filter(|resource| resource.version() > 0);
        let by_id: BTreeMap<_, _> = known.map(|resource| (resource.id(), resource)).collect();
        // In the order of their ids, so that the order of `ours` does not matter.
        let deposits = || by_id.values().copied().filter(|resource| resource.id().kind() == Kind::Deposit);
        let by_provider_id = deposits().map(|resource| (provider_id(resource.id()), resource)).collect();
        let mut by_claim: BTreeMap<ClaimKey, Vec<(CoinId, &Resource)>> = BTreeMap::new();
        for credited in deposits().filter(|resource| credited(resource).is_some()) {
            let coin = credited.view().and_then(|view| coin_in(&view.details));
            let key = coin.as_ref().and_then(|coin| Some(ClaimKey::new(credited.id().feed(), coin.transaction()?)));
            if let (Some(key), Some(coin)) = (key, coin) {
                by_claim.entry(key).or_default().push((coin, credited));
            }
        }
        Self { by_id, by_provider_id, by_claim }
    }

    /// The resource with this id, or the one of which it is a second name.
    fn named(&self, id: &ResourceId) -> Option<&'a Resource> {
        let named = self.by_id.get(id).copied()?;
        Some(named.second_name_of().and_then(|owner| self.by_id.get(owner).copied()).unwrap_or(named))
    }

    /// The resource that the row is about.
    pub(crate) fn matching(&self, row: &Statement) -> Option<&'a Resource> {
        let by_id = names(row).find_map(|name| self.named(name));
        if row.resource.kind() != Kind::Deposit {
            return by_id;
        }
        let of_other_feed = || self.by_provider_id.get(&provider_id(&row.resource)).copied();
        let of_same_coin = || {
            let coin = coin_in(&row.content.details)?;
            let credited = self.by_claim.get(&claim_of(row)?)?;
            let is_same = |(other, resource): &&(CoinId, &Resource)| {
                coin.is_same_coin_as(other) && !is_reported_by_family_of(resource, row)
            };
            credited.iter().find(is_same).map(|(_, resource)| *resource)
        };
        by_id.or_else(of_other_feed).or_else(of_same_coin)
    }
}

/// Whether the row's webhook family reported the resource too. A family reports each coin once, so the row is about another
/// one.
fn is_reported_by_family_of(resource: &Resource, row: &Statement) -> bool {
    let family = row.content.family();
    resource.id().feed() == row.resource.feed() && family.is_some_and(|family| resource.families().contains(&family))
}

/// Whether the row states what a withdrawal lacks and a ledger needs: the fee that is a part of it, or its transaction.
fn completes(known: &Details, row: &Statement) -> bool {
    let (Details::Transfer(known), Details::Transfer(listed)) = (known, &row.content.details) else {
        return false;
    };
    let fee = |details: &TransferDetails| details.outflow().fee_in_major().filter(DecimalValue::is_positive);
    let lacks_fee = fee(known).is_none() && fee(listed).is_some();
    let lacks_transaction = known.transaction.hash.is_none() && listed.transaction.hash.is_some();
    row.resource.kind() == Kind::Withdrawal
        && row.content.status.is_some_and(Status::is_final)
        && (lacks_fee || lacks_transaction)
}

/// Of the rows about each resource, the one with the furthest status.
pub(crate) fn furthest(theirs: &[Statement]) -> impl Iterator<Item = &Statement> {
    let progress = |row: &Statement| {
        let status = row.content.status.map(|status| (status.is_final(), status.rank()));
        (status, row.content.occurred_at, row.content.id.clone())
    };
    let mut by_resource: BTreeMap<&ResourceId, &Statement> = BTreeMap::new();
    for row in theirs {
        let known = by_resource.entry(&row.resource).or_insert(row);
        if progress(row) > progress(known) {
            *known = row;
        }
    }
    by_resource.into_values()
}

/// Compares a resource whose latest statement counts, whatever it was before: a user, an account or a balance. It is behind if
/// recording the row would change its status or its amount.
fn compare_latest(resource: &Resource, row: &Statement) -> Option<Discrepancy> {
    let shown = |resource: &Resource| {
        let view = resource.view()?;
        let amount = match &view.details {
            Details::Balance(balance) => balance.quantity.as_ref().and_then(Quantity::in_major),
            Details::Transfer(_) | Details::Recovery(_) | Details::Account(_) | Details::Unrecognized(_) => None,
        };
        Some((view.status, amount))
    };
    let after = fold(resource.clone(), row.clone()).into_resource();
    (shown(resource) != shown(&after)).then(|| Discrepancy::Behind { ours: resource.id().clone(), theirs: row.clone() })
}

/// Whether the row says that it is held for another reason than what is recorded. Two families name the reasons for one hold
/// differently, so only what the row's family reported is compared.
fn is_held_anew(resource: &Resource, row: &Statement) -> bool {
    row.content.family().is_some_and(|family| resource.families().contains(&family))
        && !resource.has_reported(&row.content)
        // A statement that is held because of another deposit is not held for this one's reason.
        && resource.conflict_with(&row.content).is_empty()
}

fn compare(resource: &Resource, row: &Statement) -> Option<Discrepancy> {
    if matches!(resource.id().kind(), Kind::Participant | Kind::ExternalAccount | Kind::Balance) {
        return compare_latest(resource, row);
    }
    let view = resource.view()?;
    let theirs = row.content.status?;
    let differs =
        |members: Vec<&'static str>| Discrepancy::Differs { ours: resource.id().clone(), theirs: row.clone(), members };
    let behind = || Discrepancy::Behind { ours: resource.id().clone(), theirs: row.clone() };
    let incomplete = || Discrepancy::Incomplete { ours: resource.id().clone(), theirs: row.clone() };
    let Some(ours) = view.status else {
        return Some(behind());
    };
    match (ours.is_final(), theirs.is_final()) {
        _ if ours == theirs => {
            let members = view.details.contradictions(&row.content.details);
            match members.is_empty() {
                true if is_held_anew(resource, row) => Some(behind()),
                true => completes(&view.details, row).then(incomplete),
                false => Some(differs(members)),
            }
        }
        (false, true) => Some(behind()),
        // The list may lag behind the webhooks.
        (false, false) => (theirs.rank() > ours.rank()).then(behind),
        // A conflict that is already recorded is not reported again.
        (true, is_final) => {
            let (is_known, about) = (view.conflicting().contains(&theirs), resource.conflict_with(&row.content));
            match about.is_empty() {
                // A bank returned a payment that was settled.
                true => (is_final && theirs.rank() > ours.rank()).then(behind),
                false => (!is_known).then(|| differs(about)),
            }
        }
    }
}
