//! What stands in one status for too long: asked for where the provider can be asked, and published once when it has
//! nothing further to say.

use std::time::Duration;

use fundhook_domain::{Feed, Kind, NewFact, Provider, Resource, Timestamp};
use fundhook_ports::{Disposition, IndexEntry, OpenQuery, OpenResources, PortError, SendMessages, chain};
use fundhook_reconciliation::plan;
use tracing::{error, info, warn};

use crate::ambiguity::Decided;
use crate::handler::Run;
use crate::reading::statements_of;
use crate::{Ports, ReconcileError, Reconciler};

/// For how long the provider is asked again about a deposit that was reported overdue. An abandoned one has no end.
const ASKED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// For how long a resource that is overdue waits for a provider that cannot be asked for it, before it is reported all the same.
const ASKED_IN_VAIN: Duration = Duration::from_secs(86_400);

/// How many resources are looked at at a time.
const AT_A_TIME: u16 = 100;

/// How many of an organization's deposits it is asked for again in a run: about one in 45 s of the 15 minutes between two.
const AGAIN_MAX: usize = 20;

/// How many sentences about them are remembered, so that a person is told once: 64 KB of the 400 KB of an item.
const TOLD_MAX: usize = 256;

/// How many pages of the index a run reads to find as many: what is another organization's is on them too.
const AGAIN_PAGES_MAX: usize = 10;

/// What the provider has to say about a resource.
enum Heard {
    /// Something further, which is on the ingress queue by now.
    News,
    /// Nothing further, or it cannot be asked.
    Nothing,
    /// It could not be asked now.
    NoAnswer,
}

impl<P: Ports> Reconciler<P> {
    /// Reports each resource of `kinds` once that stands where it does for longer than its kind's limit, unless the provider, asked for
    /// it, has something further to say. The failure of one kind does not keep the others from being looked at; the first is
    /// returned.
    pub(crate) async fn report_overdue(&self, kinds: &[Kind], run: &mut Run) -> Result<(), ReconcileError> {
        let mut outcome = Ok(());
        for &kind in kinds {
            if let Some(limit) = self.settings.overdue.of(kind) {
                let reported = self.report_overdue_of(kind, limit, run).await;
                let told =
                    |failed: &ReconcileError| error!(%kind, error = chain(failed), "not looked at for overdue ones");
                outcome = outcome.and(reported.inspect_err(told));
            }
        }
        outcome
    }

