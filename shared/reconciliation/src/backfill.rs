//! What is requested of a backfill, and which pages follow from it: a past period of the providers' lists, read window by window.
//!
//! A backfill has no state of its own. Each part of it answers with the position to continue from, and reading a page again
//! is harmless: what was queued is recorded by then.

use std::time::Duration;

use fundhook_domain::{Backfill, Feed, ListId, ListKind, Tenant, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::watermark::PageKey;
use crate::window::ClosedWindow;

/// The length of a window. Few rows are on the pages of a day, so rows that move to another page are in the same window, and
/// a cursor is needed for a short time only.
const WINDOW: Duration = Duration::from_secs(86_400);

/// What a backfill does with the rows that are missing or behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackfillMode {
    /// Record them, and publish their events.
    Publish,
    /// Record them, and publish nothing about what subscribers do not know.
    RecordOnly,
    /// Count them.
    DryRun,
}

/// What an operator requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackfillRequest {
    /// The first instant of the period; a day begins it at midnight in UTC.
    #[serde(deserialize_with = "day_or_time")]
    pub from: Timestamp,
    /// The first instant after the period; `None` is the latest that may be read.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "optional_day_or_time")]
    pub to: Option<Timestamp>,
    /// What to do with the rows.
    pub mode: BackfillMode,
    /// Only these lists; empty is all.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lists: Vec<ListKind>,
    /// Only this organization; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tenant: Option<Tenant>,
    /// Where an earlier part of the same backfill stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<BackfillPosition>,
}

/// The page that a backfill reads next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackfillPosition {
    /// The organization's feed of the provider whose list is read.
    pub feed: Feed,
    /// The list.
    pub list: ListKind,
    /// The beginning of the window.
    pub window: Timestamp,
    /// The page of the window.
    pub page: PageKey,
}

/// The lists and the period of a backfill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackfillPlan {
    lists: Vec<ListId>,
    from: Timestamp,
    to: Timestamp,
}

impl BackfillMode {
    /// The mark of the rows that are queued; `None` when none are.
    pub fn mark(self) -> Option<Backfill> {
        match self {
            Self::Publish => Some(Backfill::Published),
            Self::RecordOnly => Some(Backfill::RecordedOnly),
            Self::DryRun => None,
        }
    }
}

impl BackfillPosition {
    /// The list of the organization.
    pub fn list_id(&self) -> ListId {
        ListId::new(&self.feed, self.list)
    }

    /// The first page of the same window: for a list that has fewer pages now, or has forgotten a cursor.
    #[must_use]
    pub fn at_first_page(self) -> Self {
        Self { page: PageKey::FIRST, ..self }
    }
}

impl BackfillPlan {
    /// Of the lists that can be read, those that `request` names. Rows after `until` are left to the regular runs.
    ///
    /// Deposits come before payments: where events are published, a payment then follows the deposit that it returns.
    pub fn new(request: &BackfillRequest, readable: &[ListId], until: Timestamp) -> Self {
        let is_requested = |list: &&ListId| {
            let is_kind = request.lists.is_empty() || request.lists.contains(&list.kind());
            is_kind && request.tenant.as_ref().is_none_or(|tenant| list.feed().tenant() == Some(tenant))
        };
        let mut lists: Vec<ListId> = readable.iter().filter(is_requested).cloned().collect();
        lists.sort_by(|one, other| (one.kind(), one.feed()).cmp(&(other.kind(), other.feed())));
        let to = request.to.map_or(until, |to| to.min(until)).whole_second();
        Self { lists, from: request.from.whole_second(), to }
    }

    /// Whether there is no list to read.
    pub fn has_no_list(&self) -> bool {
        self.lists.is_empty()
    }

    /// The first instant after the period.
    pub fn to(&self) -> Timestamp {
        self.to
    }

    /// The first page; `None` for an empty period.
    pub fn first(&self) -> Option<BackfillPosition> {
        self.lists.first().filter(|_| self.from < self.to).map(|list| self.begin_of(list))
    }

    /// Whether `position` is one of this backfill.
    pub fn has(&self, position: &BackfillPosition) -> bool {
        self.lists.contains(&position.list_id()) && (self.from..self.to).contains(&position.window)
    }

    /// The window of `position`: a day, or the whole period of a list that has no filter by date.
    pub fn window(&self, position: &BackfillPosition) -> ClosedWindow {
        let before = if position.list.is_dated() { position.window.plus(WINDOW).min(self.to) } else { self.to };
        ClosedWindow { from: position.window, before }
    }

    /// The position after `position`, whose page names the page that follows it; `None` at the end.
    pub fn after(&self, position: &BackfillPosition, next_page: Option<PageKey>) -> Option<BackfillPosition> {
        if let Some(page) = next_page {
            return Some(BackfillPosition { page, ..position.clone() });
        }
        let window = self.window(position).before;
        if window < self.to {
            return Some(BackfillPosition { window, page: PageKey::FIRST, ..position.clone() });
        }
        let list = position.list_id();
        self.lists.iter().skip_while(|known| **known != list).nth(1).map(|next| self.begin_of(next))
    }

    fn begin_of(&self, list: &ListId) -> BackfillPosition {
        let (feed, list) = (list.feed().clone(), list.kind());
        BackfillPosition { feed, list, window: self.from, page: PageKey::FIRST }
    }
}

