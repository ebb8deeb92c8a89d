//! The providers' APIs: they list things to callers that have an access token, or that sign each request.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use fundhook_domain::{Feed, ListId, ListKind, Timestamp};
use fundhook_reconciliation::PageKey;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Fake, TokenService, down};
use crate::{
    Disposition, GrantedToken, ListError, ListPage, ListQuery, ListSigned, ListWithToken, PortError, RequestToken,
};

/// Where the lists are read.
const URL: &str = "https://api.provider.example";

const LIST: &str = "read a list";

/// The beginning of the cursors of a list that has no page numbers. The number of the page before it follows.
const CURSOR: &str = "after-page-";

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiRow {
    /// The date that the list is ordered and selected by.
    pub at: Timestamp,
    /// Its id, by which it can be asked for.
    pub id: String,
    /// Its JSON text.
    pub json: String,
}

/// The rows of a list. Several may have one id.
#[derive(Clone, Debug, Default)]
pub struct ApiRows {
    /// By their date, their id, and how many were added before.
    rows: BTreeMap<(Timestamp, String, u64), ApiRow>,
    dates: BTreeMap<String, BTreeSet<(Timestamp, u64)>>,
    added: u64,
}

impl ApiRows {
    /// Lists a row in place of those with the same id.
    pub fn replace(&mut self, row: ApiRow) {
        for (at, added) in self.dates.remove(&row.id).into_iter().flatten() {
            self.rows.remove(&(at, row.id.clone(), added));
        }
        self.extend([row]);
    }

    fn newest_first(&self) -> impl Iterator<Item = &ApiRow> {
        self.rows.values().rev()
    }

    /// The rows dated `from..before`, newest first.
    fn dated(&self, from: Timestamp, before: Timestamp) -> impl Iterator<Item = &ApiRow> {
        let first = |at| (at, String::new(), 0);
        self.rows.range(first(from)..first(before.max(from))).rev().map(|(_, row)| row)
    }

    fn by_id<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a ApiRow> {
        let dates = self.dates.get(id).into_iter().flatten().rev();
        dates.filter_map(move |(at, added)| self.rows.get(&(*at, id.to_owned(), *added)))
    }
}

impl Extend<ApiRow> for ApiRows {
    fn extend<T: IntoIterator<Item = ApiRow>>(&mut self, rows: T) {
        for row in rows {
            self.added += 1;
            self.dates.entry(row.id.clone()).or_default().insert((row.at, self.added));
            self.rows.insert((row.at, row.id.clone(), self.added), row);
        }
    }
}

impl FromIterator<ApiRow> for ApiRows {
    fn from_iter<T: IntoIterator<Item = ApiRow>>(rows: T) -> Self {
        let mut listed = Self::default();
        listed.extend(rows);
        listed
    }
}

/// A request for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCall {
    /// The list that was asked for.
    pub list: ListId,
    /// The rows that were asked for.
    pub query: ListQuery,
    /// The access token; empty for a signed request.
    pub token: String,
}

/// How the provider replies to one call that it would answer with a page.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With the page.
    Honest,
    /// With the page, changed by this function.
    Changed(fn(ListPage) -> ListPage),
    /// With the page, as if another one followed.
    NotTheLast,
    /// With the page after these rows were added to the list.
    AfterListing(Vec<ApiRow>),
    /// With the page after all rows were removed.
    AfterEmptying,
    /// With an error.
    Fails(Disposition),
    /// The token is rejected.
    Unauthorized,
}

/// The providers' lists: newest first, in pages, for callers with an accepted token or with credentials. Dates are
/// compared by whole seconds, as the providers' parameters have no fractions.
///
/// The list [`ListKind::Deposits`] has cursors; the others have page numbers.
#[derive(Clone, Debug)]
pub struct ListApi {
    /// The tokens that it grants and accepts.
    pub tokens: Fake<TokenService>,
    /// The feeds of the organizations that sign their requests.
    pub signing: BTreeSet<Feed>,
    /// The rows of each list.
    pub rows: BTreeMap<ListId, ApiRows>,
    /// How many rows a page has.
    pub page_size: usize,
    /// Lists all rows, whatever dates are asked for. A provider must not.
    pub ignores_dates: bool,
    /// Lists the oldest rows first. A provider must not.
    pub oldest_first: bool,
    /// The feeds whose requests it does not answer.
    pub unanswered: BTreeSet<Feed>,
    /// The ids about which it does not answer.
    pub unanswered_ids: BTreeSet<String>,
    /// How long a feed's request takes: the clock of `tokens` advances by that time.
    pub takes: BTreeMap<Feed, Duration>,
    /// The replies to the next calls that it would answer with a page, in order; those after them are honest.
    pub replies: VecDeque<Reply>,
    /// The same for the calls for one list. They come before `replies`.
    pub replies_of: BTreeMap<ListId, VecDeque<Reply>>,
    /// Every call; failed ones too.
    pub calls: Vec<ListCall>,
}

impl ListApi {
    fn page(&self, list: &ListId, query: &ListQuery) -> ListPage {
        let known = ApiRows::default();
        let known = self.rows.get(list).unwrap_or(&known);
        let (mut rows, number): (Vec<&ApiRow>, usize) = match query {
            ListQuery::Id(id) => (known.by_id(id).collect(), 1),
            ListQuery::Dated { page, .. } if self.ignores_dates => (known.newest_first().collect(), number_of(page)),
            ListQuery::Dated { from, before, page } => {
                (known.dated(from.whole_second(), before.whole_second()).collect(), number_of(page))
            }
            ListQuery::Whole { page } => (known.newest_first().collect(), number_of(page)),
        };
        if self.oldest_first {
            rows.reverse();
        }
        let pages = rows.len().div_ceil(self.page_size);
        let next = (number < pages).then(|| key_after(list.kind(), number));
        let of_page = rows.into_iter().skip(number.saturating_sub(1) * self.page_size).take(self.page_size);
        ListPage { rows: of_page.map(|row| row.json.clone()).collect(), next, url: format!("{URL}/{}", list.kind()) }
    }

