//! The list of transactions of each organization, newest first, in pages.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use fundhook_domain::{Tenant, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::rows::{ListedTransaction, unix_ms};

/// Maximum and default number of rows on a page [connect-guide §7].
pub(crate) const PAGE_SIZE_MAX: usize = 50;

/// The query of `GET /transactions`. Unknown parameters are refused: they would filter nothing, and no test would notice.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TransactionsQuery {
    page: usize,
    page_size: usize,
    deposit_timestamp_gte: Option<u64>,
    deposit_timestamp_gt: Option<u64>,
    deposit_timestamp_lt: Option<u64>,
    deposit_timestamp_lte: Option<u64>,
    fund_id: Option<String>,
    participant_code: Option<String>,
    reference_id: Option<String>,
    success: Option<bool>,
}

impl Default for TransactionsQuery {
    fn default() -> Self {
        Self {
            page: 1,
            page_size: PAGE_SIZE_MAX,
            deposit_timestamp_gte: None,
            deposit_timestamp_gt: None,
            deposit_timestamp_lt: None,
            deposit_timestamp_lte: None,
            fund_id: None,
            participant_code: None,
            reference_id: None,
            success: None,
        }
    }
}

impl TransactionsQuery {
    /// Whether page and page size are in range.
    pub(crate) fn is_valid(&self) -> bool {
        self.page > 0 && (1..=PAGE_SIZE_MAX).contains(&self.page_size)
    }

    /// The first and the last millisecond of the requested window.
    fn window(&self) -> (u64, u64) {
        let after = self.deposit_timestamp_gt.map(|after| after.saturating_add(1));
        let before = self.deposit_timestamp_lt.map(|before| before.saturating_sub(1));
        let first = self.deposit_timestamp_gte.max(after).unwrap_or(0);
        let last = [self.deposit_timestamp_lte, before].into_iter().flatten().min().unwrap_or(u64::MAX);
        (first, last)
    }

    fn matches(&self, row: &ListedTransaction) -> bool {
        let (first, last) = self.window();
        let is = |name: &str, wanted: &Option<String>| {
            wanted.is_none() || row.members.get(name).and_then(Value::as_str) == wanted.as_deref()
        };
        let succeeded = row.members.get("success").is_some_and(|success| success == true || success == "true");
        (first..=last).contains(&row.listed_ms)
            && is("fund_id", &self.fund_id)
            && is("participant_code", &self.participant_code)
            && is("reference_id", &self.reference_id)
            && self.success.is_none_or(|wanted| wanted == succeeded)
    }
}

/// The rows of each organization, in the order of their entry.
#[derive(Default)]
pub(crate) struct Transactions(BTreeMap<Option<Tenant>, Vec<ListedTransaction>>);

impl Transactions {
    /// Enters a row. It replaces the row of the same fund transaction unless that row is newer.
    pub(super) fn enter(&mut self, tenant: Option<&Tenant>, row: ListedTransaction) {
        let rows = self.0.entry(tenant.cloned()).or_default();
        match rows.iter_mut().find(|known| known.fund_id() == row.fund_id()) {
            Some(known) if row.supersedes(known) => *known = row,
            Some(_) => {}
            None => rows.push(row),
        }
    }

    fn matching(&self, tenant: &Option<Tenant>, query: &TransactionsQuery) -> Vec<&ListedTransaction> {
        let rows = self.0.get(tenant).map_or(&[][..], Vec::as_slice);
        // Of rows with the same time, the one entered last is the newest: the sort is stable.
        let mut matching: Vec<&ListedTransaction> = rows.iter().rev().filter(|row| query.matches(row)).collect();
        matching.sort_by_key(|row| Reverse(row.listed_ms));
        matching
    }

    pub(crate) fn page(&self, tenant: &Option<Tenant>, query: &TransactionsQuery) -> Value {
        let matching = self.matching(tenant, query);
        let before = (query.page - 1).saturating_mul(query.page_size);
        let rows: Vec<_> = matching.iter().skip(before).take(query.page_size).map(|row| &row.members).collect();
        json!({
            "message": rows,
            "page": query.page,
            "page_size": query.page_size,
            "total_pages": matching.len().div_ceil(query.page_size),
        })
    }

    /// Enters `count` rows that are newer than all that `query` matches, within its window.
    pub(crate) fn shift(&mut self, tenant: &Option<Tenant>, query: &TransactionsQuery, count: u32, now: Timestamp) {
        let (first, last) = query.window();
        for _ in 0..count {
            let front = self.matching(tenant, query).first().map(|row| row.listed_ms + 1);
            let listed_ms = front.unwrap_or(unix_ms(now)).clamp(first, last.max(first));
            let newcomer = ListedTransaction::newcomer(listed_ms);
            newcomer.into_iter().for_each(|row| self.enter(tenant.as_ref(), row));
        }
    }
}
