//! Doubting what is missing: nothing is queued that might have a coin credited twice.

use fundhook_domain::{DepositStatus, Feed, Kind, Provider, Resource, ResourceId, Statement, Status};
use fundhook_ports::{AccountResources, Claims, chain};
use fundhook_reconciliation::{
    Discrepancy, SAME_WITHIN, coin_of, identifies_its_coin, is_identified_by_its_coin, is_of_the_coin, may_be_the_same,
};
use tracing::warn;

use crate::handler::{HOUR, Run};
use crate::{Ports, ReconcileError, Reconciler};

/// How many deposits that are alike the provider is asked for on behalf of one row; one of which there are more is doubted.
const ALIKE_MAX: usize = 5;

/// Discrepancies, each taken for what it is.
pub(crate) struct Decided {
    pub(crate) discrepancies: Vec<Discrepancy>,
    /// Whether these are all of them, and the run's time did not end before the rest.
    pub(crate) all: bool,
}

impl<P: Ports> Reconciler<P> {
    /// Takes for ambiguous what would be credited by a row and might be credited already, under another id or by another feed.
    pub(crate) async fn check_ambiguity(
        &self,
        feed: &Feed,
        discrepancies: Vec<Discrepancy>,
        recorded: &[Resource],
        run: &mut Run,
    ) -> Result<Decided, ReconcileError> {
        let mut decided = Vec::with_capacity(discrepancies.len());
        for discrepancy in discrepancies {
            decided.push(match discrepancy {
                Discrepancy::Missing { ref theirs } | Discrepancy::Behind { ref theirs, .. } if credits(theirs) => {
                    let is_it = |resource: &&Resource| resource.id() == discrepancy.resource();
                    let reason = match recorded.iter().find(is_it).filter(|known| !is_from_the_list_alone(known)) {
                        Some(told) => Ok(self.ambiguity_of_reported(feed, told, theirs)),
                        None => self.ambiguity_of_unreported(feed, theirs, run).await,
                    };
                    match reason {
                        Ok(Some(resembles)) => Discrepancy::Ambiguous { theirs: theirs.clone(), resembles },
                        Ok(None) => discrepancy,
                        Err(ReconcileError::OutOfTime) => return Ok(Decided { discrepancies: decided, all: false }),
                        Err(failed) => return Err(failed),
                    }
                }
                Discrepancy::Missing { .. }
                | Discrepancy::Behind { .. }
                | Discrepancy::Differs { .. }
                | Discrepancy::Ambiguous { .. }
                | Discrepancy::UnknownToTheProvider { .. }
                | Discrepancy::CreditedTwice { .. } => discrepancy,
            });
        }
        Ok(Decided { discrepancies: decided, all: true })
    }

    /// As [`Self::reason_to_doubt`], of a deposit that a webhook told of under this id.
    fn ambiguity_of_reported(&self, feed: &Feed, told: &Resource, row: &Statement) -> Option<Option<ResourceId>> {
        let is_told = identifies_its_coin(row) || is_identified_by_its_coin(told);
        (self.has_two_feeds(feed) && !is_told).then_some(None)
    }

    /// What a confirmed deposit that no webhook told of under its id may be; or `Some(None)`, that nothing would tell it by.
    async fn ambiguity_of_unreported(
        &self,
        feed: &Feed,
        row: &Statement,
        run: &mut Run,
    ) -> Result<Option<Option<ResourceId>>, ReconcileError> {
        if self.has_two_feeds(feed) && !identifies_its_coin(row) {
            return Ok(Some(None));
        }
        // The feed tells of the coin under another id: two deposits in one transaction, if the provider lists the other one too.
        let coins: Vec<String> = coin_of(row).into_iter().collect();
        let claims = if coins.is_empty() { Vec::new() } else { self.store.claims(&coins).await? };
        for owner in claims.into_iter().filter(|taken| is_of_the_coin(row, taken)).map(|taken| taken.owner) {
            let is_other = owner.feed() == row.resource.feed() && owner != row.resource;
            if is_other && !self.is_listed(feed, &owner, run).await? {
                return Ok(Some(Some(owner)));
            }
        }
        let Some(account) = row.content.details.account() else {
            return Ok(None);
        };
        // When it was written is our clock's time, and when it happened the provider's.
        let since = row.content.occurred_at.minus(SAME_WITHIN).minus(HOUR);
        let about = self.store.of_account(account, since).await?;
        let is_theirs = |id: &ResourceId| id.kind() == Kind::Deposit && id.feed().tenant() == feed.tenant();
        let recorded = self.read(about.into_iter().filter(is_theirs).collect()).await?;
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
    pub(crate) fn has_two_feeds(&self, feed: &Feed) -> bool {
        self.settings.zerohash_feeds.contains(&feed.of(Provider::Zerohash))
    }

    /// Whether the provider lists the deposit under its id. It is asked once in a run. What it cannot be brought to say of this
    /// one it is taken not to list, so that what hangs on it is doubted, and asked again by a later run.
    async fn is_listed(&self, feed: &Feed, id: &ResourceId, run: &mut Run) -> Result<bool, ReconcileError> {
        if let Some(known) = run.listed.get(id) {
            return Ok(*known);
        }
        if self.is_out_of_time(run) {
            return Err(ReconcileError::OutOfTime);
        }
        let is_listed = match self.rows_about(feed, id, run).await {
            Ok(rows) => !rows.is_empty(),
            Err(failed) if run.silent.contains(feed) => return Err(failed),
            Err(failed) => {
                warn!(resource.id = %id, error = chain(&failed), "the provider does not say whether it lists a deposit");
                false
            }
        };
        run.listed.insert(id.clone(), is_listed);
        Ok(is_listed)
    }
}

/// Whether no webhook told of it: the provider's list names it by an id that may not be the one that its webhooks do.
fn is_from_the_list_alone(resource: &Resource) -> bool {
    resource.facts().iter().all(|fact| fact.content.evidence().is_from_api())
}

/// Whether the row would have a deposit credited.
fn credits(row: &Statement) -> bool {
    row.content.status == Status::Deposit(DepositStatus::Confirmed)
}
