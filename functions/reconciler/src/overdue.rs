//! Resources that stay in one status for too long: the provider is asked about them where that is possible, and they are
//! published once as overdue if it has no news.

use std::time::Duration;

use fundhook_domain::{Kind, ListId, NewFact, Resource, Status, Timestamp};
use fundhook_ports::{Disposition, IndexEntry, OpenQuery, OpenResources, PortError, SendMessages, chain};
use fundhook_providers::notice_envelope;
use tracing::{error, info, warn};

use crate::ambiguity::{CheckEnd, Checked};
use crate::provider::Listing;
use crate::run::Phase;
use crate::{Ports, ReconcileError, Reconciler};

/// For how long the provider is asked again about a resource that was reported overdue. One may stay in its status for ever.
const ASKED_AGAIN_FOR: Duration = Duration::from_secs(30 * 86_400);

/// For how long the notice about an overdue resource waits for a provider that cannot answer about it.
const NOTICE_WAITS_MAX: Duration = Duration::from_secs(86_400);

/// How many resources are read from the index at a time.
const AT_A_TIME: u16 = 100;

/// About how many overdue resources of a list the provider is asked about again in a run: one in 45 s of the 15 minutes
/// between two runs.
const ASKED_AGAIN_MAX: usize = 20;

/// How many sentences about them are remembered, so that each is reported once: 64 KB of the 400 KB of an item.
const REMEMBERED_MAX: usize = 256;

/// How many pages of the index a run reads to find [`ASKED_AGAIN_MAX`] resources: those of other organizations and lists are on
/// the pages too.
const INDEX_PAGES_MAX: usize = 10;

/// What the provider lists about an overdue resource.
#[derive(Clone, Copy)]
enum ProviderAnswer {
    /// Something new, which is on the ingress queue now.
    News,
    /// Nothing new, or it does not list such resources.
    NoNews,
    /// It could not be asked now.
    Unavailable,
}

impl<P: Ports> Reconciler<P> {
    /// Reports each resource of `kinds` once that stays in its status for longer than its kind's limit, unless the provider
    /// has news about it. A kind that fails does not prevent the others; the first failure is returned.
    pub(crate) async fn report_overdue(&self, kinds: &[Kind], phase: &mut Phase<'_>) -> Result<(), ReconcileError> {
        let mut outcome = Ok(());
        for &kind in kinds {
            if let Some(limit) = self.settings.overdue.of(kind) {
                let reported = self.report_overdue_of(kind, limit, phase).await;
                outcome = outcome.and(reported.inspect_err(|failed| {
                    error!(
                        %kind, error = chain(failed),
                        "overdue resources of the kind {kind} were not all reported; the next run tries again"
                    );
                }));
            }
        }
        outcome
    }

