//! What the reconciler reads and writes: the provider's list, the table's indexes, watermarks, receipts and reports.

use std::future::Future;

use fundhook_domain::{Claim, ClaimKey, Feed, Kind, ListId, ResourceId, SimilarDeposits, SimilarKey, Timestamp};
use fundhook_reconciliation::{PageKey, Receipt, Report, Watermark};
use secrecy::SecretString;

use crate::PortError;

/// Which rows of a provider's list to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListQuery {
    /// A page of the rows dated `from..before`.
    Dated {
        /// The earliest date.
        from: Timestamp,
        /// The first date that is excluded.
        before: Timestamp,
        /// The page.
        page: PageKey,
    },
    /// A page of all rows, of a list that has no filter by date.
    Whole {
        /// The page.
        page: PageKey,
    },
    /// The row with this id.
    Id(String),
}

/// A page of a provider's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The rows, each as the JSON text that the provider sent; those about users without personal data.
    pub rows: Vec<String>,
    /// The page after it, as the provider sees it at this moment; `None` on the last page.
    pub next: Option<PageKey>,
    /// The URL of the list, without its query.
    pub url: String,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The provider rejected the access token.
    #[error("the provider rejected the access token")]
    Unauthorized(#[source] PortError),
    /// The request failed for another reason.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Reads the lists of a provider that issues access tokens.
pub trait ListWithToken {
    /// One page, requested with the access token `token`.
    fn list(
        &self,
        list: &ListId,
        token: &SecretString,
        query: &ListQuery,
    ) -> impl Future<Output = Result<ListPage, ListError>> + Send;
}

/// Reads the lists of a provider to which each request is signed.
pub trait ListSigned {
    /// The lists that are read, of the organizations that have credentials.
    fn lists(&self) -> impl Future<Output = Result<Vec<ListId>, PortError>> + Send;

    /// One page.
    fn list(&self, list: &ListId, query: &ListQuery) -> impl Future<Output = Result<ListPage, PortError>> + Send;
}

/// The stored watermarks: how far each list was read.
pub trait Watermarks {
    /// The list's watermark; `None` if it was never read.
    fn load(&self, list: &ListId) -> impl Future<Output = Result<Option<Watermark>, PortError>> + Send;

    /// Stores `to` if the stored watermark is still the one that was loaded. The revision of `to` must be one above it.
    fn advance(&self, list: &ListId, to: &Watermark) -> impl Future<Output = Result<Advance, PortError>> + Send;
}

/// The outcome of advancing a watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The watermark is stored.
    Stored,
    /// Another reconciler advanced it first; nothing was stored.
    Lost,
}

/// A page of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexPage {
    /// The resources, in the order of the index.
    pub entries: Vec<IndexEntry>,
    /// Whether this is the last page.
    pub is_last: bool,
}

/// A resource on a page of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The resource.
    pub resource: ResourceId,
    /// The cursor for a page that begins after this resource.
    pub cursor: String,
}

/// Which resources of the index of open resources to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenQuery<'a> {
    /// The kind of the resources.
    pub kind: Kind,
    /// Whether to read those that were reported overdue or those that were not.
    pub overdue: bool,
    /// Only resources that reached their current status at this time or later; `None` for no limit.
    pub from: Option<Timestamp>,
    /// Only resources that reached their current status before this time.
    pub before: Timestamp,
    /// The cursor of the resource after which the page begins. A cursor before `from` is ignored.
    pub after: Option<&'a str>,
    /// The maximum number of resources.
    pub limit: u16,
}

/// The index of open resources: those whose status is not final.
///
/// It has the balances too with a movement that names a deposit or a withdrawal, as [not overdue](OpenQuery::overdue), by when
/// the last webhook with such a movement was received.
pub trait OpenResources {
    /// A page of the resources that `query` selects, longest in their current status first.
    fn open(&self, query: OpenQuery<'_>) -> impl Future<Output = Result<IndexPage, PortError>> + Send;
}

/// The index of confirmed deposits and withdrawals.
pub trait SettledResources {
    /// The feed's deposits or withdrawals whose confirmation is dated `from..before`. The range must lie within one day in
    /// UTC.
    fn settled(
        &self,
        feed: &Feed,
        kind: Kind,
        from: Timestamp,
        before: Timestamp,
    ) -> impl Future<Output = Result<Vec<ResourceId>, PortError>> + Send;
}

/// The index of resources by account.
pub trait AccountResources {
    /// The resources of `account`, in all feeds, that were written at `since` or later.
    fn of_account(
        &self,
        account: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<ResourceId>, PortError>> + Send;
}

/// The stored claims on coins.
pub trait Claims {
    /// The claims with these keys, in any order; one that was never written has version 0. `keys` must be distinct.
    fn claims(&self, keys: &[ClaimKey]) -> impl Future<Output = Result<Vec<Claim>, PortError>> + Send;

    /// What is remembered of similar deposits under these keys, in any order; one that was never written has version 0. `keys`
    /// must be distinct.
    fn similar(&self, keys: &[SimilarKey]) -> impl Future<Output = Result<Vec<SimilarDeposits>, PortError>> + Send;
}

/// The stored receipts: one for each deposit that was published as confirmed.
pub trait Receipts {
    /// Stores `receipts`, each unless one of a later event of its resource is stored: an event may be published again after it.
    /// After an error some of them may be stored.
    fn note(&self, receipts: &[Receipt]) -> impl Future<Output = Result<(), PortError>> + Send;

    /// The receipts of `resources`, in any order; a resource without one is left out. `resources` must be distinct.
    fn receipts(&self, resources: &[ResourceId]) -> impl Future<Output = Result<Vec<Receipt>, PortError>> + Send;
}

/// The stored control totals reports: one for each list and hour.
pub trait Reports {
    /// Stores a report. It replaces an earlier one of the same list and hour.
    fn put(&self, report: &Report) -> impl Future<Output = Result<(), PortError>> + Send;

    /// The list's reports of the day that begins at `day` (UTC), in the order of their hours.
    fn of_day(&self, list: &ListId, day: Timestamp) -> impl Future<Output = Result<Vec<Report>, PortError>> + Send;
}
