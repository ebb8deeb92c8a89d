//! Webhooks and rows about one coin, in the shapes of the providers [zerohash-connect, zerohash-deposit-status,
//! zerohash-fund-webhooks].

use std::sync::Arc;

use fundhook_domain::{ListKind, NewFact, Provider, Timestamp};
use fundhook_providers::{Envelope, RawRow, listed};
use serde_json::{Value, json};

use super::state::messages;

const HASH: &str = "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569";
const ADDRESS: &str = "0x34f53aea3ba8b60b0ed19106baf43a4f3f73f248";
const ACCOUNT: &str = "CUST01";

/// How much the coin is worth.
pub(super) const AMOUNT: &str = "100.5";

/// Something that a provider says about the coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Connect's webhook `connect.deposits.<word>`.
    Connect(&'static str),
    /// Connect's webhook, which does not name the transaction.
    ConnectWithoutHash(&'static str),
    /// zerohash's deposit status, with this state.
    Deposit(&'static str),
    /// zerohash's fund transaction; the reason why it does not succeed, or an empty one.
    Fund(&'static str),
}

impl Word {
    /// The messages of its statements, as fan-out sends them.
    pub(super) fn messages(self, at: Timestamp) -> Vec<Arc<str>> {
        let (provider, body) = match self {
            Self::Connect(word) => (Provider::Connect, connect(at, word, HASH)),
            Self::ConnectWithoutHash(word) => (Provider::Connect, connect(at, word, "")),
            Self::Deposit(state) => (Provider::Zerohash, deposit(at, state)),
            Self::Fund(reason) => (Provider::Zerohash, fund(at, reason)),
        };
        envelope(provider, &body, at).as_ref().map(messages).unwrap_or_default()
    }
}

/// The facts of messages.
pub(super) fn facts_of(messages: &[Arc<str>]) -> Vec<NewFact> {
    messages.iter().filter_map(|message| NewFact::from_message(message).ok()).collect()
}

/// The messages of the row of Connect's list with this text, read at `at`.
pub(super) fn messages_of_row(json: &str, at: Timestamp) -> Vec<Arc<str>> {
    let list = ListKind::ConnectTransactions;
    let row = RawRow {
        list,
        feed: &Provider::Connect.into(),
        json: json.to_owned(),
        url: &format!("https://api.provider.example/{list}"),
        read_at: at,
    };
    messages(&listed(row))
}

/// The row of Connect's list about the deposit `id`, which arrived at `at`.
pub(super) fn row(id: &str, transaction: &str, at: Timestamp) -> String {
    let milliseconds = at.unix_seconds() * 1000;
    let row = json!({
        "participant_code": ACCOUNT, "fund_asset": "USDC.BASE", "deposited_asset": "USDC.BASE", "rate": "1",
        "quoted_currency": "USD", "deposit_address": ADDRESS, "quantity": AMOUNT, "notional": AMOUNT, "fund_id": id,
        "fund_timestamp": milliseconds, "deposit_timestamp": milliseconds, "transaction_id": transaction,
        "account_label": "general", "success": true, "status_reason": "", "reference_id": format!("attempt-of-{id}"),
        "source": { "type": "CUSTODIAL", "integration": "coinbase" },
    });
    row.to_string()
}

/// The row of Connect's list about the coin.
pub(super) fn row_of_coin(at: Timestamp) -> String {
    row("c1", HASH, at)
}

fn connect(at: Timestamp, word: &str, hash: &str) -> Value {
    let hash = if word == "pending" || word == "submitted" { "" } else { hash };
    json!({
        "event": format!("connect.deposits.{word}"),
        "deposit": {
            "id": "c1", "amount": AMOUNT, "network": "base", "asset": "USDC", "created_at": at, "updated_at": at,
            "status": word.to_uppercase(), "source": { "type": "CUSTODIAL", "integration": "coinbase" },
            "transaction": { "hash": hash, "to": ADDRESS, "value": AMOUNT },
        },
        "session": { "id": "session-1", "metadata": {}, "created_at": at },
        "account": { "reference_id": ACCOUNT },
    })
}

fn deposit(at: Timestamp, state: &str) -> Value {
    json!({
        "deposit_id": "z1", "account_id": "", "participant_code": ACCOUNT, "transaction_hash": HASH, "state": state,
        "asset": "USDC.BASE", "amount": AMOUNT, "received_address": ADDRESS, "timestamp": at.unix_seconds(),
    })
}

fn fund(at: Timestamp, reason: &str) -> Value {
    let milliseconds = at.unix_seconds() * 1000;
    json!({
        "participant_code": ACCOUNT, "fund_asset": "USDC.BASE", "rate": "1", "quoted_currency": "USD",
        "deposit_address": ADDRESS, "quantity": AMOUNT, "notional": AMOUNT, "success": reason.is_empty(),
        "status_reason": reason, "fund_timestamp": milliseconds, "deposit_timestamp": milliseconds,
        "transaction_id": HASH, "account_label": "general", "fund_id": "f1", "deposited_asset": "USDC",
    })
}

/// The envelope of a webhook that was verified.
fn envelope(provider: Provider, body: &Value, at: Timestamp) -> Option<Envelope> {
    let (scheme, class) = match provider {
        Provider::Connect => ("connect-rsa-sha256", "asymmetric"),
        Provider::Zerohash => ("zerohash-hmac-sha256", "shared_secret"),
        Provider::Striga => ("striga-hmac-sha256", "shared_secret"),
    };
    let envelope = json!({
        "v": 1, "feed": provider, "received_at": at, "url": format!("https://webhooks.example/webhooks/{provider}"),
        "headers": [], "body": { "text": body.to_string() },
        "attestation": { "scheme": scheme, "class": class, "key": "a-key", "signed_at": at },
    });
    Envelope::from_json(&envelope.to_string()).ok()
}
