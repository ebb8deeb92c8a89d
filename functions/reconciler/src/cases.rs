//! What a person decides about a resource that needs review: which verdicts follow, and sending them as one envelope.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fundhook_domain::{DepositStatus, FactId, Kind, Resource, ResourceId, Status, Verdict, View};
use fundhook_ports::{Disposition, PortError, SendMessages};
use fundhook_providers::{DecisionRecord, ResourceVerdict};
use fundhook_reconciliation::DecidedCase;
use tracing::info;

use crate::{Ports, ReconcileError, Reconciler};

/// A decision that an operator requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecideCase {
    /// The resource.
    pub resource: ResourceId,
    /// What is decided.
    pub choice: Choice,
    /// Who decides.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What an operator may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The deposit is credited as it states; what it conflicts with is not.
    Accept,
    /// The deposit is not credited.
    Reject,
    /// The conflict or the surplus is over, and the status that the resource shows stands.
    Resolve,
}

/// Why nothing can be decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDecidable {
    /// Nothing is recorded under this id.
    #[error("nothing is recorded under {0}")]
    Unknown(ResourceId),
    /// The resource is not a deposit.
    #[error(
        "{0} is not a deposit: only a deposit can be accepted or rejected; resolve ends a conflict among the statements of any resource"
    )]
    NoDeposit(ResourceId),
    /// No statement says what may be credited.
    #[error(
        "no credit can be stated for {0}: the provider has not confirmed it, or a setting must decide first; its hold says why"
    )]
    NoCredit(ResourceId),
    /// There is nothing to decide.
    #[error("{0} has no conflict and no surplus: nothing is to be resolved")]
    NoConflict(ResourceId),
    /// The deposit is a duplicate.
    #[error(
        "{} is a duplicate of {}, which is credited: to accept both would credit the coin twice. Decide about {}", .0[0], .0[1], .0[1]
    )]
    Duplicate(Box<[ResourceId; 2]>),
    /// The conflict is with other deposits.
    #[error(
        "{} conflicts with {}: accept the deposit that is right. To resolve only one side would leave the other one open", .0[0], .0[1]
    )]
    ConflictOfSeveral(Box<[ResourceId; 2]>),
    /// Several other deposits credit the coin, each differently.
    #[error("{0} conflicts with several deposits that credit its coin: accept the one that is right")]
    SeveralOthers(ResourceId),
    /// The deposit is neither credited nor held.
    #[error("{0} is neither credited, held nor to be returned: there is nothing to reject")]
    NothingToReject(ResourceId),
}

impl<P: Ports> Reconciler<P> {
    /// Records what an operator decided: a decision for the resource, and for those that it concerns.
    pub(crate) async fn decide(&self, case: DecideCase) -> Result<DecidedCase, ReconcileError> {
        let DecideCase { resource: id, choice, by, reason } = case;
        let read = self.read([id.clone()].into()).await?;
        let resource = read.into_iter().next().ok_or_else(|| NotDecidable::Unknown(id.clone()))?;
        let view = resource.view().ok_or_else(|| NotDecidable::Unknown(id.clone()))?;
        let conflicting = view.conflict.as_ref().map(|conflict| conflict.with.clone()).unwrap_or_default();
        let others = self.read(conflicting).await?;
        let owner = self.read(view.duplicate_of.iter().cloned().collect()).await?.into_iter().next();
        let case = Case { resource: &resource, view: &view, others: &others, owner: owner.as_ref() };
        let verdicts = case.verdicts(choice)?;
        let decided: BTreeMap<ResourceId, Verdict> =
            verdicts.iter().map(|verdict| (verdict.resource.clone(), verdict.verdict.clone())).collect();
        let record = DecisionRecord { by: by.clone(), reason, decided_at: self.now(), verdicts };
        self.send(&record, &resource).await?;
        info!(resource.id = %id, by, "{by} decided about {id}; the decision is queued for {} resources", decided.len());
        Ok(DecidedCase { decided })
    }

    async fn send(&self, record: &DecisionRecord, resource: &Resource) -> Result<(), PortError> {
        let failed = |error| PortError::new("write the envelope of a decision", Disposition::DeadLetter, error);
        let envelope = record.envelope(resource.id().feed()).and_then(|envelope| serde_json::to_string(&envelope));
        let sent = self.ingress.send_all(vec![envelope.map_err(failed)?.into()]).await;
        sent.into_iter().collect()
    }
}

/// What a person decides about.
struct Case<'a> {
    resource: &'a Resource,
    view: &'a View,
    /// The resources that it conflicts with.
    others: &'a [Resource],
    /// The deposit that it is a duplicate of.
    owner: Option<&'a Resource>,
}

