//! A thing that one of the lists contains, with its webhook and its row. Both state the same.

use fundhook_domain::{Feed, Kind, ListId, ListKind, ResourceId, Timestamp};
use fundhook_ports::fakes::ApiRow;
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
        let kind = match self.list {
            ListKind::ConnectTransactions | ListKind::FundTransactions | ListKind::Deposits => Kind::Deposit,
            ListKind::Payments | ListKind::BankPayments => Kind::Withdrawal,
        };
        ResourceId::new(kind, self.feed(), &self.id).expect("a valid id")
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

    fn hash(&self) -> String {
        fundhook_domain::digest_hex(self.id.as_bytes())
    }
}
