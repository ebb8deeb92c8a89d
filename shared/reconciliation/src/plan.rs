//! What is recorded, held against what the provider lists.
//!
//! Pure: what is ours and what is theirs are arguments, and nothing is done about a difference here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use fundhook_domain::{
    Claim, DepositStatus, Details, FactId, Kind, Ownership, Resource, ResourceId, Statement, Status, Tenant,
    is_chain_hash,
};

use crate::control_totals::{credited, worth};

/// A difference between what is recorded and what the provider lists.
#[derive(Clone, Debug, PartialEq)]
pub enum Discrepancy {
    /// The provider lists it, and nothing is recorded: its webhooks did not come.
    Missing {
        /// What the provider's list says.
        theirs: Statement,
    },
    /// The provider lists it further along than it is recorded: its latest webhook did not come.
    Behind {
        /// As what it is recorded.
        ours: ResourceId,
        /// What the provider's list says.
        theirs: Statement,
    },
    /// The provider lists it otherwise than its webhooks told of it: a person must look.
    Differs {
        /// As what it is recorded.
        ours: ResourceId,
        /// What the provider's list says.
        theirs: Statement,
        /// In what: `status`, `amount`, `asset`, `network`, `transaction`, `account`.
        members: Vec<&'static str>,
    },
    /// The provider lists it as confirmed, it is not recorded as that, and it may be what is recorded under another id: a person
    /// must look, since a coin must not be credited twice.
    Ambiguous {
        /// What the provider's list says.
        theirs: Statement,
        /// What it may be; `None` when nothing recorded resembles it, and it names no transaction to be told by.
        resembles: Option<ResourceId>,
    },
    /// It is recorded as confirmed, and the provider does not list it.
    UnknownToTheProvider {
        /// As what it is recorded.
        ours: ResourceId,
    },
    /// It is credited, and so is what another feed of the organization told of, which may be the same coin: a person must look.
    CreditedTwice {
        /// As what it is recorded.
        ours: ResourceId,
        /// The other feed's deposit.
        other: ResourceId,
    },
}

impl Discrepancy {
    /// Its name in metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Behind { .. } => "behind",
            Self::Differs { .. } => "differs",
            Self::Ambiguous { .. } => "ambiguous",
            Self::UnknownToTheProvider { .. } => "unknown_to_the_provider",
            Self::CreditedTwice { .. } => "credited_twice",
        }
    }

    /// Which resource it is about.
    pub fn resource(&self) -> &ResourceId {
        match self {
            Self::Missing { theirs } | Self::Ambiguous { theirs, .. } => &theirs.resource,
            Self::Behind { ours, .. }
            | Self::Differs { ours, .. }
            | Self::UnknownToTheProvider { ours }
            | Self::CreditedTwice { ours, .. } => ours,
        }
    }

    /// The row of the provider's list that takes the road of a webhook, with the resource that it is to speak of.
    ///
    /// What was missed does; so does a final status that contradicts the recorded one, which becomes `.conflicting`. A row
    /// that only tells other particulars does not: it is weaker evidence than what the provider signed.
    pub fn to_queue(&self) -> Option<(&ResourceId, &FactId)> {
        match self {
            Self::Missing { theirs } => Some((&theirs.resource, &theirs.content.id)),
            Self::Behind { ours, theirs } => Some((ours, &theirs.content.id)),
            Self::Differs { ours, theirs, members } => {
                let contradicts =
                    members.contains(&STATUS) && theirs.content.status.is_final() && is_same(ours, theirs);
                contradicts.then_some((ours, &theirs.content.id))
            }
            Self::Ambiguous { .. } | Self::UnknownToTheProvider { .. } | Self::CreditedTwice { .. } => None,
        }
    }
}

impl fmt::Display for Discrepancy {
    /// A sentence about it, for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.resource();
        match self {
            Self::Missing { theirs } => write!(f, "{resource} is listed as {} and not recorded", theirs.content.status),
            Self::Behind { theirs, .. } => {
                write!(f, "{resource} is listed as {} and not recorded as that", theirs.content.status)
            }
            Self::Differs { theirs, members, .. } => {
                write!(f, "{resource} is listed as {} and differs in: {}", theirs.content.status, members.join(", "))
            }
            Self::Ambiguous { resembles: Some(known), .. } => {
                write!(f, "{resource} is listed and not recorded, and may be {known}")
            }
            Self::Ambiguous { resembles: None, .. } => {
                write!(
                    f,
                    "{resource} is listed as confirmed, and names no transaction to tell it by from what another feed tells"
                )
            }
            Self::UnknownToTheProvider { .. } => write!(f, "{resource} is recorded as confirmed and not listed"),
            Self::CreditedTwice { other, .. } => {
                write!(f, "{resource} is credited, and so is {other}, which may be the same coin")
            }
        }
    }
}

