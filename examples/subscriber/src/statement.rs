//! What the ledger says: an account's statement, and the trial balance.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bigdecimal::BigDecimal;

use crate::ledger::{AMOUNTS, BALANCE, ENTRY, PK, RESOURCE, SK, TOTAL, TYPE, account_key, attribute, failed};
use crate::{DynamoLedger, LedgerError};

/// The statement of one ledger account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The ledger account.
    pub account: String,
    /// The entries by date, each with the balance after it.
    pub entries: Vec<StatementEntry>,
    /// The stored balance of each asset.
    pub balances: BTreeMap<String, BigDecimal>,
}

/// What an event booked to the account in one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementEntry {
    /// When it happened, according to the provider.
    pub time: String,
    /// The event's type, without `fundhook.`.
    pub event: String,
    /// The resource.
    pub resource: String,
    /// The asset.
    pub asset: String,
    /// Above zero for a debit, below for a credit.
    pub value: BigDecimal,
    /// The balance after it: the sum of the values so far.
    pub balance: BigDecimal,
}

/// The sums of all balances, by tenant (`-` for none) and asset. Each is zero.
pub type TrialBalance = BTreeMap<(String, String), BigDecimal>;

/// The first parts of the names of ledger accounts.
const ACCOUNTS: [&str; 7] = ["provider:", "in_transit:", "customer:", "fees:", "held:", "returns:", "conversion:"];

/// The ledger account that is meant by `name`: the account itself, or the one of the customer with this name.
pub fn ledger_account(name: &str) -> String {
    let is_account = ACCOUNTS.iter().any(|account| name.starts_with(account));
    if is_account { name.to_owned() } else { format!("customer:{name}") }
}

impl DynamoLedger {
    /// The statement of a ledger account. An account without entries has an empty one.
    pub async fn statement(&self, tenant: Option<&str>, account: &str) -> Result<Statement, LedgerError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(account_key(tenant, account)));
        let mut items = query.into_paginator().items().send();
        let (mut entries, mut balances) = (Vec::new(), BTreeMap::new());
        let mut sums: BTreeMap<String, BigDecimal> = BTreeMap::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| failed(&error))?;
            let sk = attribute(&item, SK)?;
            if let Some(asset) = sk.strip_prefix(BALANCE) {
                balances.insert(asset.to_owned(), total(item.get(TOTAL))?);
                continue;
            }
            let Some((time, _)) = sk.strip_prefix(ENTRY).and_then(|rest| rest.split_once('#')) else {
                return Err(LedgerError::Unreadable(SK));
            };
            let amounts = item.get(AMOUNTS).and_then(|amounts| amounts.as_m().ok());
            let amounts: BTreeMap<_, _> = amounts.ok_or(LedgerError::Unreadable(AMOUNTS))?.iter().collect();
            for (asset, value) in amounts {
                let value = value.as_s().ok().and_then(|value| value.parse::<BigDecimal>().ok());
                let value = value.ok_or(LedgerError::Unreadable(AMOUNTS))?;
                let sum = sums.entry(asset.clone()).or_default();
                *sum += &value;
                entries.push(StatementEntry {
                    time: time.to_owned(),
                    event: attribute(&item, TYPE)?.trim_start_matches("fundhook.").to_owned(),
                    resource: attribute(&item, RESOURCE)?.to_owned(),
                    asset: asset.clone(),
                    value,
                    balance: sum.clone(),
                });
            }
        }
        Ok(Statement { account: account.to_owned(), entries, balances })
    }

    /// The sums of all balances.
    pub async fn trial_balance(&self) -> Result<TrialBalance, LedgerError> {
        let scan = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .filter_expression("begins_with(sk, :balance)")
            .expression_attribute_values(":balance", AttributeValue::S(BALANCE.to_owned()));
        let mut items = scan.into_paginator().items().send();
        let mut sums = TrialBalance::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| failed(&error))?;
            let tenant = attribute(&item, PK)?.split('#').nth(1).ok_or(LedgerError::Unreadable(PK))?.to_owned();
            let asset = attribute(&item, SK)?.trim_start_matches(BALANCE).to_owned();
            *sums.entry((tenant, asset)).or_default() += total(item.get(TOTAL))?;
        }
        Ok(sums)
    }
}

fn total(value: Option<&AttributeValue>) -> Result<BigDecimal, LedgerError> {
    let number = value.and_then(|value| value.as_n().ok()).and_then(|value| value.parse::<BigDecimal>().ok());
    number.map(|number| number.normalized()).ok_or(LedgerError::Unreadable(TOTAL))
}

impl Statement {
    /// The statement as lines of text: debits and credits, and the balance with its side.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.account.clone()];
        if self.entries.is_empty() {
            lines.push("no entries".to_owned());
            return lines;
        }
        let heading = ["time", "event", "resource", "asset", "debit", "credit", "balance"].map(str::to_owned);
        let row = |entry: &StatementEntry| {
            let amount = plain(&entry.value.abs());
            let (debit, credit) = if entry.value > 0 { (amount, String::new()) } else { (String::new(), amount) };
            let StatementEntry { time, event, resource, asset, .. } = entry.clone();
            [time, event, resource, asset, debit, credit, with_side(&entry.balance)]
        };
        let rows: Vec<[String; 7]> = [heading].into_iter().chain(self.entries.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 7] = std::array::from_fn(width);
        let line = |row: &[String; 7]| {
            let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
                if column < 4 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        lines.extend(rows.iter().map(line));
        let balance = |(asset, total): (&String, &BigDecimal)| format!("balance: {} {asset}", with_side(total));
        lines.extend(self.balances.iter().map(balance));
        lines
    }
}

/// The trial balance as lines of text, and whether it is zero.
pub fn trial_balance_lines(sums: &TrialBalance) -> (Vec<String>, bool) {
    let is_zero = sums.values().all(|sum| *sum == 0);
    let line = |((tenant, asset), sum): (&(String, String), &BigDecimal)| match tenant.as_str() {
        "-" => format!("{asset}: {}", plain(sum)),
        tenant => format!("{tenant} {asset}: {}", plain(sum)),
    };
    let verdict = if is_zero { "the trial balance is zero" } else { "the trial balance is NOT zero" };
    (sums.iter().map(line).chain([verdict.to_owned()]).collect(), is_zero)
}

/// The number, and the side that it is on: `495 credit`.
fn with_side(balance: &BigDecimal) -> String {
    let zero = BigDecimal::from(0);
    match balance.cmp(&zero) {
        std::cmp::Ordering::Greater => format!("{} debit", plain(balance)),
        std::cmp::Ordering::Less => format!("{} credit", plain(&balance.abs())),
        std::cmp::Ordering::Equal => "0".to_owned(),
    }
}

fn plain(number: &BigDecimal) -> String {
    number.normalized().to_plain_string()
}
