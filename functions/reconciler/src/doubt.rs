//! Doubting what is missing: nothing is queued that might have a coin credited twice.

use fundhook_domain::port::{AccessTokens, ListQuery, ListTransactions, RequestToken, Resources, SendMessages};
use fundhook_domain::{
    DepositStatus, Discrepancy, Feed, Kind, Provider, Resource, ResourceId, Signal, Status, Timestamp, coin_of,
    is_of_the_coin, is_told_by_its_coin, may_be_the_same, names_its_coin,
};

use crate::handler::Run;
use crate::reading::Row;
use crate::{Books, NotReconciled, Reconciler};

/// How many deposits that are alike the provider is asked for on behalf of one row; one of which there are more is doubted.
const ALIKE_MAX: usize = 5;

/// Discrepancies, each taken for what it is.
pub(crate) struct Decided {
    pub(crate) discrepancies: Vec<Discrepancy>,
    /// Whether these are all of them, and the run's time did not end before the rest.
    pub(crate) all: bool,
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
    /// Takes for ambiguous what would be credited by a row and might be credited already, under another id or by another feed.
    pub(crate) async fn doubt(
        &self,
        feed: &Feed,
        discrepancies: Vec<Discrepancy>,
        recorded: &[Resource],
        run: &mut Run,
    ) -> Result<Decided, NotReconciled> {
        let mut decided = Vec::with_capacity(discrepancies.len());
        for discrepancy in discrepancies {
            decided.push(match discrepancy {
                Discrepancy::Missing { theirs } if credits(&theirs) => {
                    match self.reason_to_doubt(feed, &theirs, run).await {
                        Ok(Some(resembles)) => Discrepancy::Ambiguous { theirs, resembles },
                        Ok(None) => Discrepancy::Missing { theirs },
                        Err(NotReconciled::OutOfTime) => return Ok(Decided { discrepancies: decided, all: false }),
                        Err(failed) => return Err(failed),
                    }
                }
                Discrepancy::Behind { ours, theirs } if credits(&theirs) => {
                    let known = recorded.iter().find(|resource| *resource.id() == ours);
                    let is_told = names_its_coin(&theirs) || known.is_some_and(is_told_by_its_coin);
                    if self.is_told_twice(feed) && !is_told {
                        Discrepancy::Ambiguous { theirs, resembles: None }
                    } else {
                        Discrepancy::Behind { ours, theirs }
                    }
                }
                Discrepancy::Missing { .. }
                | Discrepancy::Behind { .. }
                | Discrepancy::Differs { .. }
                | Discrepancy::Ambiguous { .. }
                | Discrepancy::UnknownToTheProvider { .. } => discrepancy,
            });
        }
        Ok(Decided { discrepancies: decided, all: true })
    }

    /// What a confirmed deposit that is recorded under no id of its own may be; or `Some(None)`, that nothing would tell it by.
    async fn reason_to_doubt(
        &self,
        feed: &Feed,
        row: &Signal,
        run: &mut Run,
    ) -> Result<Option<Option<ResourceId>>, NotReconciled> {
        if self.is_told_twice(feed) && !names_its_coin(row) {
            return Ok(Some(None));
        }
        // The feed tells of the coin under another id: two deposits in one transaction, if the provider lists the other one too.
        let coins: Vec<String> = coin_of(row).into_iter().collect();
        let claims = if coins.is_empty() { Vec::new() } else { self.books.claims(&coins).await? };
        for owner in claims.into_iter().filter(|taken| is_of_the_coin(row, taken)).map(|taken| taken.owner) {
            let is_other = owner.feed() == row.resource.feed() && owner != row.resource;
            if is_other && !self.is_listed(feed, &owner, run).await? {
                return Ok(Some(Some(owner)));
            }
        }
        let Some(account) = row.details.account() else {
            return Ok(None);
        };
        let about = self.books.of_account(account).await?;
        let deposits = about.into_iter().filter(|id| id.kind() == Kind::Deposit).collect();
        let recorded = self.read(deposits).await?;
        let mut alike = recorded.iter().filter(|recorded| may_be_the_same(recorded, row));
        for recorded in alike.by_ref().take(ALIKE_MAX) {
            // One that the provider lists under its own id is another deposit.
            if !self.is_listed(feed, recorded.id(), run).await? {
                return Ok(Some(Some(recorded.id().clone())));
            }
        }
        Ok(alike.next().map(|recorded| Some(recorded.id().clone())))
    }

    /// Whether the organization has two feeds: it is told of each coin twice, and only the transaction's hash shows that it is
    /// one.
    fn is_told_twice(&self, feed: &Feed) -> bool {
        self.settings.zerohash_feeds.contains(&feed.of(Provider::Zerohash))
    }

    /// Whether the provider lists the deposit under its id. It is asked once in a run.
    async fn is_listed(&self, feed: &Feed, id: &ResourceId, run: &mut Run) -> Result<bool, NotReconciled> {
        if let Some(known) = run.listed.get(id) {
            return Ok(*known);
        }
        if self.is_out_of_time(run) {
            return Err(NotReconciled::OutOfTime);
        }
        let page = self.list(feed, &ListQuery::Id(id.native().to_owned()), run).await?;
        let is_it = |listed: &Row| listed.signal.resource.native() == id.native();
        let is_listed = self.rows(feed, page).iter().any(is_it);
        run.listed.insert(id.clone(), is_listed);
        Ok(is_listed)
    }
}

/// Whether the row would have a deposit credited.
fn credits(row: &Signal) -> bool {
    row.status == Status::Deposit(DepositStatus::Confirmed)
}
