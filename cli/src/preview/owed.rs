//! What each user is owed in the end: exact sums, by account and asset.
//!
//! Money is to be returned when a recovery says so. An unexpected deposit whose user is not known has no recovery, and
//! adds to no sum: another webhook may report the same coin with its user.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::DecimalValue;
use serde_json::Value;

use super::Latest;
use super::money::text;

/// The account of money whose user no webhook names.
const NO_ACCOUNT: &str = "(no account)";

/// Whose money it is, and in which asset. Accounts that are not named come last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tenant: Option<String>,
    is_unnamed: bool,
    account: String,
    asset: String,
}

/// The sums of one account in one asset.
#[derive(Debug)]
struct Sums {
    credited: DecimalValue,
    withdrawn: DecimalValue,
    held: DecimalValue,
    to_be_returned: DecimalValue,
}

/// What a resource adds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Credited,
    Withdrawn,
    Held,
    ToBeReturned,
}

/// What each user is owed, one line for each account and asset.
pub(super) fn lines(latest: &[Latest]) -> Vec<String> {
    let returning = returning_payments(latest);
    let mut sums: BTreeMap<Key, Sums> = BTreeMap::new();
    for resource in latest {
        let is_returning = text(&resource.data, "resource").is_some_and(|id| returning.contains(id));
        let counted = column_of(resource).filter(|column| *column != Column::Withdrawn || !is_returning);
        let Some((column, (value, asset))) =
            counted.and_then(|column| Some((column, value_of(&resource.data, column)?)))
        else {
            continue;
        };
        let sums = sums.entry(key_of(&resource.data, asset)).or_insert_with(Sums::zero);
        let sum = match column {
            Column::Credited => &mut sums.credited,
            Column::Withdrawn => &mut sums.withdrawn,
            Column::Held => &mut sums.held,
            Column::ToBeReturned => &mut sums.to_be_returned,
        };
        *sum = sum.clone() + &value;
    }
    sums.retain(|_, sums| !sums.are_zero());
    table(&sums)
}

/// The payments that return unexpected money, which was never credited: they do not count as withdrawals of the user's money.
fn returning_payments<'a>(latest: &'a [Latest]) -> BTreeSet<&'a str> {
    let payments = latest.iter().filter_map(|resource| resource.data.get("payments")?.as_array()).flatten();
    let names = |payment: &'a Value| {
        let others = payment.get("also_named").and_then(Value::as_array).into_iter().flatten();
        payment.get("resource").into_iter().chain(others).filter_map(Value::as_str)
    };
    payments.flat_map(names).collect()
}

/// The column that a resource adds to. A deposit whose final statuses exclude each other adds to none: it needs review.
fn column_of(resource: &Latest) -> Option<Column> {
    let data = &resource.data;
    let is_conflicting = data.get("conflicting").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let is_held = text(data, "status") == Some("held") || data.get("hold").is_some_and(|hold| !hold.is_null());
    match (text(data, "kind")?, text(data, "status")?) {
        ("deposit" | "withdrawal", _) if is_conflicting => None,
        ("deposit" | "withdrawal", _) if resource.is_duplicate => None,
        ("deposit", _) if is_held => Some(Column::Held),
        ("deposit", "confirmed") => Some(Column::Credited),
        ("withdrawal", "confirmed") => Some(Column::Withdrawn),
        ("recovery", _) => Some(Column::ToBeReturned),
        _ => None,
    }
}

/// What a resource adds to `column`, and its asset. A deposit adds the net of its credit; without a credit, its amount.
fn value_of(data: &Value, column: Column) -> Option<(DecimalValue, String)> {
    let amount = match column {
        Column::Credited => data.pointer("/credit/net").or_else(|| data.get("amount")),
        Column::Withdrawn | Column::Held => data.get("amount"),
        Column::ToBeReturned => data.get("outstanding"),
    }?;
    let asset = text(amount, "asset").map_or("(no asset)".to_owned(), str::to_uppercase);
    let major = text(amount, "major").or_else(|| text(amount, "value").filter(|_| amount.get("units").is_none()));
    // A held amount that is zero or negative is not owed.
    let is_owed = |value: &DecimalValue| column != Column::Held || value.is_positive();
    let (value, asset) = match major {
        Some(major) => (major, asset),
        None => (text(amount, "value")?, format!("{asset} in {}", text(amount, "units")?)),
    };
    let value: DecimalValue = value.parse().ok()?;
    is_owed(&value).then_some((value, asset))
}

fn key_of(data: &Value, asset: String) -> Key {
    let tenant = text(data, "tenant").map(str::to_owned);
    let account = text(data, "account").filter(|account| !account.is_empty());
    Key { tenant, is_unnamed: account.is_none(), account: account.unwrap_or(NO_ACCOUNT).to_owned(), asset }
}

impl Sums {
    fn zero() -> Self {
        let zero = DecimalValue::zero;
        Self { credited: zero(), withdrawn: zero(), held: zero(), to_be_returned: zero() }
    }

