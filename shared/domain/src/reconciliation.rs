//! What is recorded, held against what the provider lists.
//!
//! Pure: what is ours and what is theirs are arguments, and nothing is done about a difference here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::coin::is_a_chains;
use crate::{
    Claim, DecimalValue, DepositStatus, Details, Event, EventBody, FactId, Kind, Ownership, Quantity, Resource,
    ResourceId, Signal, Status, Tenant, Timestamp,
};

/// A difference between what is recorded and what the provider lists.
#[derive(Clone, Debug, PartialEq)]
pub enum Discrepancy {
    /// The provider lists it, and nothing is recorded: its webhooks did not come.
    Missing {
        /// What the provider's list says.
        theirs: Signal,
    },
    /// The provider lists it further along than it is recorded: its latest webhook did not come.
    Behind {
        /// As what it is recorded.
        ours: ResourceId,
        /// What the provider's list says.
        theirs: Signal,
    },
    /// The provider lists it otherwise than its webhooks told of it: a person must look.
    Differs {
        /// As what it is recorded.
        ours: ResourceId,
        /// What the provider's list says.
        theirs: Signal,
        /// In what: `status`, `amount`, `asset`, `network`, `transaction`, `account`.
        members: Vec<&'static str>,
    },
    /// The provider lists it as confirmed, it is not recorded as that, and it may be what is recorded under another id: a person
    /// must look, since a coin must not be credited twice.
    Ambiguous {
        /// What the provider's list says.
        theirs: Signal,
        /// What it may be; `None` when nothing recorded resembles it, and it names no transaction to be told by.
        resembles: Option<ResourceId>,
    },
    /// It is recorded as confirmed, and the provider does not list it.
    UnknownToTheProvider {
        /// As what it is recorded.
        ours: ResourceId,
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
        }
    }

    /// Which resource it is about.
    pub fn resource(&self) -> &ResourceId {
        match self {
            Self::Missing { theirs } | Self::Ambiguous { theirs, .. } => &theirs.resource,
            Self::Behind { ours, .. } | Self::Differs { ours, .. } | Self::UnknownToTheProvider { ours } => ours,
        }
    }

    /// The row of the provider's list that takes the road of a webhook, with the resource that it is to speak of.
    ///
    /// What was missed does; so does a final status that contradicts the recorded one, which becomes `.conflicting`. A row
    /// that only tells other particulars does not: it is weaker evidence than what the provider signed.
    pub fn heals(&self) -> Option<(&ResourceId, &FactId)> {
        match self {
            Self::Missing { theirs } => Some((&theirs.resource, &theirs.fact)),
            Self::Behind { ours, theirs } => Some((ours, &theirs.fact)),
            Self::Differs { ours, theirs, members } => {
                let contradicts = members.contains(&STATUS) && theirs.status.is_final() && is_same(ours, theirs);
                contradicts.then_some((ours, &theirs.fact))
            }
            Self::Ambiguous { .. } | Self::UnknownToTheProvider { .. } => None,
        }
    }
}

impl fmt::Display for Discrepancy {
    /// A sentence about it, for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.resource();
        match self {
            Self::Missing { theirs } => write!(f, "{resource} is listed as {} and not recorded", theirs.status),
            Self::Behind { theirs, .. } => {
                write!(f, "{resource} is listed as {} and not recorded as that", theirs.status)
            }
            Self::Differs { theirs, members, .. } => {
                write!(f, "{resource} is listed as {} and differs in: {}", theirs.status, members.join(", "))
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
        }
    }
}

const STATUS: &str = "status";
/// The asset of a deposit that names none.
const UNNAMED: &str = "-";

