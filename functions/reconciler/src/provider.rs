//! Requests to the providers' lists.

use std::collections::BTreeSet;

use fundhook_domain::{Details, Feed, ListId, ListKind, ListedAt, Provider, Resource, ResourceId, Timestamp};
use fundhook_ports::{ListPage, ListQuery};
use fundhook_reconciliation::{ClosedWindow, OrganizationFeeds, PageKey, all_older_and_newest_first, lists_of, names};

use crate::listed_row::ListedRow;
use crate::run::{FailedRequest, Phase, Run};
use crate::{ListReadError, Ports, ReconcileError, Reconciler};

/// A page of a list, read.
pub(crate) struct RowsPage {
    pub(crate) rows: Vec<ListedRow>,
    /// The page after it; `None` if no later page has a row of the requested window.
    pub(crate) next: Option<PageKey>,
}

/// How a resource is asked for in a list.
struct AskedFor<'a> {
    id: &'a str,
    /// All names under which the provider may know it.
    names: BTreeSet<String>,
    /// When it was created, if the list is dated by that.
    created: Option<Timestamp>,
}

impl<'a> AskedFor<'a> {
    fn of(list: ListKind, id: &'a ResourceId, recorded: Option<&Resource>) -> Self {
        let view = recorded.and_then(Resource::view);
        let transfer = view.as_deref().and_then(|view| match &view.details {
            Details::Transfer(transfer) => Some(transfer),
            Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
        });
        let others = transfer.iter().flat_map(|transfer| &transfer.names);
        let names = std::iter::once(id).chain(others).map(|name| name.native().to_owned()).collect();
        let created = transfer.as_ref().and_then(|transfer| transfer.created_at);
        Self { id: id.native(), names, created: created.filter(|_| list == ListKind::Payments) }
    }

    /// The names by which it is asked for, one after the other.
    fn asked_by(&self) -> impl Iterator<Item = &str> {
        let others = self.names.iter().map(String::as_str).filter(|name| self.created.is_none() && *name != self.id);
        std::iter::once(self.id).chain(others)
    }
}

/// Where a resource can be asked for.
pub(crate) enum Listing {
    /// The provider lists it here.
    In(ListId),
    /// No list that can be read contains it.
    Nowhere,
    /// A list may contain it, and the credentials for that one could not be read.
    Unknown,
}

impl<P: Ports> Reconciler<P> {
    /// A page of the rows dated in `window`; of all rows, if the list has no filter by date.
    pub(crate) async fn rows_page(
        &self,
        list: &ListId,
        window: ClosedWindow,
        page: &PageKey,
        run: &mut Run,
    ) -> Result<RowsPage, ReconcileError> {
        let is_dated = list.kind().is_dated();
        let page = page.clone();
        let query = match is_dated {
            true => ListQuery::Dated { from: window.from, before: window.before, page },
            false => ListQuery::Whole { page },
        };
        let page = self.list_page(list, &query, run).await?;
        // An empty page does not end the list: the provider says whether another one follows.
        let next = page.next.clone();
        let rows = self.rows_of(list, page);
        let date = |row: &ListedRow| match row.dated {
            ListedAt::At(at) => Some(at),
            ListedAt::AsRequested | ListedAt::Missing => None,
        };
        let dates: Vec<Timestamp> = rows.iter().filter_map(date).collect();
        let may_follow = |_: &PageKey| !is_dated || !all_older_and_newest_first(&dates, window.from);
        Ok(RowsPage { next: next.filter(may_follow), rows })
    }

    /// As [`Self::rows_page`], unless the phase is out of time.
    pub(crate) async fn rows_page_in_time(
        &self,
        list: &ListId,
        window: ClosedWindow,
        page: &PageKey,
        phase: &mut Phase<'_>,
    ) -> Result<RowsPage, ReconcileError> {
        if phase.is_out_of_time(self.now()) {
            return Err(ReconcileError::OutOfTime);
        }
        self.rows_page(list, window, page, phase.run).await
    }

