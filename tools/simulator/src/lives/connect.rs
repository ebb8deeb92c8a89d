//! Lives at Connect [zerohash-connect].

use fundhook_domain::{ListKind, Provider, Timestamp};
use serde_json::{Value, json};

use super::{Coin, Draws, Life, Step, amount, milliseconds, newest, walk};

pub(super) fn deposit(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let deposit = Deposit { id: chance.uuid(), session: chance.uuid(), coin: draws.coin(), begins };
    let ways: [&[&str]; 6] = [
        &["pending", "submitted", "confirmed"],
        &["pending", "confirmed"],
        &["pending", "submitted", "on_hold", "confirmed"],
        &["pending", "submitted", "failed"],
        &["pending", "abandoned"],
        &["unexpected"],
    ];
    let steps = walk(draws, begins, &ways);
    let resource = format!("deposit#connect#{}", deposit.id);
    let body = |at: Timestamp, word: &str| deposit.body(at, word);
    let life = Life::of(Provider::Connect, resource, &steps, &[("on_hold", "held")], body);
    life.listed(ListKind::ConnectTransactions, &deposit.id, &steps, |steps| deposit.row(newest(steps)))
}

/// A deposit at Connect.
pub(super) struct Deposit {
    pub(super) id: String,
    pub(super) session: String,
    pub(super) coin: Coin,
    pub(super) begins: Timestamp,
}

impl Deposit {
    /// The webhook which says that it reached a status.
    pub(super) fn body(&self, at: Timestamp, word: &str) -> Value {
        let Self { id, session, coin: Coin { user, amount, hash, to }, begins } = self;
        let hash = if matches!(word, "pending" | "abandoned") { "" } else { hash };
        json!({
            "event": format!("connect.deposits.{word}"),
            "deposit": {
                "id": id, "amount": amount, "network": "base", "asset": "USDC", "created_at": begins, "updated_at": at,
                "status": word.to_uppercase(), "source": { "type": "CUSTODIAL", "integration": "coinbase" },
                "transaction": { "hash": hash, "to": to, "value": amount },
            },
            "session": { "id": session, "metadata": {}, "created_at": begins },
            "account": { "reference_id": user },
        })
    }

    /// Its row, which is that of the fund transaction: there is one as soon as the coin arrived.
    pub(super) fn row(&self, (at, word): Step) -> Option<Value> {
        let Self { id, session, coin: Coin { user, amount, hash, to }, begins } = self;
        let is_held = word == "on_hold";
        matches!(word, "on_hold" | "confirmed").then(|| {
            json!({
                "participant_code": user, "fund_asset": "USDC.BASE", "deposited_asset": "USDC.BASE", "rate": "1",
                "quoted_currency": "USD", "deposit_address": to, "quantity": amount, "notional": amount, "fund_id": id,
                "fund_timestamp": milliseconds(at), "deposit_timestamp": milliseconds(*begins),
                "transaction_id": hash, "account_label": "general", "success": !is_held,
                "status_reason": if is_held { "account match has not completed yet" } else { "" },
                "reference_id": session, "source": { "type": "CUSTODIAL", "integration": "coinbase" },
            })
        })
    }
}

pub(super) fn withdrawal(draws: &Draws, begins: Timestamp) -> Life {
    let chance = &draws.chance;
    let (id, session, user, amount) = (chance.uuid(), chance.uuid(), draws.user(), amount(chance));
    let hash = format!("0x{}", chance.hash());
    let ways: [&[&str]; 2] = [&["initiated", "broadcasted", "confirmed"], &["initiated", "failed"]];
    let body = |at: Timestamp, word: &str| {
        let hash = if word == "initiated" { "" } else { &hash };
        json!({
            "event": format!("connect.withdrawal.{word}"),
            "deposit": {
                "id": id, "asset": "USDC", "network": "base", "amount": amount, "created_at": begins, "updated_at": at,
                "transaction": { "hash": hash, "value": amount },
            },
            "account": { "reference_id": user },
            "session": { "id": session, "created_at": begins, "metadata": {} },
        })
    };
    let resource = format!("withdrawal#connect#{id}");
    Life::of(Provider::Connect, resource, &walk(draws, begins, &ways), &[("broadcasted", "broadcast")], body)
}
