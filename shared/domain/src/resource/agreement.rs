//! Whether a resource and a claim are of one moment. They are written in one transaction, but a backup of the table may contain
//! a part of a transaction that was made shortly before it [aws-dynamodb-transactions].

use super::fact::Fact;
use super::state::Resource;
use crate::{Claim, CoinRelation, Fate, ResourceId};

impl Resource {
    /// Whether `claim` has what this resource says about its coins, and this resource has recorded what the claim says about
    /// it.
    pub fn agrees_with(&self, claim: &Claim) -> bool {
        self.is_entered_in(claim) && self.knows_its_owner_in(claim) && self.knows_what_it_was_told_by(claim)
    }

    fn is_entered_in(&self, claim: &Claim) -> bool {
        match (self.claim_entries().get(claim.key()), claim.entry_of(self.id())) {
            (Some(said), Some(entered)) => said == entered,
            (Some(_), None) => false,
            // What a deposit does not say any more is withdrawn.
            (None, Some(entered)) => entered.fate == Fate::Withdrawn,
            (None, None) => true,
        }
    }

    fn knows_its_owner_in(&self, claim: &Claim) -> bool {
        let told = self.coin_relations().filter_map(|relation| match relation {
            CoinRelation::DuplicateOf { claim: shown_by, owner } => (shown_by == claim.key()).then_some(owner.as_ref()),
            CoinRelation::Resembles { .. } | CoinRelation::AlsoReported(_) => None,
        });
        told.last().flatten() == claim.owner_of(self.id())
    }

    fn knows_what_it_was_told_by(&self, claim: &Claim) -> bool {
        let knows = |deposit: &ResourceId| {
            self.coin_relations().any(|relation| match relation {
                CoinRelation::AlsoReported(entry) => {
                    entry.resource == *deposit && entry.key().as_ref() == Some(claim.key())
                }
                CoinRelation::DuplicateOf { .. } | CoinRelation::Resembles { .. } => false,
            })
        };
        claim.told_to(self.id()).all(knows)
    }

    fn coin_relations(&self) -> impl Iterator<Item = &CoinRelation> {
        self.facts().iter().filter_map(Fact::relation).map(|relation| &relation.content)
    }
}
