//! Answers the questions of `fundhook_reconciliation::next`, so that nothing is queued that may credit a coin twice.

use fundhook_domain::{Kind, ListId, Resource, ResourceId, Statement};
use fundhook_ports::{AccountResources, chain};
use fundhook_reconciliation::{AmbiguityStep, ConfirmedRow, Discrepancy, KnownAboutRow, Question, Verdict, next};
use tracing::warn;

use crate::provider::Listing;
use crate::run::Phase;
use crate::{Ports, ReconcileError, Reconciler};

/// Discrepancies after the check for ambiguity.
pub(crate) struct Checked {
    pub(crate) discrepancies: Vec<Discrepancy>,
    pub(crate) end: CheckEnd,
}

/// How a check for ambiguity ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckEnd {
    /// All discrepancies were checked.
    AllChecked,
    /// The phase's time ended; the rest is left out.
    OutOfTime,
}

impl<P: Ports> Reconciler<P> {
    /// Turns each discrepancy into an ambiguous one if its row would credit a coin that may already be credited, under
    /// another id or by another feed.
    pub(crate) async fn check_ambiguity(
        &self,
        list: &ListId,
        discrepancies: Vec<Discrepancy>,
        recorded: &[Resource],
        phase: &mut Phase<'_>,
    ) -> Result<Checked, ReconcileError> {
        let mut checked = Vec::with_capacity(discrepancies.len());
        for discrepancy in discrepancies {
            let Some(row) = discrepancy.would_credit() else {
                checked.push(discrepancy);
                continue;
            };
            let recorded = recorded.iter().find(|resource| resource.id() == discrepancy.resource());
            checked.push(match self.ambiguity_of(list, row, recorded, phase).await {
                Ok(Verdict::Ambiguous(reason)) => Discrepancy::Ambiguous { theirs: row.clone(), reason },
                Ok(Verdict::Queue) => discrepancy,
                Err(ReconcileError::OutOfTime) => {
                    return Ok(Checked { discrepancies: checked, end: CheckEnd::OutOfTime });
                }
                Err(failed) => return Err(failed),
            });
        }
        Ok(Checked { discrepancies: checked, end: CheckEnd::AllChecked })
    }

    async fn ambiguity_of(
        &self,
        list: &ListId,
        statement: &Statement,
        recorded: Option<&Resource>,
        phase: &mut Phase<'_>,
    ) -> Result<Verdict, ReconcileError> {
        let row = ConfirmedRow { statement, recorded, feeds: self.organization_feeds(list) };
        let mut known = KnownAboutRow::default();
        loop {
            match next(row, &known) {
                AmbiguityStep::Verdict(verdict) => return Ok(verdict),
                AmbiguityStep::Ask(Question::ClaimsOn(key)) => known.add_claims(self.claims([key].into()).await?),
                AmbiguityStep::Ask(Question::IsListed(id)) => {
                    let is_listed = self.is_listed(list, &id, phase).await?;
                    known.add_listed(id, is_listed);
                }
                AmbiguityStep::Ask(Question::DepositsOf { account, since }) => {
                    let ids = self.store.of_account(&account, since).await?;
                    let is_of_organization =
                        |id: &ResourceId| id.kind() == Kind::Deposit && id.feed().tenant() == list.feed().tenant();
                    known.add_account_deposits(self.read(ids.into_iter().filter(is_of_organization).collect()).await?);
                }
            }
        }
    }

    /// Whether a provider lists the deposit under its id, in the list that contains such deposits; it is asked once in a run.
    /// A deposit that no readable list contains counts as not listed. So does one that the provider cannot answer about: the
    /// row of `list` that depends on it is ambiguous, and a later run asks again.
    async fn is_listed(&self, list: &ListId, id: &ResourceId, phase: &mut Phase<'_>) -> Result<bool, ReconcileError> {
        if let Some(known) = phase.run.listed.get(id) {
            return Ok(*known);
        }
        if phase.is_out_of_time(self.now()) {
            return Err(ReconcileError::OutOfTime);
        }
        let recorded = self.read([id.clone()].into()).await?;
        let asked = match self.listing_of(id, recorded.first(), phase.run) {
            Listing::In(asked) => asked,
            Listing::Nowhere | Listing::Unknown => return Ok(false),
        };
        let is_listed = match self.rows_about(&asked, id, recorded.first(), phase.run).await {
            Ok(rows) => !rows.is_empty(),
            Err(failed) if asked == *list && phase.run.outages.is_down(list) => return Err(failed),
            Err(failed) => {
                warn!(
                    resource.id = %id, error = chain(&failed),
                    "the provider did not answer whether it lists {id}; a row that may be the same deposit is not queued"
                );
                false
            }
        };
        phase.run.listed.insert(id.clone(), is_listed);
        Ok(is_listed)
    }
}
