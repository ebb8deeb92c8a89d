//! Reading what is recorded.

use std::collections::BTreeSet;

use fundhook_domain::{Claim, ClaimKey, ListId, Resource, ResourceId, Statement};
use fundhook_ports::{Claims, Disposition, PortError, Resources, chain};
use fundhook_reconciliation::{ClosedWindow, claim_of};
use tracing::error;

use crate::listed_row::{ListedRow, possible_ids, statements_of};
use crate::{Ports, Reconciler};

impl<P: Ports> Reconciler<P> {
    /// Keeps the rows that count in `window`, and reads what is recorded for them.
    pub(crate) async fn keep_rows_of(
        &self,
        list: &ListId,
        window: ClosedWindow,
        rows: &mut Vec<ListedRow>,
    ) -> Result<Vec<Resource>, PortError> {
        rows.retain(|row| row.may_be_in(window));
        let recorded = self.recorded_for(&statements_of(rows)).await?;
        if !list.kind().is_dated() {
            rows.retain(|row| row.is_news_in(window, &recorded));
        }
        Ok(recorded)
    }

    /// What is recorded of the deposits that the rows are about: by their ids, in both feeds; for ids that neither feed
    /// knows, by their coins; and the deposits that own the coin of a duplicate, or book it.
    pub(crate) async fn recorded_for(&self, theirs: &[Statement]) -> Result<Vec<Resource>, PortError> {
        let ids: BTreeSet<ResourceId> = theirs.iter().flat_map(possible_ids).collect();
        let mut recorded = self.read(ids).await?;
        let known: BTreeSet<&ResourceId> = recorded.iter().map(Resource::id).collect();
        let is_unknown = |row: &&Statement| !possible_ids(row).any(|id| known.contains(&id));
        let keys: BTreeSet<ClaimKey> = theirs.iter().filter(is_unknown).filter_map(claim_of).collect();
        let claims = self.claims(keys).await?;

        let views = recorded.iter().filter_map(Resource::view);
        let elsewhere = views.flat_map(|view| [view.duplicate_of.clone(), view.booked_by.clone()]).flatten();
        let owners = claims.iter().flat_map(Claim::owners).map(|entry| entry.resource.clone());
        let owners: BTreeSet<ResourceId> = elsewhere.chain(owners).collect();
        let owners = owners.into_iter().filter(|owner| !known.contains(owner)).collect();
        let owners = self.read(owners).await?;
        recorded.extend(owners);
        Ok(recorded)
    }

    /// The claims with these keys.
    pub(crate) async fn claims(&self, keys: BTreeSet<ClaimKey>) -> Result<Vec<Claim>, PortError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.store.claims(&Vec::from_iter(keys)).await
    }

    /// The recorded resources among `ids`. One that cannot be read does not prevent the others.
    pub(crate) async fn read(&self, ids: BTreeSet<ResourceId>) -> Result<Vec<Resource>, PortError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = Vec::from_iter(ids);
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
                    error!(
                        resource.id = %id, error = chain(&failed),
                        "{id} is stored in a form that cannot be read; it is left out of this reconciliation"
                    );
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(all)
    }
}