    async fn report_overdue_of(&self, kind: Kind, limit: Duration, run: &mut Run) -> Result<(), ReconcileError> {
        let since = (self.clock)().minus(limit);
        // What stands so for the limit, to the instant, is overdue.
        let before = since.plus(Duration::from_nanos(1));
        let mut after = None;
        while !self.is_out_of_time(run) {
            let after_page = after.as_deref();
            let query = OpenQuery { kind, overdue: false, from: None, before, after: after_page, limit: AT_A_TIME };
            let page = self.store.open(query).await?;
            let mut notices = Vec::new();
            // What the index still holds, and has moved on since, is passed over: it lags behind the table.
            after = page.entries.last().map(|entry| entry.cursor.clone()).filter(|_| !page.is_last);
            let open = self.read(page.entries.into_iter().map(|entry| entry.resource).collect()).await?;
            for resource in open.iter().filter(|resource| stands_too_long(resource, since)) {
                if self.is_out_of_time(run) {
                    break;
                }
                let in_vain = stands_too_long(resource, since.minus(ASKED_IN_VAIN));
                match self.ask_for(resource, &mut Vec::new(), run).await? {
                    Heard::Nothing => notices.extend(notice(resource, limit)?),
                    Heard::NoAnswer if in_vain => notices.extend(notice(resource, limit)?),
                    Heard::News | Heard::NoAnswer => {}
                }
            }
            run.summary.overdue += notices.len() as u64;
            if !notices.is_empty() {
                let sent: Result<Vec<()>, PortError> = self.transfers.send_all(notices).await.into_iter().collect();
                sent?;
            }
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Asks for some of the feed's deposits that were reported overdue before, each in its turn: what the provider says of one
    /// days later may lie behind the watermark.
    pub(crate) async fn ask_again_about_overdue(&self, feed: &Feed, run: &mut Run) -> Result<(), ReconcileError> {
        let mut watermark = self.watermark(feed).await?;
        let begun = watermark.clone();
        let before = (self.clock)();
        let from = Some(before.minus(ASKED_FOR));
        let mut asked = 0;
        'pages: for _ in 0..AGAIN_PAGES_MAX {
            let (kind, after) = (Kind::Deposit, watermark.overdue_after.as_deref());
            let query = OpenQuery { kind, overdue: true, from, before, after, limit: AT_A_TIME };
            let page = self.store.open(query).await?;
            let is_theirs = |entry: &&IndexEntry| entry.resource.feed().tenant() == feed.tenant();
            let theirs = page.entries.iter().filter(is_theirs).map(|entry| entry.resource.clone());
            let recorded = self.read(theirs.collect()).await?;
            for IndexEntry { resource, cursor } in page.entries {
                if let Some(resource) = recorded.iter().find(|known| *known.id() == resource) {
                    if asked >= AGAIN_MAX || self.is_out_of_time(run) {
                        break 'pages;
                    }
                    asked += 1;
                    self.ask_for(resource, &mut watermark.told, run).await?;
                }
                watermark.overdue_after = Some(cursor);
            }
            if page.is_last {
                watermark.overdue_after = None;
                break;
            }
        }
        let forgotten = watermark.told.len().saturating_sub(TOLD_MAX);
        watermark.told.drain(..forgotten);
        if watermark == begun { Ok(()) } else { self.advance(feed, &mut watermark).await }
    }

    /// Asks the provider for `resource` where that can be done: a deposit, by its id, of an organization that has credentials.
    /// What is left to a person is told, unless it is among what was `told` before; it is from then on.
    async fn ask_for(
        &self,
        resource: &Resource,
        told: &mut Vec<String>,
        run: &mut Run,
    ) -> Result<Heard, ReconcileError> {
        let id = resource.id();
        let asked = id.feed().of(Provider::Connect);
        let is_listed = match id.feed().provider() {
            Provider::Connect | Provider::Zerohash => id.kind() == Kind::Deposit,
            Provider::Striga => false,
        };
        if !is_listed {
            return Ok(Heard::Nothing);
        }
        match &run.feeds {
            // It may well be one of those that can be asked.
            None => return Ok(Heard::NoAnswer),
            Some(feeds) if !feeds.contains(&asked) => return Ok(Heard::Nothing),
            Some(_) => {}
        }
        if run.silent.contains(&asked) {
            return Ok(Heard::NoAnswer);
        }
        let rows = match self.rows_about(&asked, id, run).await {
            Ok(rows) => rows,
            Err(failed) => {
                warn!(resource.id = %id, error = chain(&failed), "the provider could not be asked for what is overdue");
                run.passed_over.get_or_insert(failed);
                return Ok(Heard::NoAnswer);
            }
        };
        let theirs = statements_of(&rows);
        let recorded = std::slice::from_ref(resource);
        let Decided { mut discrepancies, all } =
            self.check_ambiguity(&asked, plan(recorded, &theirs), recorded, run).await?;
        discrepancies.retain(|it| it.to_queue().is_some() || !told.contains(&it.to_string()));
        let left = discrepancies.iter().filter(|discrepancy| discrepancy.to_queue().is_none());
        told.extend(left.map(ToString::to_string));
        let has_news = discrepancies.iter().any(|discrepancy| discrepancy.to_queue().is_some());
        self.queue_missed(&asked, &rows, discrepancies, run).await?;
        Ok(match (has_news, all) {
            (true, _) => Heard::News,
            (false, true) => Heard::Nothing,
            (false, false) => Heard::NoAnswer,
        })
    }
}

fn stands_too_long(resource: &Resource, since: Timestamp) -> bool {
    let current_status = resource.current_status().filter(|current_status| current_status.status.is_awaited());
    current_status.is_some_and(|current_status| current_status.since <= since) && !resource.is_overdue()
}

/// The message that reports `resource`.
fn notice(resource: &Resource, limit: Duration) -> Result<Option<String>, PortError> {
    let Some(notice) = NewFact::overdue(resource, limit) else {
        return Ok(None);
    };
    info!(resource.id = %notice.resource, status = %notice.content.status(), "a further statement is overdue");
    let message = notice.to_message();
    message.map(Some).map_err(|error| PortError::new("write a notice", Disposition::DeadLetter, error))
}
