//! Recoveries: a webhook about unexpected money states something about its recovery too.

use fundhook_domain::{
    DepositStatus, Details, Kind, Provider, RecoveryDetails, RecoveryKey, RecoveryStatus, ResourceId, ReturnPayment,
    Status, TransferDetails, UnexpectedDeposit, WithdrawalStatus,
};

use crate::IdKey;
use crate::draft::Draft;

/// The statement `draft` about a deposit or a returning payment, and the statement about its recovery if `draft` states
/// what identifies the recovery: the user, the asset, the amount, and for a deposit its transaction.
///
/// Connect reports an unexpected deposit without a user (`reference_id` is empty) when it does not know the user. Then
/// the deposit has no recovery until zerohash reports it with a participant.
pub(crate) fn with_recovery(mut draft: Draft, ids: &IdKey) -> Vec<Draft> {
    let Some(recovery) = recovery_of(&draft, ids) else {
        return vec![draft];
    };
    if let Details::Transfer(transfer) = &mut draft.details {
        transfer.related.insert(recovery.resource.clone());
    }
    vec![draft, recovery]
}

fn recovery_of(draft: &Draft, ids: &IdKey) -> Option<Draft> {
    let Details::Transfer(transfer) = &draft.details else {
        return None;
    };
    let TransferDetails { account, asset, network, quantity, total, transaction, family, names, .. } = &**transfer;
    let key = RecoveryKey { account: account.clone()?, asset: asset.clone()?, network: network.clone() };
    // A recovery is always zerohash's, although Connect's webhooks report deposits to return too.
    let feed = draft.resource.feed().of(Provider::Zerohash);
    let resource =
        ResourceId::new(Kind::Recovery, feed, &ids.name(&key.parts().each_ref().map(String::as_str))).ok()?;
    let (status, details) = match draft.status {
        Some(Status::Deposit(DepositStatus::Unexpected)) => {
            let deposit = UnexpectedDeposit {
                value: quantity.as_ref()?.in_major()?,
                transaction: transaction.hash.clone()?,
                family: (*family)?,
                occurred_at: draft.occurred_at,
            };
            let id = draft.resource.clone();
            (RecoveryStatus::Required, RecoveryDetails::of_deposit(key, id, deposit))
        }
        Some(Status::Withdrawal(withdrawal)) => {
            // What leaves the account is returned; the network's fee is part of it.
            let value = total.as_ref().or(quantity.as_ref()).and_then(|quantity| quantity.in_major());
            let status = match withdrawal {
                WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => {
                    RecoveryStatus::InProgress
                }
                WithdrawalStatus::Confirmed => RecoveryStatus::Resolved,
                WithdrawalStatus::Failed | WithdrawalStatus::Abandoned | WithdrawalStatus::Returned => {
                    RecoveryStatus::Required
                }
            };
            let id = draft.resource.clone();
            let also_named = names.iter().filter(|name| **name != id).cloned().collect();
            let payment = ReturnPayment { also_named, status: withdrawal, value };
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
