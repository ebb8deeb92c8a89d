//! Which coin a row or a deposit is about, and which deposits may be the same one.

use std::time::Duration;

use fundhook_domain::{ClaimEntry, ClaimKey, CoinId, Details, Kind, Resource, ResourceId, Statement, Tenant};

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
    let Some(view) = recorded.view().filter(|_| !has_same_id(recorded.id(), row)) else {
        return false;
    };
    let same_user = view.details.account().is_some() && view.details.account() == row.content.details.account();
    let same_tenant = recorded.id().feed().tenant() == row.resource.feed().tenant();
    let amount = credited(recorded);
    let same_amount = amount.is_some() && amount == asset_and_amount(&row.content.details);
    let apart = view.occurred_at.since(row.content.occurred_at).max(row.content.occurred_at.since(view.occurred_at));
    let are_different_coins = match (coin_in(&view.details), coin_in(&row.content.details)) {
        (Some(ours), Some(theirs)) => !ours.is_same_coin_as(&theirs),
        (None, _) | (_, None) => false,
    };
    same_user && same_tenant && same_amount && apart <= SAME_DEPOSIT_WITHIN && !are_different_coins
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