const STATUS: &str = "status";

/// Holds `ours` against `theirs`: the rows of the provider's list, each as the signal that it makes.
///
/// A row is about the resource of its id; failing that, about the deposit of the same id in the organization's other
/// feed; failing that, about the deposit that its coin is credited under, unless one stream tells of both: it tells of each
/// coin once, so these are two deposits in one transaction. Of several rows about one resource the furthest counts, so that
/// a row seen twice, on a page that shifted, is one. Neither order nor repetition of either changes anything.
///
/// A row whose coin another stream of the same feed has told of under another id is ambiguous.
pub fn plan(ours: &[Resource], theirs: &[Statement]) -> Vec<Discrepancy> {
    let recorded = Recorded::of(ours);
    let mut matched: BTreeSet<&ResourceId> = BTreeSet::new();
    let mut discrepancies = Vec::new();
    for row in furthest(theirs) {
        match recorded.matching(row) {
            None => discrepancies.push(Discrepancy::Missing { theirs: row.clone() }),
            Some(resource) if is_same(resource.id(), row) || resource.id().feed() != row.resource.feed() => {
                matched.insert(resource.id());
                discrepancies.extend(compare(resource, row));
            }
            // The same feed tells of the same coin under another id: two deposits in one transaction, or one deposit whose id
            // is not what the settings take it for.
            Some(resource) => {
                let resembles = Some(resource.id().clone());
                discrepancies.push(Discrepancy::Ambiguous { theirs: row.clone(), resembles });
            }
        }
    }
    let unmatched = recorded.by_id.values().filter(|resource| !matched.contains(resource.id()));
    let credited = unmatched.filter(|resource| credited(resource).is_some());
    discrepancies.extend(credited.map(|resource| Discrepancy::UnknownToTheProvider { ours: resource.id().clone() }));
    discrepancies
}

/// Which of `theirs`, recorded in `ours` under their ids and credited, may be the same coin as one of `others`: deposits that
/// another feed of the organization told of, credited as well. Where both name their transactions, claims keep a coin from
/// being credited twice; where one does not, only a resemblance shows it.
pub fn credited_twice(ours: &[Resource], theirs: &[Statement], others: &[Resource]) -> Vec<Discrepancy> {
    let is_credited = |row: &&Statement| {
        let recorded = ours.iter().find(|resource| *resource.id() == row.resource);
        recorded.is_some_and(|resource| credited(resource).is_some())
    };
    let twice = |row: &Statement| {
        let of_other_feed = |other: &&Resource| other.id().feed() != row.resource.feed();
        let other = others.iter().filter(of_other_feed).find(|other| may_be_the_same(other, row))?;
        Some(Discrepancy::CreditedTwice { ours: row.resource.clone(), other: other.id().clone() })
    };
    furthest(theirs).filter(is_credited).filter_map(twice).collect()
}

/// Whether the row names its coin by a transaction's hash on a chain, so that it can be told from any other.
pub fn identifies_its_coin(row: &Statement) -> bool {
    coin_of(row).is_some() && row.content.details.transaction_hash().is_some_and(is_chain_hash)
}

/// Whether what is recorded of the deposit names its coin so.
pub fn is_identified_by_its_coin(resource: &Resource) -> bool {
    let details = resource.view().map(|view| view.details);
    details.is_some_and(|details| {
        claim_on(resource.id(), &details).is_some() && details.transaction_hash().is_some_and(is_chain_hash)
    })
}

/// Whether the row is about the coin that is claimed so.
pub fn is_of_the_coin(row: &Statement, taken: &Claim) -> bool {
    let claim = claim_on(&row.resource, &row.content.details);
    claim.is_some_and(|claim| claim.coin == taken.coin && !claim.is_on_another_chain_than(taken))
}

/// The coin that a row is about, as claims name it; `None` when the row does not tell.
pub fn coin_of(row: &Statement) -> Option<String> {
    claim_on(&row.resource, &row.content.details).map(|claim| claim.coin)
}

/// What is recorded, by what a row may find it by.
struct Recorded<'a> {
    by_id: BTreeMap<&'a ResourceId, &'a Resource>,
    by_native_id: BTreeMap<(Option<&'a Tenant>, &'a str), &'a Resource>,
    by_coin: BTreeMap<String, Vec<(Claim, &'a Resource)>>,
}

