//! Lives at zerohash [zerohash-fund-webhooks, zerohash-deposit-status, zerohash-payments].

use fundhook_domain::{Provider, Timestamp};
use serde_json::json;

use super::{Draws, Life, amount, walk};
use crate::provider::Told;

fn milliseconds(at: Timestamp) -> i64 {
    at.unix_seconds() * 1000 + i64::from(at.since(at.whole_second()).subsec_millis())
}

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
    Life::of(
        Provider::Zerohash,
        resource,
        &walk(chance, begins, &ways),
        &[
            ("", "confirmed"),
            ("account match has not completed yet", "held"),
            ("Travel Rule-based account match failed", "held"),
            ("asset deposited is not supported by the fund workflow", "held"),
        ],
        body,
    )
}

pub(super) fn deposit(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, user, amount, hash) = (chance.uuid(), draws.user(), amount(chance), chance.hash());
    let to = format!("0x{}", &chance.hash()[..40]);
    let ways: [&[&str]; 5] = [
        &["initial", "confirmed", "completed"],
        &["initial", "pending_compliance_review", "completed"],
        &["confirmed", "pending_approval", "pending_settlement", "completed"],
        &["confirmed", "pending_settlement", "quarantined"],
        &["initial", "recovery_quarantine"],
    ];
    let body = |at: Timestamp, word: &str| {
        json!({
            "deposit_id": id, "account_id": "", "participant_code": user, "transaction_hash": format!("0x{hash}"),
            "state": word, "asset": "USDC.BASE", "amount": amount, "received_address": to,
            "timestamp": at.unix_seconds(),
        })
    };
    let resource = format!("deposit#zerohash#{id}");
    Life::of(
        Provider::Zerohash,
        resource,
        &walk(chance, begins, &ways),
        &[("completed", "confirmed"), ("quarantined", "held"), ("recovery_quarantine", "unexpected")],
        body,
    )
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
    let resource = format!("withdrawal#zerohash#{id}");
    Life::of(Provider::Zerohash, resource, &walk(chance, begins, &ways), &[("settled", "confirmed")], body)
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
    let resource = format!("withdrawal#zerohash#{id}");
    Life::of(
        Provider::Zerohash,
        resource,
        &walk(chance, begins, &ways),
        &[("settled", "confirmed"), ("rejected", "failed")],
        body,
    )
}

pub(super) fn participant(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let user = draws.user();
    let ways: [&[&str]; 3] = [&["submitted", "approved"], &["locked"], &["submitted", "rejected"]];
    let body = |at: Timestamp, word: &str| json!({ "participant_code": user, "participant_status": word, "timestamp": milliseconds(at) });
    let told = walk(chance, begins, &ways).into_iter().map(|(at, word)| Told {
        at,
        provider: Provider::Zerohash,
        body: body(at, word),
    });
    // Another life may be about the same user.
    Life { told: told.collect(), ends: None }
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
    let resource = format!("external_account#zerohash#{id}");
    Life::of(Provider::Zerohash, resource, &walk(chance, begins, &ways), &[], body)
}

pub(super) fn balance(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (user, amount) = (draws.user(), amount(chance));
    let body = json!({
        "participant_code": user, "account_group": user, "account_label": "general", "account_type": "available",
        "asset": "USDC.BASE", "balance": amount, "timestamp": milliseconds(begins),
    });
    Life { told: vec![Told { at: begins, provider: Provider::Zerohash, body }], ends: None }
}