/// Holds `ours` against `theirs`: the rows of the provider's list, each as the signal that it makes.
///
/// A row is about the resource of its id; failing that, about the deposit of the same id in the organization's other
/// feed; failing that, about the deposit that its coin is credited under, unless one stream tells of both: it tells of each
/// coin once, so these are two deposits in one transaction. Of several rows about one resource the furthest counts, so that
/// a row seen twice, on a page that shifted, is one. Neither order nor repetition of either changes anything.
///
/// A row whose coin another stream of the same feed has told of under another id is ambiguous.
pub fn plan(ours: &[Resource], theirs: &[Signal]) -> Vec<Discrepancy> {
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

/// Whether the row names its coin by a transaction's hash on a chain, so that it can be told from any other.
pub fn names_its_coin(row: &Signal) -> bool {
    coin_of(row).is_some() && row.details.transaction_hash().is_some_and(is_a_chains)
}

/// Whether what is recorded of the deposit names its coin so.
pub fn is_told_by_its_coin(resource: &Resource) -> bool {
    let details = resource.view().map(|view| view.details);
    details.is_some_and(|details| {
        claim_on(resource.id(), &details).is_some() && details.transaction_hash().is_some_and(is_a_chains)
    })
}

/// Whether the row is about the coin that is claimed so.
pub fn is_of_the_coin(row: &Signal, taken: &Claim) -> bool {
    let claim = claim_on(&row.resource, &row.details);
    claim.is_some_and(|claim| claim.coin == taken.coin && !claim.is_on_another_chain_than(taken))
}

/// The coin that a row is about, as claims name it; `None` when the row does not tell.
pub fn coin_of(row: &Signal) -> Option<String> {
    claim_on(&row.resource, &row.details).map(|claim| claim.coin)
}

/// The amount of the asset that an event tells of, to be noted when the topic has taken it: of a deposit that may be
/// credited. `None` for any other event.
pub fn receipt_of(event: &Event, published_at: Timestamp) -> Option<Receipt> {
    let EventBody::Transfer(transfer) = &event.data.body else {
        return None;
    };
    let is_credit = event.data.kind == Kind::Deposit.as_str() && event.standing() == CONFIRMED.as_str();
    let amount = transfer.amount.as_ref();
    let asset = amount.and_then(|amount| amount.asset.as_deref()).or(transfer.asset.as_deref()).unwrap_or(UNNAMED);
    is_credit.then(|| Receipt {
        resource: event.data.resource.clone(),
        event: event.id.clone(),
        asset: asset.to_uppercase(),
        value: amount.and_then(|amount| amount.major.clone()).unwrap_or_else(DecimalValue::zero),
        published_at,
    })
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

    fn matching(&self, row: &Signal) -> Option<&'a Resource> {
        let by_id = self.by_id.get(&row.resource).copied();
        if row.resource.kind() != Kind::Deposit {
            return by_id;
        }
        let of_other_feed = || self.by_native_id.get(&native(&row.resource)).copied();
        let of_same_coin = || {
            let claim = claim_on(&row.resource, &row.details)?;
            let owners = self.by_coin.get(&claim.coin)?;
            owners.iter().find(|(taken, _)| !claim.stands_beside(taken)).map(|(_, owner)| *owner)
        };
        by_id.or_else(of_other_feed).or_else(of_same_coin)
    }
}

fn native(id: &ResourceId) -> (Option<&Tenant>, &str) {
    (id.feed().tenant(), id.native())
}