impl Case<'_> {
    /// What is decided about the resource and about others.
    fn verdicts(&self, choice: Choice) -> Result<Vec<ResourceVerdict>, NotDecidable> {
        let id = self.resource.id();
        if choice != Choice::Resolve && id.kind() != Kind::Deposit {
            return Err(NotDecidable::NoDeposit(id.clone()));
        }
        let own = match choice {
            Choice::Accept => self.accepted()?,
            Choice::Reject => self.rejected()?,
            Choice::Resolve => self.resolved()?,
        };
        let owner = self.owner.filter(|owner| shares_a_coin(self.resource, owner));
        let of_others = self.others.iter().chain(owner).filter(|_| choice == Choice::Accept);
        let of_others = of_others.map(|other| (other, Verdict::RejectedInFavourOf(id.clone())));
        let all = [(self.resource, own)].into_iter().chain(of_others);
        Ok(all
            .map(|(resource, verdict)| ResourceVerdict {
                resource: resource.id().clone(),
                verdict,
                settles: known(resource),
            })
            .collect())
    }

    /// A deposit is accepted if a credit can be stated and no other deposit is credited in its place, unless a person decided
    /// so before.
    fn accepted(&self) -> Result<Verdict, NotDecidable> {
        let id = self.resource.id();
        match self.owner {
            Some(owner) if may_be_credited(owner) && !self.was_rejected_in_favour_of(owner) => {
                Err(NotDecidable::Duplicate(Box::new([id.clone(), owner.id().clone()])))
            }
            _ if !self.resource.states_a_credit() => Err(NotDecidable::NoCredit(id.clone())),
            _ => Ok(Verdict::Accepted),
        }
    }

    fn was_rejected_in_favour_of(&self, owner: &Resource) -> bool {
        let verdict = self.view.decision.as_ref().map(|decision| &decision.verdict);
        verdict == Some(&Verdict::RejectedInFavourOf(owner.id().clone()))
    }

    /// A conflict is resolved if it is among the resource's own statements, and so is what a recovery returned too much.
    fn resolved(&self) -> Result<Verdict, NotDecidable> {
        let id = self.resource.id();
        if self.view.surplus.is_some() {
            return Ok(Verdict::Resolved);
        }
        let conflict = self.view.conflict.as_ref().ok_or_else(|| NotDecidable::NoConflict(id.clone()))?;
        match conflict.with.first() {
            Some(other) => Err(NotDecidable::ConflictOfSeveral(Box::new([id.clone(), other.clone()]))),
            None => Ok(Verdict::Resolved),
        }
    }

    /// How a deposit is rejected: in favour of the deposit that it may be, or of the only other one that credits its coin;
    /// otherwise its coin is not credited.
    fn rejected(&self) -> Result<Verdict, NotDecidable> {
        let id = self.resource.id();
        let status = |status| self.view.status == Some(Status::Deposit(status));
        let is_undecided = may_be_credited(self.resource)
            || (self.owner.is_none() && (status(DepositStatus::Unexpected) || status(DepositStatus::Held)));
        if !is_undecided {
            return Err(NotDecidable::NothingToReject(id.clone()));
        }
        let crediting = self.others.iter().filter(|other| may_be_credited(other));
        let crediting: Vec<&ResourceId> = crediting.map(Resource::id).collect();
        match (&self.view.resembles, crediting.as_slice()) {
            (Some(other), _) => Ok(Verdict::RejectedInFavourOf(other.clone())),
            (None, [only]) => Ok(Verdict::RejectedInFavourOf((*only).clone())),
            (None, []) => Ok(Verdict::Rejected),
            (None, [_, _, ..]) => Err(NotDecidable::SeveralOthers(id.clone())),
        }
    }
}

/// Whether a deposit is credited, or a person may still decide that it is: it states a credit, is not a duplicate and was not
/// rejected.
fn may_be_credited(deposit: &Resource) -> bool {
    let reversed = Some(Status::Deposit(DepositStatus::Reversed));
    let is_open = |view: Arc<View>| view.duplicate_of.is_none() && view.status != reversed;
    deposit.states_a_credit() && deposit.view().is_some_and(is_open)
}

/// Whether both report a coin of one transaction.
fn shares_a_coin(one: &Resource, other: &Resource) -> bool {
    let theirs = other.claim_entries();
    one.claim_entries().keys().any(|key| theirs.contains_key(key))
}

/// The facts that the operator knew.
fn known(resource: &Resource) -> BTreeSet<FactId> {
    resource.facts().iter().map(|fact| fact.content.id().clone()).collect()
}
