//! Lives at zerohash [zerohash-fund-webhooks, zerohash-deposit-status, zerohash-payments].

use fundhook_domain::{ListKind, Provider, Timestamp};
use serde_json::{Value, json};

use super::{Coin, Draws, Life, Step, amount, history, milliseconds, newest, walk};
use crate::provider::Told;

pub(super) fn fund(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, user, amount, hash) = (chance.uuid(), draws.user(), amount(chance), chance.hash());
    let to = format!("0x{}", &chance.hash()[..40]);
    let ways: [&[&str]; 4] = [
        &[""],
        &["account match has not completed yet", ""],
        &["account match has not completed yet", "Travel Rule-based account match failed"],
        &["asset deposited is not supported by the fund workflow"],
    ];
    let body = |at: Timestamp, reason: &str| {
        json!({
            "participant_code": user, "fund_asset": "USDC.ETH", "rate": "1", "quoted_currency": "USD",
            "deposit_address": to, "quantity": amount, "notional": amount, "success": reason.is_empty(),
            "status_reason": reason, "fund_timestamp": milliseconds(at), "deposit_timestamp": milliseconds(begins),
            "transaction_id": format!("0x{hash}"), "account_label": "general", "fund_id": id,
            "raw_fee_bps": "", "deposit_fee_bps": "", "raw_fee_notional": "", "deposit_fee_notional": "",
            "deposited_asset": "USDC",
        })
    };
    let resource = format!("deposit#zerohash#{id}");
    let steps = walk(draws, begins, &ways);
    let names = [
        ("", "confirmed"),
        ("account match has not completed yet", "held"),
        ("Travel Rule-based account match failed", "held"),
        ("asset deposited is not supported by the fund workflow", "held"),
    ];
    let life = Life::of(Provider::Zerohash, resource, &steps, &names, body);
    life.listed(ListKind::FundTransactions, &id, &steps, |steps| {
        let (at, reason) = newest(steps);
        Some(body(at, reason))
    })
}

pub(super) fn deposit(draws: &Draws, begins: Timestamp) -> Life {
    let deposit = Deposit { id: draws.chance.uuid(), coin: draws.coin() };
    let ways: [&[&str]; 5] = [
        &["initial", "confirmed", "completed"],
        &["initial", "pending_compliance_review", "completed"],
        &["confirmed", "pending_approval", "pending_settlement", "completed"],
        &["confirmed", "pending_settlement", "quarantined"],
        &["initial", "recovery_quarantine"],
    ];
    let steps = walk(draws, begins, &ways);
    let resource = format!("deposit#zerohash#{}", deposit.id);
    let names = [("completed", "confirmed"), ("quarantined", "held"), ("recovery_quarantine", "unexpected")];
    let body = |at: Timestamp, word: &str| deposit.body(at, word);
    let life = Life::of(Provider::Zerohash, resource, &steps, &names, body);
    life.listed(ListKind::Deposits, &deposit.id, &steps, |steps| Some(deposit.row(steps)))
}

/// A deposit from a chain.
pub(super) struct Deposit {
    pub(super) id: String,
    pub(super) coin: Coin,
}

impl Deposit {
    /// The webhook which says that it reached a status.
    pub(super) fn body(&self, at: Timestamp, word: &str) -> Value {
        let Self { id, coin: Coin { user, amount, hash, to } } = self;
        json!({
            "deposit_id": id, "account_id": "", "participant_code": user, "transaction_hash": hash, "state": word,
            "asset": "USDC.BASE", "amount": amount, "received_address": to, "timestamp": at.unix_seconds(),
        })
    }

    /// Its row, with the history of these steps.
    pub(super) fn row(&self, steps: &[Step]) -> Value {
        let Self { id, coin: Coin { user, amount, hash, to } } = self;
        let (_, word) = newest(steps);
        json!({
            "depositId": id, "participantCode": user, "transactionHash": hash, "state": word, "asset": "USDC.BASE",
            "amount": amount, "receivedAddress": to, "history": history(steps, "toState"),
        })
    }
}

