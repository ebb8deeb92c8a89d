//! Which coin a row or a deposit is about, and which deposits may be the same one.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{
    ClaimEntry, ClaimKey, CoinId, DecimalValue, Details, Kind, Resource, ResourceId, Statement, Tenant,
};

use crate::credit::{asset_and_amount, credited};

/// How far apart two statements about one deposit may be dated: one has the date of its announcement, the other that of
/// its end, and a hold may lie between them.
pub const SAME_DEPOSIT_WITHIN: Duration = Duration::from_secs(7 * 86_400);

/// The claim on the coin that a row is about; `None` when the row does not identify one.
pub fn claim_of(row: &Statement) -> Option<ClaimKey> {
    let coin = coin_in(&row.content.details)?;
    Some(ClaimKey::new(row.resource.feed(), coin.transaction()?))
}

/// Whether the row identifies its coin by a transaction on a chain, so that it differs from every other coin.
pub fn identifies_its_coin(row: &Statement) -> bool {
    coin_in(&row.content.details).is_some()
}

/// Whether the recorded deposit identifies its coin by a transaction on a chain.
pub fn is_identified_by_its_coin(resource: &Resource) -> bool {
    resource.view().is_some_and(|view| coin_in(&view.details).is_some())
}

/// Whether the row is about the coin of `entry`.
pub fn has_coin_of(row: &Statement, entry: &ClaimEntry) -> bool {
    coin_in(&row.content.details).is_some_and(|coin| coin.is_same_coin_as(&entry.coin))
}

/// Whether the listed deposit may be the recorded one under another id: both are credited to the same user with the same
/// amount of the same asset, within [`SAME_DEPOSIT_WITHIN`] of each other, and no two transaction hashes show that they
/// are different coins.
pub fn may_be_the_same(recorded: &Resource, row: &Statement) -> bool {
    Credit::recorded(recorded).is_some_and(|credit| Some(credit) == Credit::of_row(row)) && is_near(recorded, row)
}

/// What two reports of one deposit agree in.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Credit {
    tenant: Option<Tenant>,
    account: String,
    asset: String,
    amount: DecimalValue,
}

impl Credit {
    fn new(id: &ResourceId, details: &Details, (asset, amount): (String, DecimalValue)) -> Option<Self> {
        Some(Self { tenant: id.feed().tenant().cloned(), account: details.account()?.to_owned(), asset, amount })
    }

    /// What a recorded deposit is credited with; `None` if it is not, or names no user.
    fn recorded(recorded: &Resource) -> Option<Self> {
        Self::new(recorded.id(), &recorded.view()?.details, credited(recorded)?)
    }

    fn of_row(row: &Statement) -> Option<Self> {
        let details = &row.content.details;
        Self::new(&row.resource, details, asset_and_amount(details)?)
    }
}

/// Whether a row and a recorded deposit that agree in what is credited may be one deposit, by their ids, dates and coins.
fn is_near(recorded: &Resource, row: &Statement) -> bool {
    let Some(view) = recorded.view().filter(|_| !has_same_id(recorded.id(), row)) else {
        return false;
    };
    let apart = view.occurred_at.since(row.content.occurred_at).max(row.content.occurred_at.since(view.occurred_at));
    let are_different_coins = || match (coin_in(&view.details), coin_in(&row.content.details)) {
        (Some(ours), Some(theirs)) => !ours.is_same_coin_as(&theirs),
        (None, _) | (_, None) => false,
    };
    apart <= SAME_DEPOSIT_WITHIN && !are_different_coins()
}

/// Credited deposits, to find those that [may be the same](may_be_the_same) as a row without a look at each.
pub(crate) struct CreditedDeposits<'a>(BTreeMap<Credit, Vec<&'a Resource>>);

impl<'a> CreditedDeposits<'a> {
    pub(crate) fn among(resources: &'a [Resource]) -> Self {
        let mut credited: BTreeMap<Credit, Vec<&Resource>> = BTreeMap::new();
        for resource in resources {
            if let Some(credit) = Credit::recorded(resource) {
                credited.entry(credit).or_default().push(resource);
            }
        }
        Self(credited)
    }

    /// The deposits that may be the same as the row, in the order in which they were given.
    pub(crate) fn that_may_be(&self, row: &Statement) -> impl Iterator<Item = &'a Resource> {
        let alike = Credit::of_row(row).and_then(|credit| self.0.get(&credit));
        alike.into_iter().flatten().copied().filter(|recorded| is_near(recorded, row))
    }
}

/// The ids of the resource that the row is about: its own, and the other names of a payment.
pub fn names(row: &Statement) -> impl Iterator<Item = &ResourceId> {
    let others = match &row.content.details {
        Details::Transfer(transfer) => Some(&transfer.names),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    };
    std::iter::once(&row.resource).chain(others.into_iter().flatten())
}

/// Whether a row that matches the recorded resource is about it: a payment under any of its names, a deposit under its own
/// id.
pub(crate) fn is_about(ours: &ResourceId, row: &Statement) -> bool {
    row.resource.kind() != Kind::Deposit || has_same_id(ours, row)
}

/// Whether the row is about the resource by its id, in either feed of the organization.
pub(crate) fn has_same_id(ours: &ResourceId, row: &Statement) -> bool {
    provider_id(ours) == provider_id(&row.resource)
}

/// The organization and the provider's id: the same in both feeds of the organization.
pub(crate) fn provider_id(id: &ResourceId) -> (Option<&Tenant>, &str) {
    (id.feed().tenant(), id.native())
}

/// The coin that the details identify: by its transaction, address and asset.
pub(crate) fn coin_in(details: &Details) -> Option<CoinId> {
    match details {
        Details::Transfer(transfer) => transfer.identifies_coin().then(|| transfer.coin()),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}
