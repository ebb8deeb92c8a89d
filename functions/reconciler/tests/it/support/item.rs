//! A thing that one of the lists contains, with its webhook and its row. Both state the same.

use fundhook_domain::{Feed, Kind, ListId, ListKind, ResourceId, Timestamp};
use fundhook_ports::fakes::ApiRow;
use fundhook_providers::ReadingSettings;
use serde_json::{Value, json};

use super::deposit::{deposit, webhook};

/// A thing that reached its end.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) list: ListKind,
    pub(crate) id: String,
    /// When it began and ended, and the date that it is listed under.
    pub(crate) at: Timestamp,
}

/// An item of this list.
pub(crate) fn item(list: ListKind, id: &str, at: Timestamp) -> Item {
    Item { list, id: id.to_owned(), at }
}

impl Item {
    pub(crate) fn list(&self) -> ListId {
        ListId::new(&self.feed(), self.list)
    }

    fn feed(&self) -> Feed {
        self.list.provider().into()
    }

    pub(crate) fn resource(&self) -> ResourceId {
        let native = match self.list {
            ListKind::Accounts => {
                let named = ["CUST01", "CUST01", &self.id, "available", "USDC.BASE"];
                ReadingSettings::default().id_key.name(&named)
            }
            ListKind::ConnectTransactions
            | ListKind::FundTransactions
            | ListKind::Deposits
            | ListKind::Payments
            | ListKind::BankPayments
            | ListKind::Participants
            | ListKind::ExternalAccounts => self.id.clone(),
        };
        ResourceId::new(self.list.contains(), self.feed(), &native).expect("a valid id")
    }

    /// The status that it has in the end.
    pub(crate) fn end(&self) -> &'static str {
        match self.list.contains() {
            Kind::Deposit | Kind::Withdrawal => "confirmed",
            Kind::Balance => "changed",
            Kind::Participant => "locked",
            Kind::ExternalAccount => "closed",
            kind @ (Kind::Fee | Kind::Exchange | Kind::Recovery | Kind::Unrecognized) => {
                unreachable!("no list contains a {kind}")
            }
        }
    }

    /// The envelope of the webhook about it, with these members instead of its own, received when it ended.
    pub(crate) fn webhook_with(&self, changes: &[(&str, Value)]) -> String {
        let mut envelope: Value = serde_json::from_str(&self.webhook(self.at)).expect("an envelope");
        let text = envelope["body"]["text"].as_str().expect("a text");
        let mut body: Value = serde_json::from_str(text).expect("a body");
        changes.iter().for_each(|(name, value)| body[name] = value.clone());
        envelope["body"]["text"] = Value::String(body.to_string());
        envelope.to_string()
    }

    /// The envelope of the webhook about it, received at `at`.
    pub(crate) fn webhook(&self, at: Timestamp) -> String {
        let body = match self.list {
            ListKind::ConnectTransactions => {
                return deposit(&self.id, self.at).webhook("confirmed", at);
            }
            ListKind::FundTransactions => {
                return deposit(&self.id, self.at).of("zerohash").webhook("confirmed", self.at);
            }
            ListKind::Deposits => json!({
                "deposit_id": self.id, "participant_code": "CUST01", "transaction_hash": self.hash(), "state": "completed",
                "asset": "USDC.BASE", "amount": "100.5", "received_address": "0xbb02", "timestamp": self.at.unix_seconds(),
            }),
            ListKind::Payments => self.payment(),
            ListKind::BankPayments => json!({
                "transaction_id": self.id, "payment_status": "settled", "participant_code": "CUST01", "amount": "25",
                "asset": "USD", "timestamp": self.at,
            }),
            ListKind::Participants => json!({
                "participant_code": self.id, "participant_status": "locked", "reason_code": "risk",
                "timestamp": self.milliseconds(),
            }),
            ListKind::ExternalAccounts => json!({
                "external_account_id": self.id, "participant_code": "CUST01", "external_account_status": "closed",
                "timestamp": self.milliseconds(),
            }),
            ListKind::Accounts => json!({
                "participant_code": "CUST01", "account_group": "CUST01", "account_label": self.id,
                "account_type": "available", "asset": "USDC.BASE", "balance": "25.50", "timestamp": self.milliseconds(),
            }),
        };
        webhook(&self.feed(), &body.to_string(), at)
    }

    /// Its row.
    pub(crate) fn row(&self) -> ApiRow {
        let row = match self.list {
            ListKind::ConnectTransactions | ListKind::FundTransactions => return deposit(&self.id, self.at).row(true),
            ListKind::Deposits => json!({
                "depositId": self.id, "participantCode": "CUST01", "transactionHash": self.hash(), "state": "completed",
                "asset": "USDC.BASE", "amount": "100.5", "receivedAddress": "0xbb02",
                "history": [{ "fromState": "initial", "toState": "completed", "timestamp": self.at }],
            }),
            ListKind::Payments => self.payment(),
            ListKind::BankPayments => json!({
                "transaction_id": self.id, "status": "settled", "participant_code": "CUST01", "amount": "25",
                "asset": "USD", "timestamp": self.at,
            }),
            ListKind::Participants => json!({
                "participant_code": self.id, "status": "locked", "reason_code": "risk", "updated_at": self.milliseconds(),
            }),
            ListKind::ExternalAccounts => json!({
                "external_account_id": self.id, "participant_code": "CUST01", "status": "closed", "updated_at": self.at,
            }),
            ListKind::Accounts => json!({
                "account_id": self.hash(), "account_owner": "CUST01", "account_group": "CUST01", "account_label": self.id,
                "account_type": "available", "asset": "USDC.BASE", "balance": "25.5", "last_update": self.milliseconds(),
            }),
        };
        ApiRow { at: self.at, id: self.id.clone(), json: row.to_string() }
    }

    fn payment(&self) -> Value {
        json!({
            "payment_id": self.id, "payment_type": "payout", "status": "settled", "participant_code": "CUST01",
            "payment_details": { "withdrawal_request_id": format!("request-of-{}", self.id) },
            "total": "20", "quantity": "19.5", "asset": "USDC", "network": "BASE",
            "created_at": self.at, "updated_at": self.at,
        })
    }

    fn milliseconds(&self) -> i64 {
        self.at.unix_seconds() * 1000
    }

    fn hash(&self) -> String {
        fundhook_domain::digest_hex(self.id.as_bytes())
    }
}
