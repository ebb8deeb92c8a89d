//! Pages of the lists: how each is filtered and paged [zerohash-openapi].

use std::cmp::Reverse;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::Timestamp;
use serde_json::{Value, json};

use super::lists::Lists;
use super::query::Query;
use super::rows::Row;

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    FundTransactions,
    Deposits,
    CryptoDeposits,
    Payments,
    PaymentStatuses,
    PaymentHistories,
    Movements,
    Participants,
    ExternalAccounts,
    Accounts,
}

/// How a page says what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paging {
    /// `total_pages`.
    TotalPages,
    /// The number of all rows, under this name.
    Rows(&'static str),
    /// `pagination.nextCursor`.
    Cursor,
}

/// The unit of a filter by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    Rfc3339,
}

/// A parameter that selects rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// The member has this value. Repeated, it has one of the values.
    Is {
        parameter: &'static str,
        /// The member's JSON pointer.
        member: &'static str,
    },
    From {
        parameter: &'static str,
        unit: Unit,
    },
    After {
        parameter: &'static str,
        unit: Unit,
    },
    Before {
        parameter: &'static str,
        unit: Unit,
    },
    Until {
        parameter: &'static str,
        unit: Unit,
    },
    /// Accepted, and selects nothing here.
    Ignored {
        parameter: &'static str,
    },
}

/// Filters by members of the same names as the parameters.
fn same<const N: usize>(names: [&'static str; N]) -> Vec<Filter> {
    names.map(|name| Filter::Is { parameter: name, member: name }).into()
}

impl List {
    pub(super) fn paging(self) -> Paging {
        match self {
            Self::FundTransactions | Self::Deposits | Self::Movements | Self::Participants | Self::Accounts => {
                Paging::TotalPages
            }
            Self::Payments => Paging::Rows("total"),
            Self::PaymentStatuses | Self::PaymentHistories | Self::ExternalAccounts => Paging::Rows("count"),
            Self::CryptoDeposits => Paging::Cursor,
        }
    }

    /// The parameter with the number of rows on a page, if there is one; the default and the largest.
    pub(super) fn size(self) -> (Option<&'static str>, usize, usize) {
        match self {
            Self::FundTransactions => (Some("page_size"), 50, 50),
            Self::Movements => (Some("page_size"), 100, 100),
            Self::CryptoDeposits => (Some("limit"), 100, 999),
            Self::Payments => (Some("size"), 50, 100),
            Self::PaymentStatuses | Self::PaymentHistories | Self::ExternalAccounts => (Some("size"), 200, 200),
            Self::Deposits | Self::Participants | Self::Accounts => (None, 50, 50),
        }
    }

    pub(super) fn filters(self) -> Vec<Filter> {
        let window = |names: [&'static str; 4], unit: Unit| {
            let [gte, gt, lt, lte] = names;
            vec![
                Filter::From { parameter: gte, unit },
                Filter::After { parameter: gt, unit },
                Filter::Before { parameter: lt, unit },
                Filter::Until { parameter: lte, unit },
            ]
        };
        let between = |from: &'static str, until: &'static str, unit: Unit| {
            vec![Filter::From { parameter: from, unit }, Filter::Until { parameter: until, unit }]
        };
        let by = |parameter: &'static str, member: &'static str| vec![Filter::Is { parameter, member }];
        match self {
            Self::FundTransactions => [
                same(["participant_code", "fund_asset", "deposit_address", "fund_id", "reference_id"]),
                same(["deposit_intent_id", "success"]),
                window(
                    ["deposit_timestamp_gte", "deposit_timestamp_gt", "deposit_timestamp_lt", "deposit_timestamp_lte"],
                    Unit::Milliseconds,
                ),
            ]
            .concat(),
            Self::Deposits => [
                same(["participant_code", "account_label", "asset"]),
                vec![Filter::Ignored { parameter: "include_customer_deposits" }],
                window(
                    ["settle_timestamp[gte]", "settle_timestamp[gt]", "settle_timestamp[lt]", "settle_timestamp[lte]"],
                    Unit::Milliseconds,
                ),
            ]
            .concat(),
            Self::CryptoDeposits => [
                by("deposit_ids", "depositId"),
                by("account_ids", "accountId"),
                by("transaction_hashes", "transactionHash"),
                by("assets", "asset"),
                by("states", "state"),
                by("state_reasons", "stateReason"),
                by("travel_rule_status", "travelRuleStatus"),
                between("from_timestamp", "to_timestamp", Unit::Rfc3339),
            ]
            .concat(),
            Self::Payments => [same(["participant_code"]), between("start_date", "end_date", Unit::Seconds)].concat(),
            Self::PaymentStatuses => [
                by("participant", "participant_code"),
                same(["transaction_id", "trade_id", "status"]),
                between("start_date", "end_date", Unit::Seconds),
            ]
            .concat(),
            Self::PaymentHistories => [
                by("participant", "participant_code"),
                by("transaction_ids", "transaction_id"),
                vec![Filter::Ignored { parameter: "transfer_type" }],
            ]
            .concat(),
            Self::Movements => [
                same(["parent_link_id", "movement_type", "transfer_type", "account_id"]),
                window(
                    [
                        "movement_timestamp[gte]",
                        "movement_timestamp[gt]",
                        "movement_timestamp[lt]",
                        "movement_timestamp[lte]",
                    ],
                    Unit::Milliseconds,
                ),
            ]
            .concat(),
            Self::Participants => same(["participant_code", "email", "status", "entity_type"]),
            Self::ExternalAccounts => [by("participants", "participant_code"), by("account_status", "status")].concat(),
            Self::Accounts => same(["account_owner", "account_group", "account_label", "account_type", "asset"]),
        }
    }
}

/// What is odd about a page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Oddity {
    /// Rows whose newest webhook was signed less than this long ago are missing.
    pub(crate) late: Duration,
    /// It is the page after the requested one.
    pub(crate) is_another_page: bool,
}