    async fn report_overdue_of(
        &self,
        kind: Kind,
        limit: Duration,
        phase: &mut Phase<'_>,
    ) -> Result<(), ReconcileError> {
        let since = self.now().minus(limit);
        // A status that is exactly as old as the limit is overdue.
        let before = since.plus(Duration::from_nanos(1));
        let mut after = None;
        while !phase.is_out_of_time(self.now()) {
            let after_page = after.as_deref();
            let query = OpenQuery { kind, overdue: false, from: None, before, after: after_page, limit: AT_A_TIME };
            let page = self.store.open(query).await?;
            let mut notices = Vec::new();
            after = page.entries.last().map(|entry| entry.cursor.clone()).filter(|_| !page.is_last);
            // The index lags behind the table: a resource that has moved on since is skipped.
            let open = self.read(page.entries.into_iter().map(|entry| entry.resource).collect()).await?;
            for resource in open.iter().filter(|resource| is_overdue_since(resource, since)) {
                if phase.is_out_of_time(self.now()) {
                    break;
                }
                let has_waited = is_overdue_since(resource, since.minus(NOTICE_WAITS_MAX));
                match self.ask_provider_about(resource, &mut Vec::new(), phase).await? {
                    ProviderAnswer::NoNews => notices.extend(overdue_notice(resource, limit, self.now())?),
                    ProviderAnswer::Unavailable if has_waited => {
                        notices.extend(overdue_notice(resource, limit, self.now())?)
                    }
                    ProviderAnswer::News | ProviderAnswer::Unavailable => {}
                }
            }
            phase.run.summary.overdue += notices.len() as u64;
            if !notices.is_empty() {
                // They are archived on their way, so that a replay onto a restored table records them too.
                let sent: Result<Vec<()>, PortError> =
                    self.ingress.send_all(notices.into_iter().map(Into::into).collect()).await.into_iter().collect();
                sent?;
            }
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Asks again about some of the resources that were reported overdue and that this list contains, in each run about the
    /// next ones: what the provider lists days later may lie behind the watermark.
    pub(crate) async fn ask_again_about_overdue(
        &self,
        list: &ListId,
        phase: &mut Phase<'_>,
    ) -> Result<(), ReconcileError> {
        let mut watermark = self.watermark(list).await?;
        let kind = list.kind().contains();
        let unchanged = watermark.clone();
        let before = self.now();
        let from = Some(before.minus(ASKED_AGAIN_FOR));
        let mut asked = 0;
        'pages: for _ in 0..INDEX_PAGES_MAX {
            let after = watermark.overdue_after.as_deref();
            let query = OpenQuery { kind, overdue: true, from, before, after, limit: AT_A_TIME };
            let page = self.store.open(query).await?;
            let is_of_organization = |entry: &&IndexEntry| entry.resource.feed().tenant() == list.feed().tenant();
            let of_organization = page.entries.iter().filter(is_of_organization).map(|entry| entry.resource.clone());
            let recorded = self.read(of_organization.collect()).await?;
            for IndexEntry { resource, cursor } in page.entries {
                let is_here = |resource: &&Resource| match self.listing_of(resource.id(), Some(resource), phase.run) {
                    Listing::In(listed) => listed == *list,
                    Listing::Nowhere | Listing::Unknown => false,
                };
                if let Some(resource) = recorded.iter().find(|known| *known.id() == resource).filter(is_here) {
                    if asked >= ASKED_AGAIN_MAX || phase.is_out_of_time(self.now()) {
                        break 'pages;
                    }
                    asked += 1;
                    self.ask_provider_about(resource, &mut watermark.reported, phase).await?;
                }
                watermark.overdue_after = Some(cursor);
            }
            if page.is_last {
                watermark.overdue_after = None;
                break;
            }
        }
        let forgotten = watermark.reported.len().saturating_sub(REMEMBERED_MAX);
        watermark.reported.drain(..forgotten);
        if watermark == unchanged { Ok(()) } else { self.advance(list, &mut watermark).await }
    }

    /// Asks the provider about `resource` by its id, if a readable list contains such resources. What needs review is reported
    /// unless its sentence is in `reported`, and added there.
    async fn ask_provider_about(
        &self,
        resource: &Resource,
        reported: &mut Vec<String>,
        phase: &mut Phase<'_>,
    ) -> Result<ProviderAnswer, ReconcileError> {
        let id = resource.id();
        let list = match self.listing_of(id, Some(resource), phase.run) {
            Listing::In(list) => list,
            Listing::Nowhere => return Ok(ProviderAnswer::NoNews),
            Listing::Unknown => return Ok(ProviderAnswer::Unavailable),
        };
        if phase.run.outages.is_down(&list) {
            return Ok(ProviderAnswer::Unavailable);
        }
        let rows = match self.rows_about(&list, id, Some(resource), phase.run).await {
            Ok(rows) => rows,
            Err(failed) => {
                warn!(
                    resource.id = %id, error = chain(&failed),
                    "the provider could not be asked about {id}, which is overdue; a later run asks again"
                );
                phase.run.first_skipped.get_or_insert(failed);
                return Ok(ProviderAnswer::Unavailable);
            }
        };
        let recorded = std::slice::from_ref(resource);
        let Checked { mut discrepancies, end } = self.discrepancies(&list, recorded, &rows, phase).await?;
        discrepancies.retain(|it| it.to_queue().is_some() || !reported.contains(&it.to_string()));
        let not_queued = discrepancies.iter().filter(|discrepancy| discrepancy.to_queue().is_none());
        reported.extend(not_queued.map(ToString::to_string));
        let has_news = discrepancies.iter().any(|discrepancy| discrepancy.to_queue().is_some());
        self.queue_missed(&list, &rows, discrepancies, phase.run).await?;
        Ok(match (has_news, end) {
            (true, _) => ProviderAnswer::News,
            (false, CheckEnd::AllChecked) => ProviderAnswer::NoNews,
            (false, CheckEnd::OutOfTime) => ProviderAnswer::Unavailable,
        })
    }
}

/// Whether the resource has waited for a further status since then or earlier, and was not reported overdue.
fn is_overdue_since(resource: &Resource, since: Timestamp) -> bool {
    let awaited = resource.current_status().filter(|current| current.is_awaited);
    awaited.is_some_and(|current| current.since <= since) && !resource.is_overdue()
}

/// The envelope that reports `resource` overdue at `now`.
fn overdue_notice(resource: &Resource, limit: Duration, now: Timestamp) -> Result<Option<String>, PortError> {
    fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PortError {
        PortError::new("write an overdue notice", Disposition::DeadLetter, error)
    }
    let Some(notice) = NewFact::overdue(resource, limit) else {
        return Ok(None);
    };
    let (id, status) = (&notice.resource, notice.content.status().map_or("without a status", Status::as_str));
    info!(resource.id = %id, %status, "{id} has been {status} for longer than its limit; reporting it overdue");
    let envelope = notice_envelope(&notice, now).map_err(failed)?;
    envelope.map(|envelope| serde_json::to_string(&envelope)).transpose().map_err(failed)
}
