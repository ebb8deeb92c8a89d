//! What the reconciler asks of the provider and of the table.

use std::future::Future;

use fundhook_domain::{Claim, Feed, Kind, ResourceId, Timestamp};
use fundhook_reconciliation::{Receipt, Report, Watermark};
use secrecy::SecretString;

use crate::PortError;

/// What is asked of a provider's list of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListQuery {
    /// A page of those dated `from..before`.
    Dated {
        /// The earliest that is wanted.
        from: Timestamp,
        /// The first that is not wanted any more.
        before: Timestamp,
        /// Which page, from 1.
        page: u32,
    },
    /// The one with this id.
    Id(String),
}

/// A page of a provider's list of transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The rows, each the JSON text as it came.
    pub rows: Vec<String>,
    /// Which page it is the last of, as the provider counts them now.
    pub pages: u32,
    /// Where it was read: the URL without a query.
    pub url: String,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The provider does not accept the access token; what it says of that.
    #[error("the provider does not accept the access token")]
    Unauthorized(#[source] PortError),
    /// It could not be read for another reason.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Reads a provider's list of transactions.
pub trait ListTransactions {
    /// One page, asked for with `token`.
    fn list(
        &self,
        feed: &Feed,
        token: &SecretString,
        query: &ListQuery,
    ) -> impl Future<Output = Result<ListPage, ListError>> + Send;
}

/// The watermarks as they are stored.
pub trait Watermarks {
    /// The feed's watermark, if its list was ever read.
    fn load(&self, feed: &Feed) -> impl Future<Output = Result<Option<Watermark>, PortError>> + Send;

    /// Stores `to`, whose revision is one above that of the watermark that was loaded, if nobody else moved it since.
    fn advance(&self, feed: &Feed, to: &Watermark) -> impl Future<Output = Result<Advance, PortError>> + Send;
}

/// What became of moving a watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// It is stored.
    Stored,
    /// Another reconciler moved it first.
    Lost,
}

/// A page of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexPage {
    /// The resources, those that came first first.
    pub entries: Vec<IndexEntry>,
    /// Whether no page follows.
    pub is_last: bool,
}

/// A resource on a page of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The resource.
    pub resource: ResourceId,
    /// What a page that begins behind it is asked for with.
    pub cursor: String,
}

/// What is wanted of the index of what is not final yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenQuery<'a> {
    /// Of which kind.
    pub kind: Kind,
    /// Those that were reported overdue, or those that were not.
    pub overdue: bool,
    /// Those that came to stand where they do at this time or later; `None` for however long.
    pub from: Option<Timestamp>,
    /// Those that came to stand where they do before.
    pub before: Timestamp,
    /// The cursor of what the page begins behind. One of what lies before `from` is none.
    pub after: Option<&'a str>,
    /// How many at most.
    pub limit: u16,
}

/// The index of what is not final yet.
pub trait OpenResources {
    /// A page of what `query` wants, those first that have stood where they do the longest.
    fn open(&self, query: OpenQuery<'_>) -> impl Future<Output = Result<IndexPage, PortError>> + Send;
}

/// The index of confirmed deposits.
pub trait SettledDeposits {
    /// The feed's deposits whose confirmation is dated `from..before`, which lie on one day in UTC.
    fn settled(
        &self,
        feed: &Feed,
        from: Timestamp,
        before: Timestamp,
    ) -> impl Future<Output = Result<Vec<ResourceId>, PortError>> + Send;
}

/// The index of resources by whom they are about.
pub trait AccountResources {
    /// The resources about `account`, of all organizations, that were written since `since`.
    fn of_account(
        &self,
        account: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<ResourceId>, PortError>> + Send;
}

/// The claims on coins.
pub trait Claims {
    /// The claims on those of `coins` that are claimed, in any order. `coins` are distinct.
    fn claims(&self, coins: &[String]) -> impl Future<Output = Result<Vec<Claim>, PortError>> + Send;
}

/// What the publisher notes of each deposit that it published as confirmed.
pub trait Receipts {
    /// Notes them; noted again is noted once.
    fn note(&self, receipts: &[Receipt]) -> impl Future<Output = Result<(), PortError>> + Send;

    /// The receipts of those of `resources` that have one, in any order. `resources` are distinct.
    fn receipts(&self, resources: &[ResourceId]) -> impl Future<Output = Result<Vec<Receipt>, PortError>> + Send;
}

/// The reports as they are stored, one for each hour.
pub trait Reports {
    /// Stores it in place of an earlier one about the same hour.
    fn put(&self, report: &Report) -> impl Future<Output = Result<(), PortError>> + Send;

    /// The reports about the hours of the feed's day that begins at `day`, as far as they were made, in their order.
    fn of_day(&self, feed: &Feed, day: Timestamp) -> impl Future<Output = Result<Vec<Report>, PortError>> + Send;
}
