//! What the recorded resources book: balances by ledger account and asset, and the trial balance.

use std::collections::BTreeMap;

use fundhook_domain::{Books, DecimalValue, LedgerAccount, Resource, Tenant};
use serde::Serialize;
use serde_json::{Value, json};

/// The books of all organizations, each apart.
#[derive(Clone, Debug, Default)]
pub struct Ledger(BTreeMap<Option<Tenant>, Books>);

/// Balances by organization, ledger account and asset. Debits are above zero, and none is zero.
pub type Sums = BTreeMap<(Option<String>, String, String), DecimalValue>;

/// What the postings of published events add up to. Each event is to be passed once; a line that is none is skipped.
pub fn sums_of<'a>(events: impl IntoIterator<Item = &'a Value>) -> Sums {
    let mut sums = Sums::new();
    for event in events {
        let tenant = event.pointer("/data/tenant").and_then(Value::as_str).map(str::to_owned);
        let postings = event.pointer("/data/postings").and_then(Value::as_array);
        for posting in postings.into_iter().flatten() {
            let text = |name: &str| posting.get(name).and_then(Value::as_str);
            let (Some(account), Some(asset)) = (text("ledger_account"), text("asset")) else {
                continue;
            };
            let Some(value) = text("value").and_then(|value| value.parse::<DecimalValue>().ok()) else {
                continue;
            };
            let key = (tenant.clone(), account.to_owned(), asset.to_owned());
            let sum = sums.remove(&key).unwrap_or_else(DecimalValue::zero);
            let sum = if text("direction") == Some("debit") { sum + &value } else { sum - &value };
            if sum != DecimalValue::zero() {
                sums.insert(key, sum);
            }
        }
    }
    sums
}

/// The sums of an organization's accounts in one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrialBalance {
    /// The organization, when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// The asset.
    pub asset: String,
    /// The sum of the debit balances.
    pub debits: DecimalValue,
    /// The sum of the credit balances. It equals `debits`.
    pub credits: DecimalValue,
}

impl TrialBalance {
    /// Whether debits equal credits.
    pub fn is_zero(&self) -> bool {
        self.debits == self.credits
    }
}

impl Ledger {
    /// What these resources book.
    pub fn of<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Self {
        let mut ledger = Self::default();
        resources.into_iter().for_each(|resource| ledger.add(resource));
        ledger
    }

    /// Adds what a resource books.
    pub fn add(&mut self, resource: &Resource) {
        if let Some(view) = resource.view() {
            let books = view.books(resource.id());
            *self.0.entry(resource.id().feed().tenant().cloned()).or_default() += &books;
        }
    }

    /// Only the balances of the customer `name`, or of the ledger account with this name.
    pub fn only(&self, name: &str) -> Self {
        let is_it = |account: &LedgerAccount| {
            account.to_string() == name || matches!(account, LedgerAccount::Customer(customer) if customer == name)
        };
        Self(self.0.iter().map(|(tenant, books)| (tenant.clone(), books.only(is_it))).collect())
    }

    /// The trial balance: by organization and asset, the sums of all accounts.
    pub fn trial_balance(&self) -> Vec<TrialBalance> {
        let mut sums: BTreeMap<(Option<Tenant>, String), [DecimalValue; 2]> = BTreeMap::new();
        for (tenant, asset, _, value) in self.balances() {
            let zero = || [DecimalValue::zero(), DecimalValue::zero()];
            let [debits, credits] = sums.entry((tenant.cloned(), asset.to_owned())).or_insert_with(zero);
            let side = if value.is_negative() { credits } else { debits };
            *side = side.clone() + &value.abs();
        }
        let sums = sums.into_iter();
        sums.map(|((tenant, asset), [debits, credits])| TrialBalance { tenant, asset, debits, credits }).collect()
    }

    /// The balances by organization, ledger account and asset. Debits are above zero.
    pub fn sums(&self) -> Sums {
        let sum = |(tenant, asset, account, value): (Option<&Tenant>, &str, &LedgerAccount, &DecimalValue)| {
            let tenant = tenant.map(|tenant| tenant.as_str().to_owned());
            ((tenant, account.to_string(), asset.to_owned()), value.clone())
        };
        self.balances().map(sum).collect()
    }

    fn balances(&self) -> impl Iterator<Item = (Option<&Tenant>, &str, &LedgerAccount, &DecimalValue)> {
        self.0.iter().flat_map(|(tenant, books)| {
            books.balances().map(move |(asset, account, value)| (tenant.as_ref(), asset, account, value))
        })
    }

    /// The balances and the trial balance as JSON.
    pub fn to_json(&self) -> Value {
        let balance = |(tenant, asset, account, value): (Option<&Tenant>, &str, &LedgerAccount, &DecimalValue)| {
            let side = if value.is_negative() { "credit" } else { "debit" };
            let mut balance = json!({
                "ledger_account": account.to_string(), "asset": asset, "direction": side, "value": value.abs(),
            });
            if let Some(tenant) = tenant {
                balance["tenant"] = json!(tenant.as_str());
            }
            balance
        };
        json!({
            "balances": self.balances().map(balance).collect::<Vec<_>>(),
            "trial_balance": self.trial_balance(),
        })
    }

    /// The balances as lines of a table, and below them the trial balance.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.balance_lines();
        let trial = self.trial_balance();
        if trial.is_empty() {
            return vec!["nothing is booked".to_owned()];
        }
        let is_zero = trial.iter().all(TrialBalance::is_zero);
        let verdict = if is_zero { "zero: debits equal credits in each asset" } else { "NOT ZERO" };
        lines.push(format!("trial balance: {verdict}"));
        lines
    }

    /// The balances as lines of a table.
    pub fn balance_lines(&self) -> Vec<String> {
        let has_tenants = self.0.keys().any(Option::is_some);
        let rows = self.balances().map(|(tenant, asset, account, value)| {
            let name = match tenant {
                Some(tenant) => format!("{tenant}  {account}"),
                None if has_tenants => format!("-  {account}"),
                None => account.to_string(),
            };
            let amount = value.abs().to_string();
            let [debit, credit] = if value.is_negative() { [String::new(), amount] } else { [amount, String::new()] };
            [asset.to_owned(), name, debit, credit]
        });
        let heading = ["asset", "ledger account", "debit", "credit"].map(str::to_owned);
        let rows: Vec<[String; 4]> = [heading].into_iter().chain(rows).collect();
        if rows.len() == 1 {
            return vec!["nothing is booked".to_owned()];
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths = [width(0), width(1), width(2), width(3)];
        let line = |[asset, account, debit, credit]: &[String; 4]| {
            let [first, second, third, fourth] = widths;
            format!("{asset:<first$}  {account:<second$}  {debit:>third$}  {credit:>fourth$}").trim_end().to_owned()
        };
        rows.iter().map(line).collect()
    }
}
