//! The provider's list of transactions.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Fail, Fake};
use crate::{Disposition, ListError, ListPage, ListQuery, ListTransactions, PortError};

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

/// The provider's list: newest first, in pages, for callers with an accepted token. Dates are compared by whole seconds,
/// as the provider's parameters have no fractions.
#[derive(Clone, Debug)]
pub struct TransactionApi {
    /// The transactions of each feed, in any order.
    pub rows: BTreeMap<Feed, Vec<ListedTransaction>>,
    /// How many rows a page has.
    pub page_size: usize,
    /// The tokens that it accepts.
    pub accepts: BTreeSet<String>,
    /// Which calls fail.
    pub on_list: Fail,
    /// Every call; failed ones too.
    pub calls: Vec<TransactionCall>,
}

impl TransactionApi {
    fn page(&self, feed: &Feed, query: &ListQuery) -> ListPage {
        let mut rows: Vec<&ListedTransaction> = self.rows.get(feed).into_iter().flatten().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.at, &row.id)));
        let number = match query {
            ListQuery::Id(id) => {
                rows.retain(|row| row.id == *id);
                1
            }
            ListQuery::Dated { from, before, page } => {
                let dates = from.whole_second()..before.whole_second();
                rows.retain(|row| dates.contains(&row.at));
                *page as usize
            }
        };
        let pages = u32::try_from(rows.len().div_ceil(self.page_size)).unwrap_or(u32::MAX);
        let of_page = rows.into_iter().skip(number.saturating_sub(1) * self.page_size).take(self.page_size);
        ListPage { rows: of_page.map(|row| row.json.clone()).collect(), pages, url: URL.to_owned() }
    }
}

impl Fake<TransactionApi> {
    /// A list without rows, in pages of `page_size`, for callers with `token`.
    pub fn empty(page_size: usize, token: &str) -> Self {
        Self::new(TransactionApi {
            rows: BTreeMap::new(),
            page_size,
            accepts: BTreeSet::from([token.to_owned()]),
            on_list: Fail::Never,
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
}

impl ListTransactions for Fake<TransactionApi> {
    async fn list(&self, feed: &Feed, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        let mut api = self.now();
        let token = token.expose_secret().to_owned();
        let is_accepted = api.accepts.contains(&token);
        api.calls.push(TransactionCall { feed: feed.clone(), query: query.clone(), token });
        api.on_list.outcome(LIST)?;
        if !is_accepted {
            return Err(ListError::Unauthorized(unauthorized()));
        }
        Ok(api.page(feed, query))
    }
}

fn unauthorized() -> PortError {
    PortError::new(LIST, Disposition::Retry, "status 401")
}