    /// The rows of the list about the resource `id`: a few at most, and none if the provider does not know it. `recorded` is
    /// what is known of it.
    ///
    /// A payment may be recorded under the id of its request, under which the provider need not find it. So the list is read for
    /// the second in which it was created too, or if that is not known, it is asked for under its other names.
    pub(crate) async fn rows_about(
        &self,
        list: &ListId,
        id: &ResourceId,
        recorded: Option<&Resource>,
        run: &mut Run,
    ) -> Result<Vec<ListedRow>, ReconcileError> {
        let asked = AskedFor::of(list.kind(), id, recorded);
        // A provider that ignores the requested id returns rows about others too.
        let is_about = |row: &ListedRow| names(&row.statement).any(|name| asked.names.contains(name.native()));
        for name in asked.asked_by() {
            let page = self.list_page(list, &ListQuery::Id(name.to_owned()), run).await?;
            let mut rows = self.rows_of(list, page);
            rows.retain(is_about);
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        let mut rows = Vec::new();
        let mut next = asked.created.map(|_| PageKey::FIRST);
        while let (Some(created), Some(page)) = (asked.created, next) {
            let second = ClosedWindow::second(created);
            let RowsPage { rows: of_page, next: following } = self.rows_page(list, second, &page, run).await?;
            rows.extend(of_page.into_iter().filter(is_about));
            next = following.filter(|_| rows.is_empty());
        }
        Ok(rows)
    }

    /// One page of the list. A list that cannot be read is not requested again in this run.
    async fn list_page(&self, list: &ListId, query: &ListQuery, run: &mut Run) -> Result<ListPage, ReconcileError> {
        if run.outages.is_down(list) {
            return Err(ReconcileError::ProviderDown(list.clone()));
        }
        run.summary.pages += 1;
        match self.list_reader.page(list, query, &self.clock).await {
            Ok(page) => {
                run.outages.answered(list);
                Ok(page)
            }
            Err(error) => {
                let request = match (query, &error) {
                    (ListQuery::Id(_), ListReadError::Port(_)) => FailedRequest::SingleRow,
                    (ListQuery::Id(_), ListReadError::Token(_) | ListReadError::Unauthorized(_))
                    | (ListQuery::Dated { .. } | ListQuery::Whole { .. }, _) => FailedRequest::ListOrToken,
                };
                run.outages.failed(list, request);
                Err(ReconcileError::List(list.clone(), error))
            }
        }
    }

    fn rows_of(&self, list: &ListId, page: ListPage) -> Vec<ListedRow> {
        ListedRow::of_page(list.kind(), &self.feed_of_rows(list), page, self.now(), &self.settings.reading)
    }

    /// The feed of the resources that the list's rows are about.
    pub(crate) fn feed_of_rows(&self, list: &ListId) -> Feed {
        match list.kind().provider() {
            Provider::Connect => list.feed().of(self.settings.rows_are),
            Provider::Zerohash | Provider::Striga => list.feed().clone(),
        }
    }

    /// Where the resource with this id can be asked for. `recorded` is what is known of it.
    pub(crate) fn listing_of(&self, id: &ResourceId, recorded: Option<&Resource>, run: &Run) -> Listing {
        let mut unknown = Listing::Nowhere;
        for kind in lists_of(id, recorded) {
            let list = ListId::new(id.feed(), *kind);
            match run.lists.contains(&list) {
                Some(true) => return Listing::In(list),
                Some(false) => {}
                None => unknown = Listing::Unknown,
            }
        }
        unknown
    }

    /// Which feeds the organization of `list` has.
    pub(crate) fn organization_feeds(&self, list: &ListId) -> OrganizationFeeds {
        let has = |provider| self.settings.feeds.contains(&list.feed().of(provider));
        if has(Provider::Connect) && has(Provider::Zerohash) {
            OrganizationFeeds::ConnectAndZerohash
        } else {
            OrganizationFeeds::One
        }
    }
}
