//! Which coin a row or a deposit is about, and which deposits may be the same one.

use std::time::Duration;

use fundhook_domain::{Claim, Details, Resource, ResourceId, Statement, Tenant, is_chain_hash};

use crate::credit::{asset_and_amount, credited};

/// How far apart two statements about one deposit may be dated: one has the date of its announcement, the other that of
/// its end, and a hold may lie between them.
pub const SAME_DEPOSIT_WITHIN: Duration = Duration::from_secs(7 * 86_400);

/// The key of the coin that a row is about, as claims name it; `None` when the row does not name one.
pub fn coin_of(row: &Statement) -> Option<String> {
    claim_on(&row.resource, &row.content.details).map(|claim| claim.coin)
}

/// Whether the row identifies its coin by a transaction hash on a chain, so that it differs from every other coin.
pub fn identifies_its_coin(row: &Statement) -> bool {
    coin_of(row).is_some() && row.content.details.transaction_hash().is_some_and(is_chain_hash)
}

/// Whether the recorded deposit identifies its coin by a transaction hash on a chain.
pub fn is_identified_by_its_coin(resource: &Resource) -> bool {
    let details = resource.view().map(|view| view.details);
    details.is_some_and(|details| {
        claim_on(resource.id(), &details).is_some() && details.transaction_hash().is_some_and(is_chain_hash)
    })
}

/// Whether the row is about the coin of the claim `taken`.
pub fn has_coin_of(row: &Statement, taken: &Claim) -> bool {
    let claim = claim_on(&row.resource, &row.content.details);
    claim.is_some_and(|claim| claim.coin == taken.coin && !claim.is_on_another_chain_than(taken))
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
    let on_chain = |details: &Details| details.transaction_hash().is_some_and(is_chain_hash);
    let coins = (claim_on(recorded.id(), &view.details).map(|claim| claim.coin), coin_of(row));
    let are_different_coins = match coins {
        (Some(ours), Some(theirs)) => on_chain(&view.details) && on_chain(&row.content.details) && ours != theirs,
        (None, _) | (_, None) => false,
    };
    same_user && same_tenant && same_amount && apart <= SAME_DEPOSIT_WITHIN && !are_different_coins
}

/// Whether the row is about the resource by its id, in either feed of the organization.
pub(crate) fn has_same_id(ours: &ResourceId, row: &Statement) -> bool {
    provider_id(ours) == provider_id(&row.resource)
}

/// The organization and the provider's id: the same in both feeds of the organization.
pub(crate) fn provider_id(id: &ResourceId) -> (Option<&Tenant>, &str) {
    (id.feed().tenant(), id.native())
}

pub(crate) fn claim_on(id: &ResourceId, details: &Details) -> Option<Claim> {
    match details {
        Details::Transfer(transfer) => transfer.claim_by(id),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}
