//! Rows without a webhook, which a fault enters into a list while it is read.

use std::time::Duration;

use fundhook_domain::Timestamp;
use serde_json::{Value, json};

use super::lists::Lists;
use super::page::List;
use super::query::Query;
use crate::connect::{new_uuid, unix_ms};

impl Lists {
    /// Enters `count` rows that are newer than all that `query` selects.
    pub(crate) fn shift(&mut self, query: &Query, count: u32, now: Timestamp) {
        for _ in 0..count {
            let newest = self.matching(query, Duration::ZERO, now).first().map(|row| row.dated_ms + 1000);
            self.enter_newcomer(query.list, newest.unwrap_or(unix_ms(now)), now);
        }
    }

    /// Enters a row that is dated `age` before now.
    pub(crate) fn backdate(&mut self, query: &Query, age: Duration, now: Timestamp) {
        self.enter_newcomer(query.list, unix_ms(now.minus(age)), now);
    }

    fn enter_newcomer(&mut self, list: List, dated_ms: u64, now: Timestamp) {
        let seconds =
            i64::try_from(dated_ms / 1000).ok().and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok());
        let dated_at = seconds.unwrap_or(now);
        // The time of a payment in fiat money is when its webhook was signed.
        let signed_at = if list == List::PaymentStatuses { dated_at } else { now };
        self.record(&webhook(list, dated_ms, dated_at), signed_at);
    }
}

/// A webhook about a new row of `list`.
fn webhook(list: List, dated_ms: u64, dated_at: Timestamp) -> Value {
    let (id, code) = (new_uuid(), "NEWCMR");
    match list {
        List::FundTransactions => json!({
            "fund_id": id, "participant_code": code, "fund_asset": "USDC.BASE", "deposited_asset": "USDC", "rate": "1",
            "quoted_currency": "USD", "quantity": "1", "notional": "1", "success": true, "status_reason": "",
            "account_label": "general", "deposit_timestamp": dated_ms, "fund_timestamp": dated_ms,
            "transaction_id": new_uuid(), "source_address": new_uuid(), "deposit_address": new_uuid(),
        }),
        List::Deposits | List::CryptoDeposits => json!({
            "deposit_id": id, "participant_code": code, "account_id": "", "transaction_hash": new_uuid(),
            "state": "completed", "asset": "USDC.BASE", "amount": "1", "source_address": new_uuid(),
            "received_address": new_uuid(), "timestamp": dated_ms,
        }),
        List::Payments => json!({
            "payment_id": id, "payment_type": "payout", "participant_code": code, "status": "submitted", "asset": "USDC",
            "network": "BASE", "total": "1", "quantity": "1", "created_at": dated_at.to_string(),
            "updated_at": dated_at.to_string(), "payment_details": { "withdrawal_request_id": new_uuid() },
        }),
        List::PaymentStatuses | List::PaymentHistories => json!({
            "transaction_id": id, "participant_code": code, "type": "credit", "payment_status": "submitted",
        }),
        List::Movements | List::Accounts => json!({
            "participant_code": code, "account_group": id, "account_label": "general", "account_type": "available",
            "asset": "USDC.BASE", "balance": "1", "timestamp": dated_ms,
            "movements": [{ "movement_id": new_uuid(), "movement_type": "deposit", "change": "1" }],
        }),
        List::ExternalAccounts => json!({
            "external_account_id": id, "participant_code": code, "external_account_status": "approved",
            "account_nickname": "Savings", "account_type": "savings", "timestamp": dated_ms,
        }),
        List::Participants => json!({
            "participant_code": &id[..6], "participant_status": "approved", "timestamp": dated_ms,
        }),
    }
}
