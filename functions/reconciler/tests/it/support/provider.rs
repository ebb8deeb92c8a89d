//! A provider in memory: it lists rows in pages of 50, newest first, to callers with a valid token. A test can script its
//! next replies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{
    AccessTokens, CLOCK_SKEW_MAX, Disposition, GrantedToken, ListError, ListPage, ListQuery, ListTransactions,
    PortError, RequestToken, StoredToken,
};
use secrecy::{ExposeSecret, SecretString};

use super::steps::Steps;
use super::{Clock, Shared, failure};

/// How many rows a page has by default.
const PAGE: usize = 50;

/// The URL of the list.
pub(crate) const URL: &str = "https://api.connect.xyz/transactions";

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProviderRow {
    /// The date by which the list is ordered and filtered.
    pub(crate) at: Timestamp,
    /// Its `fund_id`.
    pub(crate) id: String,
    /// Its JSON text.
    pub(crate) text: String,
}

/// How the provider replies to one call.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// With the requested page.
    Normal,
    /// With an error that may pass.
    Fails(&'static str),
    /// With an error that a retry does not fix.
    FailsForGood(&'static str),
    /// The token is rejected.
    Unauthorized,
    /// With the page, but without its rows.
    Empty,
    /// With the page, and this count of pages.
    PageCount(u32),
    /// With the page, and each row twice.
    RowsTwice,
    /// With the page after these rows were added to the list.
    AfterListing(Vec<ProviderRow>),
    /// With the page after the list was emptied.
    AfterEmptying,
}

/// A call to the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) feed: Feed,
    pub(crate) query: ListQuery,
    pub(crate) token: String,
}

/// What the provider lists, and how it behaves.
pub(crate) struct ProviderState {
    pub(crate) rows: BTreeMap<Feed, Vec<ProviderRow>>,
    pub(crate) page_size: usize,
    pub(crate) filters_by_date: bool,
    pub(crate) oldest_first: bool,
    /// The replies to the next calls, in order; after them, [`Reply::Normal`].
    pub(crate) turns: VecDeque<Reply>,
    pub(crate) calls: Vec<Call>,
    /// The ids about which requests fail.
    pub(crate) unanswerable: BTreeSet<String>,
    /// The feeds whose requests fail.
    pub(crate) down: BTreeSet<Feed>,
    /// How long a request takes.
    pub(crate) takes: BTreeMap<Feed, Duration>,
    /// The tokens that it accepts.
    pub(crate) accepts: BTreeSet<String>,
    /// Whether it accepts the tokens that it grants.
    pub(crate) accepts_granted: bool,
    pub(crate) granted: u32,
    /// Whether the organizations' credentials can be read.
    pub(crate) can_read_credentials: bool,
}

impl Default for ProviderState {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            page_size: PAGE,
            filters_by_date: true,
            oldest_first: false,
            turns: VecDeque::new(),
            calls: Vec::new(),
            unanswerable: BTreeSet::new(),
            down: BTreeSet::new(),
            takes: BTreeMap::new(),
            accepts: BTreeSet::new(),
            accepts_granted: true,
            granted: 0,
            can_read_credentials: true,
        }
    }
}

impl ProviderState {
    fn page(&self, feed: &Feed, query: &ListQuery) -> ListPage {
        let mut rows: Vec<&ProviderRow> = self.rows.get(feed).into_iter().flatten().collect();
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
                // The API takes whole seconds.
                let asked = from.whole_second()..before.whole_second();
                rows.retain(|row| !self.filters_by_date || asked.contains(&row.at));
                *page as usize
            }
        };
        let pages = u32::try_from(rows.len().div_ceil(self.page_size)).expect("few pages");
        let of_page = rows.into_iter().skip((number - 1) * self.page_size).take(self.page_size);
        ListPage { rows: of_page.map(|row| row.text.clone()).collect(), pages, url: URL.to_owned() }
    }
}

/// The provider's API.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) state: Shared<ProviderState>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) clock: Clock,
    pub(crate) steps: Steps,
}

impl Provider {
    /// Lists `row` in place of a row with the same id.
    pub(crate) fn list(&self, feed: &Feed, row: ProviderRow) {
        let mut state = self.state.lock();
        let rows = state.rows.entry(feed.clone()).or_default();
        rows.retain(|known| known.id != row.id);
        rows.push(row);
    }

