//! Lives at Striga [striga-webhooks].

use fundhook_domain::{Provider, Timestamp};
use serde_json::json;

use super::{Draws, Life, walk};
use crate::chance::Chance;

/// An amount in the smallest unit of an asset with 18 decimals.
fn smallest_units(chance: &Chance) -> String {
    format!("{}{:09}", chance.between(1..1_000_000_000_000), chance.between(0..1_000_000_000))
}

pub(super) fn deposit(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, user, amount, hash) = (chance.uuid(), draws.user(), smallest_units(chance), chance.hash());
    let account = &chance.hash()[..32];
    let ways: [&[&str]; 2] = [&["PENDING", "CONFIRMED"], &["CONFIRMED"]];
    let body = |at: Timestamp, word: &str| {
        let event = format!("ON_CHAIN_DEPOSIT_{word}");
        json!({
            "type": event, "id": id, "accountId": account, "syncedOwnerId": user, "credit": amount, "timestamp": at,
            "txType": event, "currency": "POL", "exchangeRate": "0.35", "txHash": format!("0x{hash}"),
            "balanceBefore": { "amount": "0", "balance": "0", "currency": "wei" },
            "balanceAfter": { "amount": amount, "balance": amount, "currency": "wei" },
            "blockchainDepositAddress": format!("0x{}", &hash[..40]), "blockchainConfirmations": 1,
            "blockchainTransactionAmount": amount, "blockchainNetwork": "Polygon Testnet Amoy",
        })
    };
    let resource = format!("deposit#striga#{id}");
    Life::of(
        Provider::Striga,
        resource,
        &walk(draws, begins, &ways),
        &[("PENDING", "pending"), ("CONFIRMED", "confirmed")],
        body,
    )
}

pub(super) fn withdrawal(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, user, amount, hash) = (chance.uuid(), draws.user(), smallest_units(chance), chance.hash());
    let account = &chance.hash()[..32];
    let ways: [&[&str]; 3] =
        [&["INITIATED", "PENDING", "CONFIRMED"], &["INITIATED", "FAILED"], &["INITIATED", "PENDING", "FAILED"]];
    let body = |at: Timestamp, word: &str| {
        let event = format!("ON_CHAIN_WITHDRAWAL_{word}");
        json!({
            "type": event, "id": id, "accountId": account, "syncedOwnerId": user, "timestamp": at, "txType": event,
            "debit": amount, "currency": "POL", "exchangeRate": "0.35", "txHash": format!("0x{hash}"),
            "balanceBefore": { "amount": amount, "balance": amount, "currency": "wei" },
            "balanceAfter": { "amount": amount, "balance": amount, "currency": "wei" },
            "blockchainDepositAddress": format!("0x{}", &hash[..40]), "blockchainNetwork": "Polygon Testnet Amoy",
        })
    };
    let resource = format!("withdrawal#striga#{id}");
    Life::of(
        Provider::Striga,
        resource,
        &walk(draws, begins, &ways),
        &[("CONFIRMED", "confirmed"), ("FAILED", "failed")],
        body,
    )
}