    fn are_zero(&self) -> bool {
        let zero = DecimalValue::zero();
        [&self.credited, &self.withdrawn, &self.held, &self.to_be_returned].into_iter().all(|sum| *sum == zero)
    }

    fn cells(&self) -> [String; 4] {
        [&self.credited, &self.withdrawn, &self.held, &self.to_be_returned].map(ToString::to_string)
    }
}

/// The sums as lines with aligned columns: names to the left, numbers to the right.
fn table(sums: &BTreeMap<Key, Sums>) -> Vec<String> {
    if sums.is_empty() {
        return vec!["nothing was credited, withdrawn or held, and nothing is to be returned".to_owned()];
    }
    let has_tenants = sums.keys().any(|key| key.tenant.is_some());
    let heading = ["account", "asset", "credited", "withdrawn", "held", "to be returned"].map(str::to_owned);
    let rows = sums.iter().map(|(key, sums)| {
        let account = match &key.tenant {
            Some(tenant) => format!("{tenant}/{}", key.account),
            None if has_tenants => format!("-/{}", key.account),
            None => key.account.clone(),
        };
        let [credited, withdrawn, held, to_be_returned] = sums.cells();
        [account, key.asset.clone(), credited, withdrawn, held, to_be_returned]
    });
    let rows: Vec<[String; 6]> = [heading].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let line = |row: &[String; 6]| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn latest(data: Value) -> Latest {
        Latest { data, is_duplicate: false }
    }

    fn with(mut data: Value, changes: Value) -> Value {
        for (name, value) in changes.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        data
    }

    fn deposit(status: &str, changes: Value) -> Latest {
        let data = json!({
            "kind": "deposit", "status": status, "account": "anna",
            "amount": { "value": "500000000000000000", "units": "wei", "major": "0.5", "asset": "ETH" },
        });
        latest(with(data, changes))
    }

    /// The cells of the only line below the heading.
    fn only(latest: &[Latest]) -> Vec<String> {
        let lines = lines(latest);
        assert_eq!(lines.len(), 2, "{lines:#?}");
        lines[1].split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_deposit_with_a_credit_adds_its_net_and_one_without_its_amount() {
        let credit = json!({ "credit": { "net": { "value": "495", "asset": "usd" } } });
        assert_eq!(only(&[deposit("confirmed", credit)]), ["anna", "USD", "495", "0", "0", "0"]);
        assert_eq!(only(&[deposit("confirmed", json!({}))]), ["anna", "ETH", "0.5", "0", "0", "0"]);
    }

    #[test]
    fn a_held_deposit_is_not_credited() {
        let hold = json!({ "hold": { "reason": "travel_rule", "needs": "user" } });
        assert_eq!(only(&[deposit("held", json!({}))]), ["anna", "ETH", "0", "0", "0.5", "0"]);
        assert_eq!(only(&[deposit("confirmed", hold)]), ["anna", "ETH", "0", "0", "0.5", "0"]);
    }

    #[test]
    fn a_duplicate_and_a_conflict_add_nothing() {
        let duplicate = Latest { is_duplicate: true, ..deposit("confirmed", json!({})) };
        let conflicting = deposit("confirmed", json!({ "conflicting": ["confirmed", "failed"] }));
        assert_eq!(lines(&[duplicate, conflicting, deposit("pending", json!({}))]).len(), 1);
    }

    #[test]
    fn sums_are_exact_and_amounts_in_an_unknown_unit_are_separate() {
        let of =
            |value: &str| json!({ "amount": { "value": value, "units": "major", "major": value, "asset": "ETH" } });
        let grains = json!({ "amount": { "value": "7", "units": "grains", "asset": "ETH" }, "account": null });
        let all = ["0.1", "0.2", "0.000000000000000000000000000001"].map(|value| deposit("confirmed", of(value)));
        let all: Vec<Latest> = all.into_iter().chain([deposit("confirmed", grains)]).collect();
        let lines = lines(&all);
        assert!(lines[1].contains("anna          ETH            0.300000000000000000000000000001"), "{lines:#?}");
        assert!(lines[2].starts_with("(no account)  ETH in grains "), "{lines:#?}");
    }

    #[test]
    fn a_payment_that_returns_unexpected_money_is_not_a_withdrawal_of_the_users_money() {
        let amount = json!({ "value": "5", "units": "major", "major": "5", "asset": "USDC" });
        let payment = |id| {
            let confirmed = json!({ "kind": "withdrawal", "status": "confirmed", "account": "anna", "amount": amount });
            latest(with(confirmed, json!({ "resource": id })))
        };
        let recovery = latest(json!({
            "kind": "recovery", "status": "resolved", "account": "anna",
            "outstanding": { "value": "0", "units": "major", "major": "0", "asset": "USDC" },
            "payments": [{ "resource": "withdrawal#zerohash#1", "status": "confirmed", "value": "5" }],
        }));
        let all = [payment("withdrawal#zerohash#1"), payment("withdrawal#zerohash#2"), recovery];
        assert_eq!(only(&all), ["anna", "USDC", "0", "5", "0", "0"]);
    }
}