    /// The calls since this was last called.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().calls)
    }

    /// Scripts the replies to the next calls.
    pub(crate) fn set_replies(&self, turns: impl IntoIterator<Item = Reply>) {
        self.state.lock().turns = turns.into_iter().collect();
    }

    fn answer(&self, feed: &Feed, token: &str, query: &ListQuery) -> Result<ListPage, ListError> {
        let mut state = self.state.lock();
        let takes = state.takes.get(feed).copied().unwrap_or_default();
        self.clock.pass(takes);
        state.calls.push(Call { feed: feed.clone(), query: query.clone(), token: token.to_owned() });
        if state.down.contains(feed) {
            return Err(failure("it is down").into());
        }
        if !state.accepts.contains(token) {
            return Err(ListError::Unauthorized(failure("status 401")));
        }
        if matches!(query, ListQuery::Id(id) if state.unanswerable.contains(id)) {
            return Err(failure("this deposit cannot be looked up").into());
        }
        let honest = state.page(feed, query);
        match state.turns.pop_front().unwrap_or(Reply::Normal) {
            Reply::Normal => Ok(honest),
            Reply::Fails(why) => Err(failure(why).into()),
            Reply::FailsForGood(why) => Err(PortError::new("list transactions", Disposition::DeadLetter, why).into()),
            Reply::Unauthorized => Err(ListError::Unauthorized(failure("status 401"))),
            Reply::Empty => Ok(ListPage { rows: Vec::new(), ..honest }),
            Reply::PageCount(pages) => Ok(ListPage { pages, ..honest }),
            Reply::RowsTwice => {
                let rows = honest.rows.into_iter().flat_map(|row| [row.clone(), row]).collect();
                Ok(ListPage { rows, ..honest })
            }
            Reply::AfterListing(rows) => {
                state.rows.entry(feed.clone()).or_default().extend(rows);
                Ok(state.page(feed, query))
            }
            Reply::AfterEmptying => {
                state.rows.clear();
                Ok(state.page(feed, query))
            }
        }
    }
}

impl ListTransactions for Provider {
    async fn list(&self, feed: &Feed, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        self.steps.reach("before a page").await?;
        let answer = self.answer(feed, token.expose_secret(), query);
        self.steps.reach("after a page").await?;
        answer
    }
}

impl RequestToken for Provider {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.steps.reach("before the credentials are read").await?;
        let known = self.state.lock().can_read_credentials;
        if known { Ok(self.feeds.clone()) } else { Err(failure("the secret cannot be read")) }
    }

    async fn request(&self, _feed: &Feed) -> Result<GrantedToken, PortError> {
        self.steps.reach("before a token is granted").await?;
        let token = {
            let mut state = self.state.lock();
            state.granted += 1;
            let token = format!("granted-{}", state.granted);
            if state.accepts_granted {
                state.accepts.insert(token.clone());
            }
            token
        };
        self.steps.reach("after a token is granted").await?;
        Ok(GrantedToken { access_token: token.into(), expires_in: Duration::from_secs(86_400) })
    }
}

/// The stored access tokens.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) stored: Shared<BTreeMap<Feed, StoredToken>>,
    /// Until when each organization's lease is held.
    pub(crate) leases: Shared<BTreeMap<Feed, Timestamp>>,
    pub(crate) steps: Steps,
}

impl AccessTokens for Tokens {
    async fn load(&self) -> Result<BTreeMap<Feed, StoredToken>, PortError> {
        self.steps.reach("before the tokens are read").await?;
        Ok(self.stored.lock().clone())
    }

    async fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> Result<(), PortError> {
        self.steps.reach("before a token is stored").await?;
        self.stored.lock().extend(tokens.clone());
        self.steps.reach("after a token is stored").await
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<bool, PortError> {
        self.steps.reach("before the lease").await?;
        {
            let mut leases = self.leases.lock();
            let far = now.plus(duration).plus(CLOCK_SKEW_MAX);
            if leases.get(feed).is_some_and(|until| now < *until && *until <= far) {
                return Ok(false);
            }
            leases.insert(feed.clone(), now.plus(duration));
        }
        self.steps.reach("after the lease").await?;
        Ok(true)
    }

    async fn release(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<(), PortError> {
        self.steps.reach("before the lease is released").await?;
        let mut leases = self.leases.lock();
        if leases.get(feed) == Some(&now.plus(duration)) {
            leases.remove(feed);
        }
        Ok(())
    }

    async fn back_off_until(&self, _feed: &Feed, _until: Timestamp) -> Result<(), PortError> {
        Err(failure("this provider never asks to back off"))
    }
}
