//! Recoveries: a webhook about unexpected money states something about its recovery too.

use std::collections::BTreeSet;

use fundhook_domain::{
    DecimalValue, DepositStatus, Details, PaymentStep, RecoveryDetails, RecoveryKey, RecoveryStatus, ReturnPayment,
    Status, TransferDetails, UnexpectedDeposit, WithdrawalStatus,
};

use crate::IdKey;
use crate::draft::Draft;

/// The statement `draft` about a deposit or a returning payment, and the statement about its recovery if `draft` states
/// what identifies the recovery: the user, the asset, the amount, and for a deposit its transaction.
///
/// The user is `participant`, or otherwise the one in `draft`. Connect reports an unexpected deposit without a user
/// (`reference_id` is empty) when it does not know the user. Then the deposit has no recovery until zerohash reports it
/// with a participant.
pub(crate) fn with_recovery(mut draft: Draft, participant: Option<&str>, ids: &IdKey) -> Vec<Draft> {
    let Some(recovery) = recovery_of(&draft, participant, ids) else {
        return vec![draft];
    };
    if let Details::Transfer(transfer) = &mut draft.details {
        transfer.related.insert(recovery.resource.clone());
    }
    vec![draft, recovery]
}

fn recovery_of(draft: &Draft, participant: Option<&str>, ids: &IdKey) -> Option<Draft> {
    let Details::Transfer(transfer) = &draft.details else {
        return None;
    };
    let TransferDetails { account, asset, network, quantity, transaction, family, names, created_at, .. } = &**transfer;
    let key = RecoveryKey::new(participant.or(account.as_deref())?, asset.as_deref()?, network.as_ref())?;
    let resource = RecoveryKey::resource(draft.resource.feed(), &ids.name(&key.parts())).ok()?;
    let (id, network) = (draft.resource.clone(), network.clone());
    let (status, details) = match draft.status {
        Some(Status::Deposit(DepositStatus::Unexpected)) => {
            let deposit = UnexpectedDeposit {
                value: quantity.as_ref()?.in_major().filter(DecimalValue::is_positive)?,
                transaction: transaction.hash.clone()?,
                network,
                family: (*family)?,
                occurred_at: draft.occurred_at,
            };
            (RecoveryStatus::Required, RecoveryDetails::of_deposit(key, id, deposit))
        }
        Some(Status::Withdrawal(withdrawal)) => {
            let status = match withdrawal {
                WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => {
                    RecoveryStatus::InProgress
                }
                WithdrawalStatus::Confirmed => RecoveryStatus::Resolved,
                WithdrawalStatus::Failed | WithdrawalStatus::Abandoned | WithdrawalStatus::Returned => {
                    RecoveryStatus::Required
                }
            };
            let step = PaymentStep {
                status: withdrawal,
                occurred_at: draft.occurred_at,
                created_at: *created_at,
                outflow: transfer.outflow(),
            };
            let also_named = names.iter().filter(|name| **name != id).cloned().collect();
            let payment = ReturnPayment { also_named, network, steps: BTreeSet::from([step]) };
            (status, RecoveryDetails::of_payment(key, id, payment))
        }
        Some(
            Status::Deposit(_)
            | Status::Fee(_)
            | Status::Exchange(_)
            | Status::Recovery(_)
            | Status::Participant(_)
            | Status::ExternalAccount(_)
            | Status::Balance
            | Status::Unrecognized,
        )
        | None => return None,
    };
    Some(Draft {
        resource,
        event_type: draft.event_type.clone(),
        status: Some(Status::Recovery(status)),
        occurred_at: draft.occurred_at,
        details: Details::Recovery(Box::new(details)),
    })
}