impl<'a> Recorded<'a> {
    fn of(ours: &'a [Resource]) -> Self {
        let known = ours.iter().filter(|resource| resource.version() > 0);
        let by_id: BTreeMap<_, _> = known.map(|resource| (resource.id(), resource)).collect();
        // In the order of their ids, whatever order they came in.
        let deposits = || by_id.values().copied().filter(|resource| resource.id().kind() == Kind::Deposit);
        let by_native_id = deposits().map(|resource| (native(resource.id()), resource)).collect();
        let mut by_coin: BTreeMap<String, Vec<(Claim, &Resource)>> = BTreeMap::new();
        for owner in deposits().filter(|resource| *resource.ownership() == Ownership::Owner) {
            if let Some(claim) = owner.view().and_then(|view| claim_on(owner.id(), &view.details)) {
                by_coin.entry(claim.coin.clone()).or_default().push((claim, owner));
            }
        }
        Self { by_id, by_native_id, by_coin }
    }

    fn matching(&self, row: &Statement) -> Option<&'a Resource> {
        let by_id = self.by_id.get(&row.resource).copied();
        if row.resource.kind() != Kind::Deposit {
            return by_id;
        }
        let of_other_feed = || self.by_native_id.get(&native(&row.resource)).copied();
        let of_same_coin = || {
            let claim = claim_on(&row.resource, &row.content.details)?;
            let owners = self.by_coin.get(&claim.coin)?;
            owners.iter().find(|(taken, _)| !claim.coexists_with(taken)).map(|(_, owner)| *owner)
        };
        by_id.or_else(of_other_feed).or_else(of_same_coin)
    }
}

fn native(id: &ResourceId) -> (Option<&Tenant>, &str) {
    (id.feed().tenant(), id.native())
}

fn claim_on(id: &ResourceId, details: &Details) -> Option<Claim> {
    match details {
        Details::Transfer(transfer) => transfer.claim_by(id),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}

/// Whether the row is about the resource by its id, and not only by its coin.
fn is_same(ours: &ResourceId, row: &Statement) -> bool {
    native(ours) == native(&row.resource)
}

/// Of the rows about each resource the one that stands over the others.
pub(crate) fn furthest(theirs: &[Statement]) -> impl Iterator<Item = &Statement> {
    let progress = |row: &Statement| {
        (row.content.status.is_final(), row.content.status.rank(), row.content.occurred_at, row.content.id.clone())
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

fn compare(resource: &Resource, row: &Statement) -> Option<Discrepancy> {
    let view = resource.view()?;
    let (ours, theirs) = (view.status, row.content.status);
    let differs =
        |members: Vec<&'static str>| Discrepancy::Differs { ours: resource.id().clone(), theirs: row.clone(), members };
    let behind = || Discrepancy::Behind { ours: resource.id().clone(), theirs: row.clone() };
    match (ours.is_final(), theirs.is_final()) {
        _ if ours == theirs => {
            let members = view.details.contradictions(&row.content.details);
            (!members.is_empty()).then(|| differs(members))
        }
        (false, true) => Some(behind()),
        // The list may lag behind the webhooks.
        (false, false) => (theirs.rank() > ours.rank()).then(behind),
        // `success:false` is not the end, and may be how a failed deposit is listed; one that was credited is another matter.
        (true, false) => (ours == CONFIRMED).then(|| differs(vec![STATUS])),
        // What contradicts itself already has been said to.
        (true, true) => (!view.conflicting.contains(&theirs)).then(|| differs(vec![STATUS])),
    }
}

pub(crate) const CONFIRMED: Status = Status::Deposit(DepositStatus::Confirmed);

/// Whether the deposit that is listed may be the one that is recorded, under another id: credited to the same user with the
/// same amount of the same asset, within days of it, and not told from it by its coin.
pub fn may_be_the_same(recorded: &Resource, row: &Statement) -> bool {
    let Some(view) = recorded.view().filter(|_| !is_same(recorded.id(), row)) else {
        return false;
    };
    let same_user = view.details.account().is_some() && view.details.account() == row.content.details.account();
    let same_tenant = recorded.id().feed().tenant() == row.resource.feed().tenant();
    let amount = credited(recorded);
    let same_amount = amount.is_some() && amount == worth(&row.content.details);
    let apart = view.occurred_at.since(row.content.occurred_at).max(row.content.occurred_at.since(view.occurred_at));
    let coins = [claim_on(recorded.id(), &view.details).map(|claim| claim.coin), coin_of(row)];
    let on_chain = |details: &Details| details.transaction_hash().is_some_and(is_chain_hash);
    let are_named = coins.iter().all(Option::is_some) && on_chain(&view.details) && on_chain(&row.content.details);
    let told_apart = are_named && coins[0] != coins[1];
    same_user && same_tenant && same_amount && apart <= SAME_WITHIN && !told_apart
}

/// How far apart two tellings of one deposit may be dated: by its announcement and by its end, with a hold between them.
pub const SAME_WITHIN: Duration = Duration::from_secs(7 * 86_400);
