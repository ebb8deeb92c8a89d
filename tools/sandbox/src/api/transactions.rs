//! `GET /transactions`: what has arrived for an organization, newest first, in pages.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use fundhook_domain::{Tenant, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::faults::{ApiPath, Fault, answered};
use super::rows::{Row, unix_ms};
use crate::state::Shared;

/// How many rows a page has at most, and when nothing else is asked for (seed 000).
const PAGE_SIZE_MAX: usize = 50;

/// What is asked for. A parameter that is not known is refused: it would filter nothing, and nobody would see it.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
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

impl Default for Asked {
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

impl Asked {
    fn of(uri: &Uri) -> Result<Self, Answer> {
        let Query(asked) = Query::<Self>::try_from_uri(uri).map_err(|error| Answer::bad_request(&error.body_text()))?;
        let fits = asked.page > 0 && (1..=PAGE_SIZE_MAX).contains(&asked.page_size);
        let why = || Answer::bad_request(&format!("pages count from 1 and have 1 to {PAGE_SIZE_MAX} rows"));
        if fits { Ok(asked) } else { Err(why()) }
    }

    /// The first and the last millisecond of the time that is asked for.
    fn window(&self) -> (u64, u64) {
        let after = self.deposit_timestamp_gt.map(|after| after.saturating_add(1));
        let before = self.deposit_timestamp_lt.map(|before| before.saturating_sub(1));
        let first = self.deposit_timestamp_gte.max(after).unwrap_or(0);
        let last = [self.deposit_timestamp_lte, before].into_iter().flatten().min().unwrap_or(u64::MAX);
        (first, last)
    }

    fn matches(&self, row: &Row) -> bool {
        let (first, last) = self.window();
        let is = |name: &str, asked: &Option<String>| {
            asked.is_none() || row.members.get(name).and_then(Value::as_str) == asked.as_deref()
        };
        let succeeded = row.members.get("success").is_some_and(|success| success == true || success == "true");
        (first..=last).contains(&row.listed_ms)
            && is("fund_id", &self.fund_id)
            && is("participant_code", &self.participant_code)
            && is("reference_id", &self.reference_id)
            && self.success.is_none_or(|asked| asked == succeeded)
    }
}

/// The rows of each organization, in the order in which they came in.
#[derive(Default)]
pub(super) struct Transactions(BTreeMap<Option<Tenant>, Vec<Row>>);

impl Transactions {
    /// Enters a row, in place of an earlier one of the same fund transaction unless that tells what is newer.
    pub(super) fn enter(&mut self, tenant: Option<&Tenant>, row: Row) {
        let rows = self.0.entry(tenant.cloned()).or_default();
        match rows.iter_mut().find(|known| known.fund_id() == row.fund_id()) {
            Some(known) if row.supersedes(known) => *known = row,
            Some(_) => {}
            None => rows.push(row),
        }
    }

    fn matching(&self, tenant: &Option<Tenant>, asked: &Asked) -> Vec<&Row> {
        let rows = self.0.get(tenant).map_or(&[][..], Vec::as_slice);
        // Of the same time the one that came in last is the newest: the sort is stable.
        let mut matching: Vec<&Row> = rows.iter().rev().filter(|row| asked.matches(row)).collect();
        matching.sort_by_key(|row| Reverse(row.listed_ms));
        matching
    }

    fn page(&self, tenant: &Option<Tenant>, asked: &Asked) -> Value {
        let matching = self.matching(tenant, asked);
        let before = (asked.page - 1).saturating_mul(asked.page_size);
        let rows: Vec<_> = matching.iter().skip(before).take(asked.page_size).map(|row| &row.members).collect();
        json!({
            "message": rows,
            "page": asked.page,
            "page_size": asked.page_size,
            "total_pages": matching.len().div_ceil(asked.page_size),
        })
    }

    /// Has `count` newer rows come in at the front of what is asked for, within the time that is asked for.
    fn shift(&mut self, tenant: &Option<Tenant>, asked: &Asked, count: u32, now: Timestamp) {
        let (first, last) = asked.window();
        for _ in 0..count {
            let front = self.matching(tenant, asked).first().map(|row| row.listed_ms + 1);
            let listed_ms = front.unwrap_or(unix_ms(now)).clamp(first, last.max(first));
            let newcomer = Row::newcomer(listed_ms);
            newcomer.into_iter().for_each(|row| self.enter(tenant.as_ref(), row));
        }
    }
}

pub(super) async fn answer(State(shared): State<Shared>, headers: HeaderMap, uri: Uri) -> Response {
    let fault = shared.api().faults.next(ApiPath::Transactions);
    let requested = || requested(&shared, &headers, &uri, fault.as_ref());
    answered(fault.clone(), || requested().unwrap_or_else(|refusal| refusal)).await
}

fn requested(shared: &Shared, headers: &HeaderMap, uri: &Uri, fault: Option<&Fault>) -> Result<Answer, Answer> {
    let now = fundhook_runtime::now();
    let mut api = shared.api();
    let organization = api.organization(headers, now)?;
    let asked = Asked::of(uri)?;
    if let Some(Fault::Shift { rows }) = fault {
        api.transactions.shift(&organization.tenant, &asked, *rows, now);
    }
    api.counts.transaction_pages += 1;
    Ok(Answer::ok(&api.transactions.page(&organization.tenant, &asked)))
}