fn claim_on(id: &ResourceId, details: &Details) -> Option<Claim> {
    match details {
        Details::Transfer(transfer) => Claim::of(id, transfer),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}

/// Whether the row is about the resource by its id, and not only by its coin.
fn is_same(ours: &ResourceId, row: &Signal) -> bool {
    native(ours) == native(&row.resource)
}

/// Of the rows about each resource the one that stands over the others.
fn furthest(theirs: &[Signal]) -> impl Iterator<Item = &Signal> {
    let progress = |row: &Signal| (row.status.is_final(), row.status.rank(), row.occurred_at, row.fact.clone());
    let mut by_resource: BTreeMap<&ResourceId, &Signal> = BTreeMap::new();
    for row in theirs {
        let known = by_resource.entry(&row.resource).or_insert(row);
        if progress(row) > progress(known) {
            *known = row;
        }
    }
    by_resource.into_values()
}

fn compare(resource: &Resource, row: &Signal) -> Option<Discrepancy> {
    let view = resource.view()?;
    let (ours, theirs) = (view.status, row.status);
    let differs =
        |members: Vec<&'static str>| Discrepancy::Differs { ours: resource.id().clone(), theirs: row.clone(), members };
    let behind = || Discrepancy::Behind { ours: resource.id().clone(), theirs: row.clone() };
    match (ours.is_final(), theirs.is_final()) {
        _ if ours == theirs => {
            let members = view.details.contradictions(&row.details);
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

const CONFIRMED: Status = Status::Deposit(DepositStatus::Confirmed);

/// Whether the deposit that is listed may be the one that is recorded, under another id: credited to the same user with the
/// same amount of the same asset, within days of it, and not told from it by its coin.
pub fn may_be_the_same(recorded: &Resource, row: &Signal) -> bool {
    let Some(view) = recorded.view().filter(|_| !is_same(recorded.id(), row)) else {
        return false;
    };
    let same_user = view.details.account().is_some() && view.details.account() == row.details.account();
    let same_tenant = recorded.id().feed().tenant() == row.resource.feed().tenant();
    let amount = credited(recorded);
    let same_amount = amount.is_some() && amount == worth(&row.details);
    let apart = view.occurred_at.since(row.occurred_at).max(row.occurred_at.since(view.occurred_at));
    let coins = [claim_on(recorded.id(), &view.details).map(|claim| claim.coin), coin_of(row)];
    let on_chain = |details: &Details| details.transaction_hash().is_some_and(is_a_chains);
    let are_named = coins.iter().all(Option::is_some) && on_chain(&view.details) && on_chain(&row.details);
    let told_apart = are_named && coins[0] != coins[1];
    same_user && same_tenant && same_amount && apart <= SAME_WITHIN && !told_apart
}

/// How far apart two tellings of one deposit may be dated: by its announcement and by its end, with a hold between them.
const SAME_WITHIN: Duration = Duration::from_secs(7 * 86_400);

/// The asset and the amount that a deposit may be credited with, in whole coins; `None` when it may not.
fn credited(resource: &Resource) -> Option<(String, DecimalValue)> {
    let view = resource.view()?;
    let is_credited = view.is_confirmed_deposit() && !matches!(resource.ownership(), Ownership::DuplicateOf { .. });
    is_credited.then(|| worth(&view.details)).flatten()
}

/// The asset and the amount as an event of it names them, so that what is published of it compares: an amount that is not
/// told in coins is none of them.
fn worth(details: &Details) -> Option<(String, DecimalValue)> {
    match details {
        Details::Transfer(transfer) => {
            let amount = transfer.quantity.as_ref().or(transfer.total.as_ref());
            let value = amount.and_then(Quantity::in_major).unwrap_or_else(DecimalValue::zero);
            Some((transfer.asset.as_deref().unwrap_or(UNNAMED).to_uppercase(), value))
        }
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}

/// That an event was taken by the topic which says that a deposit may be credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The deposit.
    pub resource: ResourceId,
    /// The event's id.
    pub event: String,
    /// The asset that the event named.
    pub asset: String,
    /// The amount that the event named, in whole coins.
    pub value: DecimalValue,
    /// When the topic took it.
    pub published_at: Timestamp,
}

/// So many deposits, and what they come to in whole coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many.
    pub deposits: u64,
    /// How much.
    pub total: DecimalValue,
}

impl Default for Tally {
    fn default() -> Self {
        Self { deposits: 0, total: DecimalValue::zero() }
    }
}

impl Tally {
    fn count(&mut self, value: &DecimalValue) {
        self.deposits += 1;
        self.total = self.total.clone() + value;
    }

    fn add(&mut self, other: &Self) {
        self.deposits += other.deposits;
        self.total = self.total.clone() + &other.total;
    }
}

/// What came in of one asset, as each party has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConservationLine {
    /// The asset's code; `-` for one that is not named.
    pub asset: String,
    /// What the provider lists as succeeded.
    pub provider: Tally,
    /// What is recorded as confirmed, and no duplicate.
    pub ours: Tally,
    /// What was published as confirmed.
    pub published: Tally,
}

impl ConservationLine {
    /// Adds what `other` counted of the same asset.
    pub fn add(&mut self, other: &Self) {
        self.provider.add(&other.provider);
        self.ours.add(&other.ours);
        self.published.add(&other.published);
    }

    /// Whether all three are the same.
    pub fn holds(&self) -> bool {
        self.provider == self.ours && self.ours == self.published
    }
}

/// Adds up each asset over a closed window: the rows of the provider's list in it, the deposits recorded for them or
/// dated in it, and the receipts of those.
///
/// A deposit that is in `ours` without being credited (pending, failed, a duplicate) counts for nothing, as does a row
/// that has not succeeded. A row seen twice counts once.
pub fn conserve(ours: &[Resource], theirs: &[Signal], receipts: &[Receipt]) -> Vec<ConservationLine> {
    let mut lines: BTreeMap<String, ConservationLine> = BTreeMap::new();
    let mut line = |asset: String, count: &dyn Fn(&mut ConservationLine)| {
        let empty = || ConservationLine {
            asset: asset.clone(),
            provider: Tally::default(),
            ours: Tally::default(),
            published: Tally::default(),
        };
        count(lines.entry(asset.clone()).or_insert_with(empty));
    };
    for row in furthest(theirs).filter(|row| row.status == CONFIRMED) {
        if let Some((asset, value)) = worth(&row.details) {
            line(asset, &|line| line.provider.count(&value));
        }
    }
    let distinct: BTreeMap<&ResourceId, &Resource> = ours.iter().map(|resource| (resource.id(), resource)).collect();
    for (asset, value) in distinct.values().filter_map(|resource| credited(resource)) {
        line(asset, &|line| line.ours.count(&value));
    }
    let receipts: BTreeMap<&ResourceId, &Receipt> =
        receipts.iter().map(|receipt| (&receipt.resource, receipt)).collect();
    for receipt in receipts.values().filter(|receipt| distinct.contains_key(&receipt.resource)) {
        line(receipt.asset.to_uppercase(), &|line| line.published.count(&receipt.value));
    }
    lines.into_values().collect()
}
