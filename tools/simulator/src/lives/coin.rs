//! One coin in two feeds: Connect and zerohash tell the same deposit, each under an id of its own.

use fundhook_domain::{ListKind, Provider, Timestamp};
use serde_json::json;

use super::{Draws, Life, Step, amount, history, milliseconds, newest, walk};
use crate::provider::Told;

pub(super) fn deposit(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (ours, theirs, session, user) = (chance.uuid(), chance.uuid(), chance.uuid(), draws.user());
    let (amount, hash) = (amount(chance), chance.hash());
    let to = format!("0x{}", &chance.hash()[..40]);
    let at_connect: &[&[&str]] = &[&["pending", "confirmed"], &["pending", "submitted", "confirmed"], &["confirmed"]];
    let at_zerohash: &[&[&str]] = &[&["initial", "completed"], &["confirmed", "completed"], &["completed"]];
    let told_by_connect = walk(draws, begins, at_connect);
    let told_by_zerohash = walk(draws, begins.plus(chance.ms(0..600_000) / draws.pace), at_zerohash);

    let connect = |(at, word): Step| {
        let hash = if word == "pending" { String::new() } else { format!("0x{hash}") };
        json!({
            "event": format!("connect.deposits.{word}"),
            "deposit": {
                "id": ours, "amount": amount, "network": "base", "asset": "USDC", "created_at": begins, "updated_at": at,
                "status": word.to_uppercase(), "source": { "type": "CUSTODIAL", "integration": "coinbase" },
                "transaction": { "hash": hash, "to": to, "value": amount },
            },
            "session": { "id": session, "metadata": {}, "created_at": begins },
            "account": { "reference_id": user },
        })
    };
    let zerohash = |(at, word): Step| {
        json!({
            "deposit_id": theirs, "account_id": "", "participant_code": user, "transaction_hash": hash, "state": word,
            "asset": "USDC.BASE", "amount": amount, "received_address": to, "timestamp": at.unix_seconds(),
        })
    };
    let of_connect = told_by_connect.iter().map(|step| (step.0, Provider::Connect, connect(*step)));
    let of_zerohash = told_by_zerohash.iter().map(|step| (step.0, Provider::Zerohash, zerohash(*step)));
    let told = of_connect.chain(of_zerohash).map(|(at, provider, body)| Told { at, provider, body });

    let life = Life { told: told.collect(), ..Life::default() };
    let life = life.listed(ListKind::ConnectTransactions, &ours, &told_by_connect, |steps| {
        let (at, word) = newest(steps);
        (word == "confirmed").then(|| {
            json!({
                "participant_code": user, "fund_asset": "USDC.BASE", "deposited_asset": "USDC.BASE", "rate": "1",
                "quoted_currency": "USD", "deposit_address": to, "quantity": amount, "notional": amount,
                "fund_id": ours, "fund_timestamp": milliseconds(at), "deposit_timestamp": milliseconds(begins),
                "transaction_id": format!("0x{hash}"), "account_label": "general", "success": true,
                "status_reason": "", "reference_id": session,
            })
        })
    });
    let life = life.listed(ListKind::Deposits, &theirs, &told_by_zerohash, |steps| {
        let (_, word) = newest(steps);
        Some(json!({
            "depositId": theirs, "participantCode": user, "transactionHash": hash, "state": word, "asset": "USDC.BASE",
            "amount": amount, "receivedAddress": to, "history": history(steps, "toState"),
        }))
    });
    Life { coin: vec![format!("deposit#connect#{ours}"), format!("deposit#zerohash#{theirs}")], ..life }
}
