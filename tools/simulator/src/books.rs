//! Sums of postings.

use std::collections::BTreeMap;
use std::fmt;

use fundhook_domain::{DecimalValue, Direction, Posting};
use serde_json::Value;

/// What is on each ledger account, by asset: debits above zero, credits below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<(String, String), DecimalValue>);

impl Sums {
    /// Posts these lines.
    pub(crate) fn post(&mut self, postings: &[Posting]) {
        for Posting { ledger_account, direction, value, asset } in postings {
            self.post_line(asset, &ledger_account.to_string(), *direction, value);
        }
        self.0.retain(|_, sum| *sum != DecimalValue::zero());
    }

    fn post_line(&mut self, asset: &str, ledger_account: &str, direction: Direction, value: &DecimalValue) {
        let sum = self.0.entry((asset.to_owned(), ledger_account.to_owned())).or_insert_with(DecimalValue::zero);
        *sum = match direction {
            Direction::Debit => sum.clone() + value,
            Direction::Credit => sum.clone() - value,
        };
    }

    /// Posts the lines of an event as subscribers receive it. `None` if one of them cannot be read.
    pub(crate) fn post_json(&mut self, postings: &[Value]) -> Option<()> {
        for posting in postings {
            let text = |name: &str| posting.get(name)?.as_str();
            let direction = match text("direction")? {
                "debit" => Direction::Debit,
                "credit" => Direction::Credit,
                _ => return None,
            };
            self.post_line(text("asset")?, text("ledger_account")?, direction, &text("value")?.parse().ok()?);
        }
        self.0.retain(|_, sum| *sum != DecimalValue::zero());
        Some(())
    }

    /// The sums of these lines.
    pub(crate) fn of(postings: &[Posting]) -> Self {
        let mut sums = Self::default();
        sums.post(postings);
        sums
    }

    /// Whether nothing is on any account.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The assets of which debits and credits differ.
    pub(crate) fn unbalanced(&self) -> Vec<&str> {
        let mut of_assets: BTreeMap<&str, DecimalValue> = BTreeMap::new();
        for ((asset, _), value) in &self.0 {
            let sum = of_assets.entry(asset).or_insert_with(DecimalValue::zero);
            *sum = sum.clone() + value;
        }
        of_assets.into_iter().filter(|(_, sum)| *sum != DecimalValue::zero()).map(|(asset, _)| asset).collect()
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        let lines = self.0.iter().map(|((asset, account), sum)| format!("{account} {sum} {asset}"));
        f.write_str(&lines.collect::<Vec<_>>().join(", "))
    }
}