/// The instant of a text such as `2025-10-01` or `2025-10-01T12:00:00Z`.
pub fn parse_day_or_time(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()
}

fn day_or_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_day_or_time(&text).ok_or_else(|| de::Error::custom("expected a day in UTC such as \"2025-10-01\", or a time"))
}

fn optional_day_or_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    day_or_time(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_day_or_time(text).expect("a day or a time")
    }

    fn request() -> BackfillRequest {
        serde_json::from_value(json!({ "from": "2025-10-01", "to": "2025-10-02T12:00:00Z", "mode": "publish" }))
            .expect("a request")
    }

    fn lists() -> Vec<ListId> {
        let feed = |name: &str| -> Feed { name.parse().expect("a feed") };
        [
            ("zerohash/acme", ListKind::Payments),
            ("zerohash", ListKind::Payments),
            ("zerohash", ListKind::Deposits),
            ("connect", ListKind::ConnectTransactions),
        ]
        .map(|(name, kind)| ListId::new(&feed(name), kind))
        .into()
    }

    #[test]
    fn each_window_of_each_list_is_read_to_its_last_page_and_deposits_come_first() {
        let plan = BackfillPlan::new(&request(), &lists(), at("2025-11-01"));
        let mut position = plan.first();
        let mut read = Vec::new();
        while let Some(current) = position {
            assert!(plan.has(&current));
            let ClosedWindow { from, before } = plan.window(&current);
            read.push(format!("{} {from} {before} {}", current.list_id(), current.page));
            let is_first = current.list_id().kind() == ListKind::Deposits && current.page == PageKey::FIRST;
            position = plan.after(&current, is_first.then_some(PageKey::Number(2)));
        }
        let (first, second) =
            ("2025-10-01T00:00:00Z 2025-10-02T00:00:00Z", "2025-10-02T00:00:00Z 2025-10-02T12:00:00Z");
        let expected = [
            format!("connect:transactions {first} 1"),
            format!("connect:transactions {second} 1"),
            format!("zerohash:deposits {first} 1"),
            format!("zerohash:deposits {first} 2"),
            format!("zerohash:deposits {second} 1"),
            format!("zerohash:deposits {second} 2"),
            format!("zerohash:payments {first} 1"),
            format!("zerohash:payments {second} 1"),
            format!("zerohash/acme:payments {first} 1"),
            format!("zerohash/acme:payments {second} 1"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_list_without_dates_is_read_once_for_the_whole_period() {
        let participants = ListId::new(&"zerohash".parse().expect("a feed"), ListKind::Participants);
        let plan = BackfillPlan::new(&request(), &[participants], at("2025-11-01"));
        let first = plan.first().expect("a position");
        let window = ClosedWindow { from: at("2025-10-01"), before: at("2025-10-02T12:00:00Z") };
        assert_eq!(plan.window(&first), window);
        let second = plan.after(&first, Some(PageKey::Number(2))).expect("the second page");
        assert_eq!((plan.window(&second), plan.after(&second, None)), (window, None));
    }

    #[test]
    fn a_backfill_ends_before_what_regular_runs_leave_to_webhooks() {
        let plan = |to, until| BackfillPlan::new(&BackfillRequest { to, ..request() }, &lists(), at(until));
        assert_eq!(plan(Some(at("2025-12-01")), "2025-11-01").to(), at("2025-11-01"));
        assert_eq!(plan(None, "2025-11-01T00:00:00.7Z").to(), at("2025-11-01"), "in whole seconds");
        assert_eq!(plan(None, "2025-09-01").first(), None);
    }

    #[test]
    fn lists_and_organizations_can_be_selected() {
        let of = |lists_: Vec<ListKind>, tenant: Option<&str>| {
            let tenant = tenant.map(|name| name.parse().expect("a tenant"));
            let request = BackfillRequest { lists: lists_, tenant, ..request() };
            BackfillPlan::new(&request, &lists(), at("2025-11-01"))
                .lists
                .iter()
                .map(ListId::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(vec![ListKind::Payments], None), ["zerohash:payments", "zerohash/acme:payments"]);
        assert_eq!(of(vec![], Some("acme")), ["zerohash/acme:payments"]);
        assert_eq!(of(vec![ListKind::BankPayments], None), Vec::<String>::new());
    }

    #[test]
    fn a_request_and_a_position_are_written_and_read_back() {
        let after = BackfillPosition {
            feed: "zerohash".parse().expect("a feed"),
            list: ListKind::Deposits,
            window: at("2025-10-02"),
            page: PageKey::Cursor("c2Vjb25k".to_owned()),
        };
        let request = BackfillRequest { after: Some(after), lists: vec![ListKind::Deposits], ..request() };
        let written = serde_json::to_value(&request).expect("JSON");
        assert_eq!(serde_json::from_value::<BackfillRequest>(written).expect("the same"), request);
        for odd in [
            json!({ "from": "2025-10-01" }),
            json!({ "from": "yesterday", "mode": "publish" }),
            json!({ "from": "2025-10-01", "mode": "all" }),
            json!({ "from": "2025-10-01", "mode": "publish", "lists": ["transfers"] }),
            json!({ "from": "2025-10-01", "mode": "publish", "until": "2025-10-02" }),
        ] {
            assert!(serde_json::from_value::<BackfillRequest>(odd.clone()).is_err(), "{odd}");
        }
    }
}
