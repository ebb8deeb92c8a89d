//! What a deposit says about coins, for the claims on them.

use std::collections::BTreeMap;

use super::details::Details;
use super::statement::StatementContent;
use super::transfer::TransferDetails;
use super::view::View;
use crate::{
    ClaimEntry, ClaimKey, CoinId, DepositStatus, Fate, HoldReason, Kind, ResourceId, Status, ToldCoin, WebhookFamily,
};

/// The entries of the deposit `id` in the claims on its coins: one for each transaction that it names. Empty when no coin
/// has a fate yet, or when the transaction or the asset is not known.
///
/// `view` is what the deposit's own `statements` add up to. A provider that corrects a transaction names two: the deposit
/// keeps its entry in the first one's claim, because the first one may be true.
pub(super) fn entries(
    id: &ResourceId,
    statements: &[&StatementContent],
    view: &View,
) -> BTreeMap<ClaimKey, ClaimEntry> {
    let (Some(fate), Details::Transfer(transfer)) = (fate(view), &view.details) else {
        return BTreeMap::new();
    };
    // A deposit that a person rejected keeps what it was credited with, so that another report of it is recognized.
    let confirmed = statements.iter().rev().find_map(|statement| statement.details.credit());
    let credit = match fate {
        Fate::Credited => transfer.credit.as_ref(),
        Fate::Reversed => confirmed,
        Fate::Unexpected | Fate::Quarantined | Fate::Disputed | Fate::Withdrawn => None,
    };
    let families: Vec<WebhookFamily> = statements.iter().filter_map(|statement| statement.family()).collect();
    let entry = |coin: CoinId| {
        (coin.asset().is_some() && coin.transaction().is_some()).then(|| ClaimEntry {
            resource: id.clone(),
            coin,
            families: families.iter().copied().collect(),
            fate,
            amount: transfer.quantity.as_ref().and_then(|quantity| quantity.in_major()),
            credit: credit.map(|credit| credit.net_credit()),
            account: transfer.account.clone(),
            recovery: transfer.related.iter().find(|id| id.kind() == Kind::Recovery).cloned(),
        })
    };
    let mut entries: BTreeMap<ClaimKey, ClaimEntry> = BTreeMap::new();
    for entry in coins(statements, transfer).filter_map(entry) {
        let Some(key) = entry.key() else {
            continue;
        };
        let tells_less = |known: &ClaimEntry| known.coin.output().is_some() && entry.coin.output().is_none();
        if !entries.get(&key).is_some_and(tells_less) {
            entries.insert(key, entry);
        }
    }
    entries
}

/// The fate of its coin, according to the deposit's own statements.
fn fate(view: &View) -> Option<Fate> {
    let Some(Status::Deposit(status)) = view.status else {
        return None;
    };
    let credits = |status: &Status| *status == Status::Deposit(DepositStatus::Confirmed);
    match status {
        _ if view.duplicate_of.is_some() => Some(Fate::Withdrawn),
        _ if view.conflicting().iter().any(credits) => Some(Fate::Disputed),
        DepositStatus::Confirmed => Some(Fate::Credited),
        DepositStatus::Unexpected => Some(Fate::Unexpected),
        DepositStatus::Reversed => Some(Fate::Reversed),
        DepositStatus::Held => {
            let reason = view.details.hold().map(|hold| hold.reason);
            (reason == Some(HoldReason::Quarantined)).then_some(Fate::Quarantined)
        }
        DepositStatus::Pending | DepositStatus::Submitted | DepositStatus::Abandoned | DepositStatus::Failed => None,
    }
}

/// The coins that the deposit names. A transaction may change before it is confirmed, so one that only an earlier
/// statement names counts only if a statement with the fate names none.
fn coins<'a>(
    statements: &'a [&StatementContent],
    merged: &'a TransferDetails,
) -> impl Iterator<Item = CoinId> + use<'a> {
    let coin = |statement: &StatementContent| {
        CoinId::of(ToldCoin {
            hash: statement.details.transaction_hash(),
            address: merged.transaction.to.as_deref(),
            tag: None,
            asset: merged.asset.as_deref(),
            network: merged.network.as_ref(),
        })
    };
    let decides = |statement: &StatementContent| match statement.status {
        Some(Status::Deposit(DepositStatus::Confirmed | DepositStatus::Unexpected)) => true,
        Some(Status::Deposit(DepositStatus::Held)) => statement.hold() == Some(HoldReason::Quarantined),
        Some(_) | None => false,
    };
    let (deciding, others): (Vec<&StatementContent>, Vec<&StatementContent>) =
        statements.iter().copied().partition(|statement| decides(statement));
    let is_silent = deciding.iter().any(|statement| coin(statement).transaction().is_none());
    let others = others.into_iter().filter(move |_| is_silent);
    others.chain(deciding).map(coin)
}
