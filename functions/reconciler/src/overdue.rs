//! What stands in one status for too long: asked for where the provider can be asked, and published once when it has
//! nothing further to say.

use std::time::Duration;

use fundhook_domain::port::{
    AccessTokens, Disposition, ListQuery, ListTransactions, PortError, RequestToken, Resources, SendMessages, chain,
};
use fundhook_domain::{Feed, Kind, Provider, Resource, Signal, Timestamp, plan};
use tracing::{error, info, warn};

use crate::doubt::Decided;
use crate::handler::Run;
use crate::{Books, NotReconciled, Reconciler};

/// For how long the provider is asked again about a deposit that was reported overdue. An abandoned one has no end.
const ASKED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// The kinds of which further statements are awaited.
const AWAITED: [Kind; 3] = [Kind::Deposit, Kind::Withdrawal, Kind::Recovery];

/// How many of an organization's deposits it is asked for again in a run: about one in 45 s of the 15 minutes between two.
const AGAIN_MAX: usize = 20;

/// What the provider has to say about a resource.
enum Heard {
    /// Something further, which is on the ingress queue by now.
    News,
    /// Nothing further, or it cannot be asked.
    Nothing,
    /// It could not be asked now.
    NoAnswer,
}

impl<S, A, R, B, Q, C> Reconciler<S, A, R, B, Q, C>
where
    S: AccessTokens,
    A: RequestToken + ListTransactions,
    R: Resources,
    B: Books,
    Q: SendMessages,
    C: Fn() -> Timestamp,
{
    /// Reports each resource once that stands where it does for longer than its kind's limit, unless the provider, asked for
    /// it, has something further to say. The failure of one kind does not keep the others from being looked at; the first is
    /// returned.
    pub(crate) async fn report_overdue(&self, run: &mut Run) -> Result<(), NotReconciled> {
        let mut outcome = Ok(());
        for kind in AWAITED {
            if let Some(limit) = self.settings.overdue.of(kind) {
                let reported = self.report_overdue_of(kind, limit, run).await;
                let told =
                    |failed: &NotReconciled| error!(%kind, error = chain(failed), "not looked at for overdue ones");
                outcome = outcome.and(reported.inspect_err(told));
            }
        }
        outcome
    }

    async fn report_overdue_of(&self, kind: Kind, limit: Duration, run: &mut Run) -> Result<(), NotReconciled> {
        let before = (self.clock)().minus(limit);
        let mut after = None;
        while !self.is_out_of_time(run) {
            let page = self.books.open(kind, false, before, after.as_deref()).await?;
            let mut notices = Vec::new();
            // What the index still holds, and has moved on since, is passed over: it lags behind the table.
            let open = self.read(page.resources.into_iter().collect()).await?;
            for resource in open.iter().filter(|resource| stands_too_long(resource, before)) {
                if self.is_out_of_time(run) {
                    break;
                }
                match self.ask_for(resource, run).await? {
                    Heard::News | Heard::NoAnswer => {}
                    Heard::Nothing => notices.extend(notice(resource, limit)?),
                }
            }
            run.summary.overdue += notices.len() as u64;
            if !notices.is_empty() {
                let sent: Result<Vec<()>, PortError> = self.transfers.send_all(notices).await.into_iter().collect();
                sent?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Asks for some of the feed's deposits that were reported overdue before, others each time: what the provider says of one
    /// days later may lie behind the watermark.
    pub(crate) async fn look_again(&self, feed: &Feed, run: &mut Run) -> Result<(), NotReconciled> {
        let mut watermark = self.watermark(feed).await?;
        let now = (self.clock)();
        let page = self.books.open(Kind::Deposit, true, now, watermark.overdue_after.as_deref()).await?;
        let ids = page.resources.into_iter().filter(|id| id.feed().tenant() == feed.tenant());
        let since = now.minus(ASKED_FOR);
        let recent = |resource: &Resource| resource.standing().is_some_and(|standing| standing.since > since);
        let mut again = self.read(ids.collect()).await?;
        again.retain(recent);
        self.take_turns(&mut again);
        again.truncate(AGAIN_MAX);
        for resource in &again {
            // What there is no time for is come to when the page is the next one's again, which begins with another.
            if self.is_out_of_time(run) {
                break;
            }
            self.ask_for(resource, run).await?;
        }
        if watermark.overdue_after == page.next {
            return Ok(());
        }
        watermark.overdue_after = page.next;
        self.advance(feed, &mut watermark).await
    }

    /// Asks the provider for `resource` where that can be done: a deposit, by its id, of an organization that has credentials.
    async fn ask_for(&self, resource: &Resource, run: &mut Run) -> Result<Heard, NotReconciled> {
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
        let page = match self.list(&asked, &ListQuery::Id(id.native().to_owned()), run).await {
            Ok(page) => page,
            Err(failed) => {
                warn!(feed = %asked, error = chain(&failed), "the provider could not be asked for what is overdue");
                return Ok(Heard::NoAnswer);
            }
        };
        let mut rows = self.rows(&asked, page);
        // A provider that does not heed the id that it was asked by tells of others too.
        rows.retain(|row| row.signal.resource.native() == id.native());
        let theirs: Vec<Signal> = rows.iter().map(|row| row.signal.clone()).collect();
        let recorded = std::slice::from_ref(resource);
        // All of them: of a deposit that is recorded, nothing is asked to decide it.
        let Decided { discrepancies, .. } = self.doubt(&asked, plan(recorded, &theirs), recorded, run).await?;
        let has_news = discrepancies.iter().any(|discrepancy| discrepancy.heals().is_some());
        self.heal(&asked, &rows, discrepancies, run).await?;
        Ok(if has_news { Heard::News } else { Heard::Nothing })
    }
}

fn stands_too_long(resource: &Resource, before: Timestamp) -> bool {
    let standing = resource.standing().filter(|standing| standing.status.is_awaited());
    standing.is_some_and(|standing| standing.since <= before) && !resource.is_overdue()
}

/// The message that reports `resource`.
fn notice(resource: &Resource, limit: Duration) -> Result<Option<String>, PortError> {
    let Some(notice) = Signal::overdue(resource, limit) else {
        return Ok(None);
    };
    info!(resource.id = %notice.resource, status = %notice.status, "a further statement is overdue");
    let message = notice.to_message();
    message.map(Some).map_err(|error| PortError::new("write a notice", Disposition::DeadLetter, error))
}
