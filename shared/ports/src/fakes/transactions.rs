//! The provider's API: it grants access tokens, and lists transactions to callers that have one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Fake, TokenService, down};
use crate::{Disposition, GrantedToken, ListError, ListPage, ListQuery, ListTransactions, PortError, RequestToken};

/// Where the list is read.
const URL: &str = "https://api.connect.xyz/transactions";

const LIST: &str = "read the list of transactions";

/// A transaction that the provider lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedTransaction {
    /// The date that the list is ordered and selected by.
    pub at: Timestamp,
    /// Its id, by which it can be asked for.
    pub id: String,
    /// Its row, as JSON.
    pub json: String,
}

/// A request for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionCall {
    /// The feed whose list was asked for.
    pub feed: Feed,
    /// The rows that were asked for.
    pub query: ListQuery,
    /// The access token.
    pub token: String,
}

/// How the provider replies to one call that it would answer with a page.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With the page.
    Honest,
    /// With the page, changed by this function.
    Changed(fn(ListPage) -> ListPage),
    /// With the page after these rows were added to the list.
    AfterListing(Vec<ListedTransaction>),
    /// With the page after all rows were removed.
    AfterEmptying,
    /// With an error.
    Fails(Disposition),
    /// The token is rejected.
    Unauthorized,
}

/// The provider's list: newest first, in pages, for callers with an accepted token. Dates are compared by whole
/// seconds, as the provider's parameters have no fractions.
#[derive(Clone, Debug)]
pub struct TransactionApi {
    /// The tokens that it grants and accepts.
    pub tokens: Fake<TokenService>,
    /// The transactions of each feed, in any order.
    pub rows: BTreeMap<Feed, Vec<ListedTransaction>>,
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
    /// Every call; failed ones too.
    pub calls: Vec<TransactionCall>,
}

impl TransactionApi {
    fn page(&self, feed: &Feed, query: &ListQuery) -> ListPage {
        let mut rows: Vec<&ListedTransaction> = self.rows.get(feed).into_iter().flatten().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.at, &row.id)));
        if self.oldest_first {
            rows.reverse();
        }
        let number = match query {
            ListQuery::Id(id) => {
                rows.retain(|row| row.id == *id);
                1
            }
            ListQuery::Dated { from, before, page } => {
                let dates = from.whole_second()..before.whole_second();
                rows.retain(|row| self.ignores_dates || dates.contains(&row.at));
                *page as usize
            }
        };
        let pages = u32::try_from(rows.len().div_ceil(self.page_size)).unwrap_or(u32::MAX);
        let of_page = rows.into_iter().skip(number.saturating_sub(1) * self.page_size).take(self.page_size);
        ListPage { rows: of_page.map(|row| row.json.clone()).collect(), pages, url: URL.to_owned() }
    }

    fn answer(&mut self, feed: &Feed, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        self.tokens.now().clock.pass(self.takes.get(feed).copied().unwrap_or_default());
        let called_with = token.expose_secret().to_owned();
        self.calls.push(TransactionCall { feed: feed.clone(), query: query.clone(), token: called_with });
        if self.unanswered.contains(feed) {
            return Err(down(LIST).into());
        }
        if !self.tokens.accepts(feed, token) {
            return Err(unauthorized());
        }
        if matches!(query, ListQuery::Id(id) if self.unanswered_ids.contains(id)) {
            return Err(down(LIST).into());
        }
        match self.replies.pop_front().unwrap_or(Reply::Honest) {
            Reply::Honest => {}
            Reply::Changed(change) => return Ok(change(self.page(feed, query))),
            Reply::AfterListing(rows) => self.rows.entry(feed.clone()).or_default().extend(rows),
            Reply::AfterEmptying => self.rows.clear(),
            Reply::Fails(disposition) => {
                return Err(PortError::new(LIST, disposition, "the test rejects this call").into());
            }
            Reply::Unauthorized => return Err(unauthorized()),
        }
        Ok(self.page(feed, query))
    }
}

impl Fake<TransactionApi> {
    /// A list without rows, in pages of `page_size`, for callers with a token of `tokens`.
    pub fn empty(page_size: usize, tokens: &Fake<TokenService>) -> Self {
        Self::new(TransactionApi {
            tokens: tokens.clone(),
            rows: BTreeMap::new(),
            page_size,
            ignores_dates: false,
            oldest_first: false,
            unanswered: BTreeSet::new(),
            unanswered_ids: BTreeSet::new(),
            takes: BTreeMap::new(),
            replies: VecDeque::new(),
            calls: Vec::new(),
        })
    }

    /// Lists `row` in place of the feed's row with the same id.
    pub fn list_row(&self, feed: &Feed, row: ListedTransaction) {
        let mut api = self.now();
        let rows = api.rows.entry(feed.clone()).or_default();
        rows.retain(|known| known.id != row.id);
        rows.push(row);
    }

    /// Decides the replies to the next calls.
    pub fn set_replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.now().replies = replies.into_iter().collect();
    }

    /// The calls since this was last called.
    pub fn take_calls(&self) -> Vec<TransactionCall> {
        std::mem::take(&mut self.now().calls)
    }
}

impl ListTransactions for Fake<TransactionApi> {
    async fn list(&self, feed: &Feed, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        self.now().answer(feed, token, query)
    }
}

impl RequestToken for Fake<TransactionApi> {
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
