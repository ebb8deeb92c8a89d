//! Requests to the provider's list.

use fundhook_domain::{Feed, Provider, ResourceId, Timestamp};
use fundhook_ports::{ListPage, ListQuery};
use fundhook_reconciliation::{ClosedWindow, OrganizationFeeds, all_older_and_newest_first};

use crate::listed_row::ListedRow;
use crate::run::{FailedRequest, Phase, Run};
use crate::{ListReadError, Ports, ReconcileError, Reconciler};

/// A page of the list, read.
pub(crate) struct RowsPage {
    pub(crate) rows: Vec<ListedRow>,
    /// Whether no later page has a row of the requested window.
    pub(crate) is_last: bool,
}

impl<P: Ports> Reconciler<P> {
    /// The page `number` of the rows dated in `window`.
    pub(crate) async fn rows_page(
        &self,
        feed: &Feed,
        window: ClosedWindow,
        number: u32,
        run: &mut Run,
    ) -> Result<RowsPage, ReconcileError> {
        let query = ListQuery::Dated { from: window.from, before: window.before, page: number };
        let page = self.list_page(feed, &query, run).await?;
        // An empty page does not end the list: the provider's count of pages does.
        let is_last = number >= page.pages;
        let rows = self.rows_of(feed, page);
        let dates: Vec<Timestamp> = rows.iter().filter_map(|row| row.dated).collect();
        Ok(RowsPage { is_last: is_last || all_older_and_newest_first(&dates, window.from), rows })
    }

    /// As [`Self::rows_page`], unless the phase is out of time.
    pub(crate) async fn rows_page_in_time(
        &self,
        feed: &Feed,
        window: ClosedWindow,
        number: u32,
        phase: &mut Phase<'_>,
    ) -> Result<RowsPage, ReconcileError> {
        if phase.is_out_of_time(self.now()) {
            return Err(ReconcileError::OutOfTime);
        }
        self.rows_page(feed, window, number, phase.run).await
    }

    /// The provider's rows about the deposit `id`: a few at most, and none if it does not know the deposit.
    pub(crate) async fn rows_about(
        &self,
        feed: &Feed,
        id: &ResourceId,
        run: &mut Run,
    ) -> Result<Vec<ListedRow>, ReconcileError> {
        let page = self.list_page(feed, &ListQuery::Id(id.native().to_owned()), run).await?;
        let mut rows = self.rows_of(feed, page);
        // A provider that ignores the requested id returns rows about others too.
        rows.retain(|row| row.statement.resource.native() == id.native());
        Ok(rows)
    }

    /// One page of the feed's list. A provider that does not answer is not asked again in this run.
    async fn list_page(&self, feed: &Feed, query: &ListQuery, run: &mut Run) -> Result<ListPage, ReconcileError> {
        let Some(list_reader) = &self.list_reader else {
            return Ok(ListPage::default());
        };
        if run.outages.is_down(feed) {
            return Err(ReconcileError::ProviderDown(feed.clone()));
        }
        run.summary.pages += 1;
        match list_reader.list(feed, query, &self.clock).await {
            Ok(page) => {
                run.outages.answered(feed);
                Ok(page)
            }
            Err(error) => {
                let request = match (query, &error) {
                    (ListQuery::Id(_), ListReadError::Port(_)) => FailedRequest::SingleDeposit,
                    (ListQuery::Id(_), ListReadError::Token(_) | ListReadError::Unauthorized(_))
                    | (ListQuery::Dated { .. }, _) => FailedRequest::ListOrToken,
                };
                run.outages.failed(feed, request);
                Err(ReconcileError::List(feed.clone(), error))
            }
        }
    }

    fn rows_of(&self, feed: &Feed, page: ListPage) -> Vec<ListedRow> {
        ListedRow::of_page(&feed.of(self.settings.rows_are), page, self.now(), &self.settings.reading)
    }

    /// Which feeds the organization of `feed` has.
    pub(crate) fn organization_feeds(&self, feed: &Feed) -> OrganizationFeeds {
        if self.settings.zerohash_feeds.contains(&feed.of(Provider::Zerohash)) {
            OrganizationFeeds::ConnectAndZerohash
        } else {
            OrganizationFeeds::One
        }
    }
}