pub(super) fn payment(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, request, user, amount) = (chance.uuid(), chance.uuid(), draws.user(), amount(chance));
    let kind = chance.pick(&["payout", "auth_withdrawal"]);
    let ways: [&[&str]; 4] = [
        &["initialized", "submitted", "posted", "settled"],
        &["submitted", "pending", "posted", "settled"],
        &["submitted", "posted", "failed"],
        &["initialized", "abandoned"],
    ];
    let body = |_: Timestamp, word: &str| {
        json!({
            "payment_id": id, "payment_type": kind, "status": word, "participant_code": user, "asset": "USDC",
            "payment_details": { "withdrawal_request_id": request, "network_fee_quantity": ".5" },
            "network": "BASE", "quantity": "", "total": amount, "created_at": begins, "updated_at": begins,
        })
    };
    let steps = walk(draws, begins, &ways);
    let resource = format!("withdrawal#zerohash#{id}");
    let life = Life::of(Provider::Zerohash, resource, &steps, &[("settled", "confirmed")], body);
    life.listed(ListKind::Payments, &id, &steps, |steps| {
        let (at, word) = newest(steps);
        Some(body(at, word))
    })
}

pub(super) fn bank_payment(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, user, amount) = (chance.uuid(), draws.user(), amount(chance));
    let side = chance.pick(&["credit", "debit"]);
    let ways: [&[&str]; 3] =
        [&["submitted", "posted", "settled"], &["submitted", "rejected"], &["submitted", "settled", "returned"]];
    let body = |at: Timestamp, word: &str| {
        json!({
            "transaction_id": id, "payment_status": word, "participant_code": user, "amount": amount, "asset": "USD",
            "type": side, "timestamp": milliseconds(at),
        })
    };
    let row = |steps: &[Step]| {
        let (at, word) = newest(steps);
        Some(json!({
            "transaction_id": id, "status": word, "participant_code": user, "amount": amount, "asset": "USD",
            "type": side, "timestamp": milliseconds(at), "status_history": history(steps, "status"),
        }))
    };
    let steps = walk(draws, begins, &ways);
    let resource = format!("withdrawal#zerohash#{id}");
    let names = [("settled", "confirmed"), ("rejected", "failed")];
    let life = Life::of(Provider::Zerohash, resource, &steps, &names, body);
    life.listed(ListKind::BankPayments, &id, &steps, row)
}

pub(super) fn participant(draws: &Draws, begins: Timestamp) -> Life {
    let user = draws.user();
    let ways: [&[&str]; 3] = [&["submitted", "approved"], &["locked"], &["submitted", "rejected"]];
    let body = |at: Timestamp, word: &str| json!({ "participant_code": user, "participant_status": word, "timestamp": milliseconds(at) });
    let steps = walk(draws, begins, &ways);
    let resource = format!("participant#zerohash#{user}");
    let life = Life::of(Provider::Zerohash, resource, &steps, &[], body);
    let life = life.listed(ListKind::Participants, &user, &steps, |steps| {
        let (at, word) = newest(steps);
        Some(json!({ "participant_code": user, "status": word, "updated_at": milliseconds(at) }))
    });
    // Another life may be about the same user.
    Life { ends: None, ..life }
}

pub(super) fn external_account(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, user) = (chance.uuid(), draws.user());
    let ways: [&[&str]; 3] = [&["pending", "approved"], &["pending", "rejected"], &["approved", "closed"]];
    let body = |at: Timestamp, word: &str| {
        json!({
            "participant_code": user, "external_account_id": id, "external_account_status": word,
            "timestamp": milliseconds(at),
        })
    };
    let steps = walk(draws, begins, &ways);
    let resource = format!("external_account#zerohash#{id}");
    let life = Life::of(Provider::Zerohash, resource, &steps, &[], body);
    life.listed(ListKind::ExternalAccounts, &id, &steps, |steps| {
        let (at, word) = newest(steps);
        Some(json!({
            "external_account_id": id, "participant_code": user, "status": word, "created_at": begins, "updated_at": at,
        }))
    })
}

pub(super) fn balance(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (user, amount) = (draws.user(), amount(chance));
    let body = json!({
        "participant_code": user, "account_group": user, "account_label": "general", "account_type": "available",
        "asset": "USDC.BASE", "balance": amount, "timestamp": milliseconds(begins),
    });
    let life = Life { told: vec![Told { at: begins, provider: Provider::Zerohash, body }], ..Life::default() };
    life.listed(ListKind::Accounts, &user, &[(begins, "changed")], |_| {
        Some(json!({
            "account_owner": user, "account_group": user, "account_label": "general", "account_type": "available",
            "asset": "USDC.BASE", "balance": amount, "last_update": milliseconds(begins),
        }))
    })
}
