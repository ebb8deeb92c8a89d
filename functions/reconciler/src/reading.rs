//! Reading a list from its watermark, and queueing what was missed.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{EvidencePointer, Feed, Kind, Ownership, Provider, Resource, ResourceId, Statement, Timestamp};
use fundhook_ports::{Claims, Disposition, ListPage, ListQuery, PortError, Resources, SendMessages, chain};
use fundhook_providers::{connect, normalise};
use fundhook_reconciliation::Window;
use fundhook_reconciliation::{Discrepancy, coin_of, plan};
use fundhook_runtime::metrics;
use tracing::{error, info, warn};

use crate::ambiguity::Decided;
use crate::handler::{Run, UNANSWERED_MAX};
use crate::{ListReadError, Ports, ReconcileError, Reconciler};

/// A row of the provider's list, and what it says.
pub(crate) struct Row {
    text: String,
    url: String,
    /// When the provider dates it, as it was asked by; `None` for one without a date, such as one that is not understood.
    pub(crate) dated: Option<Timestamp>,
    pub(crate) statement: Statement,
}

impl<P: Ports> Reconciler<P> {
    /// Reads the feed's list from where the last run left it, page by page, and queues what was missed.
    pub(crate) async fn read_list(&self, feed: &Feed, run: &mut Run) -> Result<(), ReconcileError> {
        let mut watermark = self.watermark(feed).await?;
        let begun = watermark.window;
        let mut window = match begun {
            Some(begun) => begun,
            None => {
                // The provider is asked by whole seconds: what lies in the last one's fraction belongs to the next window.
                let until = (self.clock)().minus(self.settings.grace).whole_second();
                if until <= watermark.read_until {
                    return Ok(());
                }
                Window { from: watermark.read_until.minus(self.settings.overlap), until, next_page: 1 }
            }
        };
        while !self.is_out_of_time(run) {
            let query = ListQuery::Dated { from: window.from, before: window.until, page: window.next_page };
            let page = match self.list(feed, &query, run).await {
                Ok(page) => page,
                Err(failed) => {
                    if begun == Some(window) && window.next_page > 1 {
                        // The list may have fewer pages by now than when this one was the next.
                        watermark.window = Some(Window { next_page: 1, ..window });
                        self.advance(feed, &mut watermark).await?;
                    }
                    return Err(failed);
                }
            };
            let is_last = is_last(&page, window.next_page);
            let mut rows = self.rows(feed, page);
            run.summary.rows += rows.len() as u64;
            let is_past = is_past(&rows, window.from);
            // The rest belongs to a later window, and to its webhooks until then; or to a time before the first one.
            rows.retain(|row| row.dated.is_none_or(|dated| (window.from..window.until).contains(&dated)));
            let theirs = statements_of(&rows);
            let recorded = self.recorded_for(&theirs).await?;
            let Decided { discrepancies, all } = self.discrepancies(feed, &recorded, &theirs, run).await?;
            self.queue_missed(feed, &rows, discrepancies, run).await?;
            if !all {
                // What was queued is recorded when the next run reads the page again, and gets further.
                return Ok(());
            }

            // Only now: a run that ended before this would read the page again.
            window.next_page += 1;
            let is_done = is_last || is_past;
            watermark.window = (!is_done).then_some(window);
            if is_done {
                watermark.read_until = window.until;
            }
            self.advance(feed, &mut watermark).await?;
            if is_done {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One page of the feed's list. A provider that does not answer is not asked again in this run; one that does not tell of
    /// one deposit is, unless it has told of none of some in a row.
    pub(crate) async fn list(&self, feed: &Feed, query: &ListQuery, run: &mut Run) -> Result<ListPage, ReconcileError> {
        let Some(provider) = &self.provider else {
            return Ok(ListPage::default());
        };
        if run.silent.contains(feed) {
            return Err(ReconcileError::Silent(feed.clone()));
        }
        run.summary.pages += 1;
        match provider.list(feed, query, &self.clock).await {
            Ok(page) => {
                run.unanswered.remove(feed);
                Ok(page)
            }
            Err(error) => {
                let in_a_row = run.unanswered.entry(feed.clone()).or_default();
                *in_a_row += 1;
                let is_of_one = matches!((query, &error), (ListQuery::Id(_), ListReadError::Port(_)));
                if !is_of_one || *in_a_row >= UNANSWERED_MAX {
                    run.silent.insert(feed.clone());
                }
                Err(ReconcileError::List(feed.clone(), error))
            }
        }
    }

    /// What the provider's list says of the one deposit `id`: some rows at most, and none when it does not know it.
    pub(crate) async fn rows_about(
        &self,
        feed: &Feed,
        id: &ResourceId,
        run: &mut Run,
    ) -> Result<Vec<Row>, ReconcileError> {
        let page = self.list(feed, &ListQuery::Id(id.native().to_owned()), run).await?;
        let mut rows = self.rows(feed, page);
        // A provider that does not heed the id that it was asked by tells of others too.
        rows.retain(|row| row.statement.resource.native() == id.native());
        Ok(rows)
    }

    /// What the rows of a page say.
    pub(crate) fn rows(&self, feed: &Feed, page: ListPage) -> Vec<Row> {
        let (feed, now) = (feed.of(self.settings.rows_are), (self.clock)());
        let ListPage { rows, url, .. } = page;
        rows.into_iter().filter_map(|text| row(&feed, text, &url, now)).collect()
    }

    /// How what is `recorded` for the rows differs from what they say.
    pub(crate) async fn discrepancies(
        &self,
        feed: &Feed,
        recorded: &[Resource],
        theirs: &[Statement],
        run: &mut Run,
    ) -> Result<Decided, ReconcileError> {
        let mut discrepancies = plan(recorded, theirs);
        // What was read along (the other feed's deposit of the same id) need not be on the page.
        discrepancies.retain(|discrepancy| !matches!(discrepancy, Discrepancy::UnknownToTheProvider { .. }));
        self.check_ambiguity(feed, discrepancies, recorded, run).await
    }

    /// What is recorded of what the rows are about: by their ids, in both feeds; for those that neither feed knows, by their
    /// coins; and the deposits that a duplicate's coin is credited under.
    pub(crate) async fn recorded_for(&self, theirs: &[Statement]) -> Result<Vec<Resource>, PortError> {
        let ids: BTreeSet<ResourceId> = theirs.iter().flat_map(ids_of).collect();
        let mut recorded = self.read(ids).await?;
        let known: BTreeSet<&ResourceId> = recorded.iter().map(Resource::id).collect();
        let is_unknown = |row: &&Statement| !ids_of(row).any(|id| known.contains(&id));
        let coins: BTreeSet<String> = theirs.iter().filter(is_unknown).filter_map(coin_of).collect();
        let coins: Vec<String> = coins.into_iter().collect();
        let claims = if coins.is_empty() { Vec::new() } else { self.store.claims(&coins).await? };

        let duplicated = recorded.iter().filter_map(|resource| match resource.ownership() {
            Ownership::DuplicateOf { owner, .. } => Some(owner.clone()),
            Ownership::Unclaimed | Ownership::Owner => None,
        });
        let owners: BTreeSet<ResourceId> = duplicated.chain(claims.into_iter().map(|claim| claim.owner)).collect();
        let owners = owners.into_iter().filter(|owner| !known.contains(owner)).collect();
        let owners = self.read(owners).await?;
        recorded.extend(owners);
        Ok(recorded)
    }

    /// The resources that are recorded of those named. One that cannot be read does not keep the others from being read.
    pub(crate) async fn read(&self, ids: BTreeSet<ResourceId>) -> Result<Vec<Resource>, PortError> {
        let ids: Vec<ResourceId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut read = match self.resources.read(&ids).await {
            Ok(read) => read,
            Err(failed) if failed.disposition() == Disposition::DeadLetter => self.read_one_by_one(&ids).await?,
            Err(failed) => return Err(failed),
        };
        read.retain(|resource| resource.version() > 0);
        Ok(read)
    }

    async fn read_one_by_one(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            match self.resources.read(std::slice::from_ref(id)).await {
                Ok(read) => all.extend(read),
                Err(failed) if failed.disposition() == Disposition::DeadLetter => {
                    error!(resource.id = %id, error = chain(&failed), "a resource cannot be read");
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(all)
    }

    /// Queues what was missed, tells of what differs, and counts both.
    pub(crate) async fn queue_missed(
        &self,
        feed: &Feed,
        rows: &[Row],
        discrepancies: Vec<Discrepancy>,
        run: &mut Run,
    ) -> Result<(), ReconcileError> {
        let now = (self.clock)();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut envelopes = Vec::new();
        for discrepancy in &discrepancies {
            *counts.entry(discrepancy.name()).or_default() += 1;
            let (resource, name) = (discrepancy.resource(), discrepancy.name());
            match discrepancy {
                Discrepancy::Differs { members, theirs, .. } => {
                    run.summary.differing += 1;
                    warn!(resource.id = %resource, ?members, theirs = %theirs.content.status, "the provider lists it otherwise");
                }
                Discrepancy::Missing { theirs } | Discrepancy::Behind { theirs, .. } => {
                    info!(resource.id = %resource, discrepancy = name, theirs = %theirs.content.status, "a webhook was missed");
                }
                Discrepancy::Ambiguous { resembles, .. } => {
                    run.summary.differing += 1;
                    let resembles = resembles.as_ref().map(ToString::to_string);
                    warn!(resource.id = %resource, resembles, "the provider lists it, and it may be credited already");
                }
                Discrepancy::CreditedTwice { other, .. } => {
                    run.summary.differing += 1;
                    warn!(resource.id = %resource, %other, "two feeds had a deposit credited that may be one");
                }
                Discrepancy::UnknownToTheProvider { .. } => {}
            }
            let Some((resource, fact)) = discrepancy.to_queue() else {
                continue;
            };
            let row = rows.iter().find(|row| row.statement.content.id == *fact);
            envelopes.extend(row.map(|row| row.envelope(resource.feed(), now)).transpose()?);
        }
        for (name, count) in counts {
            let mut dimensions = metrics::of_feed(feed);
            dimensions.push(("discrepancy", name));
            metrics::emit(now, "ReconciliationDiscrepancies", "Count", count, &dimensions);
        }
        self.queue(feed, envelopes, run).await
    }

    /// Has `envelopes` take the road of webhooks.
    pub(crate) async fn queue(&self, feed: &Feed, envelopes: Vec<String>, run: &mut Run) -> Result<(), ReconcileError> {
        if envelopes.is_empty() {
            return Ok(());
        }
        for sent in self.ingress.send_all(envelopes).await {
            match sent {
                Ok(()) => run.summary.queued += 1,
                // It would fail each time, and hold up all that is listed behind it. The hour that it is dated in will not add up.
                Err(failed) if failed.disposition() == Disposition::DeadLetter => {
                    error!(%feed, error = chain(&failed), "the queue does not take a row of the list");
                }
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(())
    }
}

impl Row {
    /// The row on its way to the ingress queue, about a deposit of `feed`.
    pub(crate) fn envelope(&self, feed: &Feed, now: Timestamp) -> Result<String, PortError> {
        let envelope =
            connect::listed(connect::ListedRow { feed, json: self.text.clone(), url: &self.url, read_at: now });
        serde_json::to_string(&envelope)
            .map_err(|error| PortError::new("write the envelope of a row", Disposition::DeadLetter, error))
    }
}

/// What `rows` say.
pub(crate) fn statements_of(rows: &[Row]) -> Vec<Statement> {
    rows.iter().map(|row| row.statement.clone()).collect()
}

/// What a row says. One row makes one signal.
fn row(feed: &Feed, text: String, url: &str, now: Timestamp) -> Option<Row> {
    let envelope = connect::listed(connect::ListedRow { feed, json: text.clone(), url, read_at: now });
    // It is archived, if ever, when it has taken the road of a webhook.
    let nowhere = EvidencePointer { object: String::new(), line: 0 };
    let statement = normalise(&envelope, nowhere).into_iter().next()?;
    // What tells no time is taken to happen now.
    let dated = connect::deposited_at(&text).or_else(|| Some(statement.content.occurred_at).filter(|at| *at != now));
    Some(Row { text, url: url.to_owned(), dated, statement })
}

/// The ids under which a row's deposit may be recorded: in its own feed, and in the organization's other one.
fn ids_of(row: &Statement) -> impl Iterator<Item = ResourceId> + use<> {
    let id = row.resource.clone();
    let others = [Provider::Connect, Provider::Zerohash].into_iter().filter_map(move |provider| {
        let feed = id.feed().of(provider);
        (id.kind() == Kind::Deposit).then(|| ResourceId::new(Kind::Deposit, feed, id.native()).ok()).flatten()
    });
    let own = row.resource.clone();
    std::iter::once(own.clone()).chain(others.filter(move |other| *other != own))
}

/// Whether no page follows `page`, which is the page `number` as the provider counts now. That it is empty does not say so.
pub(crate) fn is_last(page: &ListPage, number: u32) -> bool {
    number >= page.pages
}

/// Whether all that follows is older than what is read: the provider lists the newest first, and all of the page lies before
/// `from`. It is so only where the provider does not heed the dates that it was asked by.
pub(crate) fn is_past(rows: &[Row], from: Timestamp) -> bool {
    let times: Vec<Timestamp> = rows.iter().filter_map(|row| row.dated).collect();
    // A page of one and the same instant does not tell which way the list goes.
    let newest_first = times.is_sorted_by(|earlier, later| earlier >= later) && times.first() > times.last();
    newest_first && times.iter().all(|at| *at < from)
}
