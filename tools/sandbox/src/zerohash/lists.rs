//! The lists of one organization, and which webhook enters into which.

use std::collections::BTreeMap;

use fundhook_domain::Timestamp;
use serde_json::Value;

use super::page::List;
use super::rows::{self, Row};
use crate::connect::{text, uuid_of};

/// The rows of each list, by id.
#[derive(Default)]
pub(crate) struct Lists {
    rows: BTreeMap<List, BTreeMap<String, Row>>,
    /// The payment of each withdrawal request. Webhooks may name a payment by either.
    payment_of_request: BTreeMap<String, String>,
    /// The newest token for each user and reference.
    intents: BTreeMap<(String, String), String>,
}

impl Lists {
    pub(super) fn rows(&self, list: List) -> impl Iterator<Item = &Row> {
        self.rows.get(&list).into_iter().flat_map(BTreeMap::values)
    }

    /// The row with this id.
    pub(super) fn row(&self, list: List, id: &str) -> Option<&Row> {
        self.rows.get(&list)?.get(id)
    }

    /// What `GET {list}/{id}` answers.
    pub(crate) fn one(&self, list: List, id: &str) -> Option<Value> {
        self.row(list, id).map(|row| Value::Object(row.members.clone()))
    }

    /// Remembers the token with which a user funds under a reference.
    pub(crate) fn intend(&mut self, participant_code: &str, reference_id: &str, intent: &str) {
        self.intents.insert((participant_code.to_owned(), reference_id.to_owned()), intent.to_owned());
    }

    /// Lists what a webhook is about. It is recognised by its members, as in the documents of each webhook.
    pub(crate) fn record(&mut self, body: &Value, signed_at: Timestamp) {
        let has = |name: &str| body.get(name).is_some();
        if has("fund_id") {
            self.enter(List::FundTransactions, self.fund_transaction(body, signed_at));
        } else if has("deposit_id") {
            let known = body["deposit_id"].as_str().and_then(|id| self.row(List::CryptoDeposits, id));
            let row = rows::crypto_deposit(body, signed_at, known);
            self.enter_deposit(row);
            self.enter(List::Deposits, rows::deposit(body, signed_at));
        } else if has("payment_status") {
            let known = body["transaction_id"].as_str().and_then(|id| self.row(List::PaymentStatuses, id));
            let row = rows::payment_status(body, signed_at, known);
            let history = self.row(List::PaymentHistories, row.as_ref().map_or("", |row| &row.id));
            self.enter(List::PaymentHistories, rows::payment_history(body, signed_at, history));
            self.enter(List::PaymentStatuses, row);
        } else if has("payment_type") {
            let payment_id = self.payment_id(body);
            let known = self.row(List::Payments, &payment_id);
            self.enter(List::Payments, rows::payment(body, &payment_id, signed_at, known));
        } else if has("balance") {
            self.enter(List::Accounts, rows::account(body, signed_at));
            for row in rows::movements(body, signed_at) {
                self.enter(List::Movements, Some(row));
            }
        } else if has("external_account_status") {
            self.enter(List::ExternalAccounts, rows::external_account(body, signed_at));
        } else if has("participant_status") {
            self.enter(List::Participants, rows::participant(body, signed_at));
        }
    }

    /// Enters a row. It replaces the row with the same id unless that row is newer.
    fn enter(&mut self, list: List, row: Option<Row>) {
        let Some(row) = row else { return };
        let rows = self.rows.entry(list).or_default();
        if rows.get(&row.id).is_none_or(|known| row.newness >= known.newness) {
            rows.insert(row.id.clone(), row);
        }
    }

    /// Enters a deposit on a chain. An older state that arrives late is added to the history of the newer one.
    fn enter_deposit(&mut self, row: Option<Row>) {
        let Some(row) = row else { return };
        let rows = self.rows.entry(List::CryptoDeposits).or_default();
        match rows.get_mut(&row.id) {
            Some(known) if known.newness > row.newness => {
                known.dated_ms = row.dated_ms;
                for name in ["history", "createdAt"] {
                    known.members.insert(name.to_owned(), row.members.get(name).cloned().unwrap_or_default());
                }
            }
            Some(_) | None => drop(rows.insert(row.id.clone(), row)),
        }
    }

    fn fund_transaction(&self, body: &Value, signed_at: Timestamp) -> Option<Row> {
        let mut row = rows::fund_transaction(body, signed_at)?;
        let key = (text(&body["participant_code"]), text(&body["reference_id"]));
        if let Some(intent) = self.intents.get(&key) {
            row.members.insert("deposit_intent_id".to_owned(), Value::String(intent.clone()));
        }
        Some(row)
    }

    /// The id of the payment that a webhook is about; empty if the webhook has none. A webhook that names the payment only by
    /// its withdrawal request is about the payment that another one named, or about one whose id is made up here.
    fn payment_id(&mut self, body: &Value) -> String {
        let stated = text(&body["payment_id"]);
        let request = text(&body["payment_details"]["withdrawal_request_id"]);
        if request.is_empty() {
            return stated;
        }
        if stated.is_empty() {
            let made_up = || uuid_of(&format!("payment of {request}"));
            return self.payment_of_request.entry(request.clone()).or_insert_with(made_up).clone();
        }
        let made_up = self.payment_of_request.insert(request, stated.clone());
        self.rename_payment(made_up.as_deref(), &stated);
        stated
    }

    /// Gives the payment that was listed under `made_up` its own id.
    fn rename_payment(&mut self, made_up: Option<&str>, payment_id: &str) {
        let Some(made_up) = made_up.filter(|made_up| *made_up != payment_id) else { return };
        let rows = self.rows.entry(List::Payments).or_default();
        if let Some(mut row) = rows.remove(made_up) {
            row.members.insert("payment_id".to_owned(), Value::from(payment_id));
            rows.insert(payment_id.to_owned(), Row { id: payment_id.to_owned(), ..row });
        }
    }
}