impl Lists {
    /// The rows that `query` selects, newest first. The provider documents no order.
    pub(super) fn matching(&self, query: &Query, late: Duration, now: Timestamp) -> Vec<&Row> {
        let is_listed = |row: &&Row| {
            let is_old_enough = row.signed_at <= now.minus(late) || late.is_zero();
            is_old_enough && (query.list != List::Accounts || !row.has_no_balance())
        };
        let mut rows: Vec<&Row> =
            self.rows(query.list).filter(|row| query.matches(row, now)).filter(is_listed).collect();
        rows.sort_by_key(|row| place(row));
        rows
    }

    /// A page of a list.
    pub(crate) fn page(&self, query: &Query, oddity: Oddity, now: Timestamp) -> Value {
        let rows = self.matching(query, oddity.late, now);
        let page = query.page + usize::from(oddity.is_another_page);
        let before = match &query.cursor {
            // A cursor names the last row before it, so that rows that arrive in the meantime shift nothing.
            Some(cursor) => rows.iter().filter(|row| cursor_of(row) == *cursor || is_before(row, cursor)).count(),
            None => (page - 1).saturating_mul(query.size),
        };
        let on_page: Vec<&&Row> = rows.iter().skip(before).take(query.size).collect();
        let message: Vec<_> = on_page.iter().map(|row| &row.members).collect();
        match query.list.paging() {
            Paging::TotalPages => json!({
                "message": message,
                "page": page,
                "page_size": query.size,
                "total_pages": rows.len().div_ceil(query.size),
            }),
            Paging::Rows(name) => {
                let mut reply = json!({ "message": message, "page": page });
                reply[name] = json!(rows.len());
                reply
            }
            Paging::Cursor => {
                let last = on_page.last().filter(|_| rows.len() > before.saturating_add(on_page.len()));
                json!({ "message": message, "pagination": { "nextCursor": last.map(|row| cursor_of(row)) } })
            }
        }
    }
}

/// The place of a row in its list.
fn place(row: &Row) -> (Reverse<u64>, &str) {
    (Reverse(row.dated_ms), &row.id)
}

fn cursor_of(row: &Row) -> String {
    BASE64_STANDARD.encode(format!("{} {}", row.dated_ms, row.id))
}

/// Whether the row comes before the one that `cursor` names.
fn is_before(row: &Row, cursor: &str) -> bool {
    let decoded = BASE64_STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let named = decoded.as_deref().and_then(|text| text.split_once(' '));
    let named = named.and_then(|(dated_ms, id)| Some((Reverse(dated_ms.parse::<u64>().ok()?), id)));
    named.is_some_and(|named| place(row) < named)
}