    fn answer(
        &mut self,
        list: &ListId,
        token: Option<&SecretString>,
        query: &ListQuery,
    ) -> Result<ListPage, ListError> {
        let feed = list.feed();
        self.tokens.now().clock.pass(self.takes.get(feed).copied().unwrap_or_default());
        let called_with = token.map(|token| token.expose_secret().to_owned()).unwrap_or_default();
        self.calls.push(ListCall { list: list.clone(), query: query.clone(), token: called_with });
        if self.unanswered.contains(feed) {
            return Err(down(LIST).into());
        }
        let is_known = token.map_or(self.signing.contains(feed), |token| self.tokens.accepts(feed, token));
        if !is_known {
            return Err(unauthorized());
        }
        if matches!(query, ListQuery::Id(id) if self.unanswered_ids.contains(id)) {
            return Err(down(LIST).into());
        }
        let of_list = self.replies_of.get_mut(list).and_then(VecDeque::pop_front);
        match of_list.or_else(|| self.replies.pop_front()).unwrap_or(Reply::Honest) {
            Reply::Honest => {}
            Reply::Changed(change) => return Ok(change(self.page(list, query))),
            Reply::NotTheLast => {
                let page = self.page(list, query);
                let asked = match query {
                    ListQuery::Dated { page, .. } | ListQuery::Whole { page } => number_of(page),
                    ListQuery::Id(_) => 1,
                };
                return Ok(ListPage { next: Some(key_after(list.kind(), asked)), ..page });
            }
            Reply::AfterListing(rows) => self.rows.entry(list.clone()).or_default().extend(rows),
            Reply::AfterEmptying => self.rows.clear(),
            Reply::Fails(disposition) => {
                return Err(PortError::new(LIST, disposition, "the test rejects this call").into());
            }
            Reply::Unauthorized => return Err(unauthorized()),
        }
        Ok(self.page(list, query))
    }
}

fn number_of(page: &PageKey) -> usize {
    match page {
        PageKey::Number(number) => *number as usize,
        PageKey::Cursor(cursor) => cursor.strip_prefix(CURSOR).and_then(|before| before.parse().ok()).unwrap_or(0) + 1,
    }
}

fn key_after(list: ListKind, number: usize) -> PageKey {
    match list {
        ListKind::Deposits => PageKey::Cursor(format!("{CURSOR}{number}")),
        ListKind::ConnectTransactions
        | ListKind::FundTransactions
        | ListKind::Payments
        | ListKind::BankPayments
        | ListKind::Participants
        | ListKind::ExternalAccounts
        | ListKind::Accounts => PageKey::Number(u32::try_from(number + 1).unwrap_or(u32::MAX)),
    }
}

impl Fake<ListApi> {
    /// Lists without rows, in pages of `page_size`, for callers with a token of `tokens`.
    pub fn empty(page_size: usize, tokens: &Fake<TokenService>) -> Self {
        Self::new(ListApi {
            tokens: tokens.clone(),
            signing: BTreeSet::new(),
            rows: BTreeMap::new(),
            page_size,
            ignores_dates: false,
            oldest_first: false,
            unanswered: BTreeSet::new(),
            unanswered_ids: BTreeSet::new(),
            takes: BTreeMap::new(),
            replies: VecDeque::new(),
            replies_of: BTreeMap::new(),
            calls: Vec::new(),
        })
    }

    /// Lists `row` in place of the list's row with the same id.
    pub fn list_row(&self, list: &ListId, row: ApiRow) {
        self.now().rows.entry(list.clone()).or_default().replace(row);
    }

    /// Decides the replies to the next calls.
    pub fn set_replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.now().replies = replies.into_iter().collect();
    }

    /// Decides the replies to the next calls for this list.
    pub fn set_replies_of(&self, list: &ListId, replies: impl IntoIterator<Item = Reply>) {
        self.now().replies_of.insert(list.clone(), replies.into_iter().collect());
    }

    /// The calls since this was last called.
    pub fn take_calls(&self) -> Vec<ListCall> {
        std::mem::take(&mut self.now().calls)
    }
}

impl ListWithToken for Fake<ListApi> {
    async fn list(&self, list: &ListId, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        self.now().answer(list, Some(token), query)
    }
}

impl ListSigned for Fake<ListApi> {
    async fn lists(&self) -> Result<Vec<ListId>, PortError> {
        let signing = self.now().signing.clone();
        let lists_of = |feed: &Feed| ListKind::of(feed.provider()).map(|kind| ListId::new(feed, kind)).collect();
        Ok(signing.iter().flat_map(|feed| -> Vec<ListId> { lists_of(feed) }).collect())
    }

    async fn list(&self, list: &ListId, query: &ListQuery) -> Result<ListPage, PortError> {
        self.now().answer(list, None, query).map_err(|error| match error {
            ListError::Unauthorized(error) | ListError::Port(error) => error,
        })
    }
}

impl RequestToken for Fake<ListApi> {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        let tokens = self.now().tokens.clone();
        tokens.feeds().await
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        let tokens = self.now().tokens.clone();
        tokens.request(feed).await
    }
}

fn unauthorized() -> ListError {
    ListError::Unauthorized(PortError::new(LIST, Disposition::Retry, "status 401"))
}
