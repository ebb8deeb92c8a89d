//! Recoveries: a webhook about unexpected money states something about its recovery too.

use fundhook_domain::{
    DepositStatus, Details, RecoveryDetails, RecoveryKey, RecoveryStatus, ReturnPayment, Status, TransferDetails,
    UnexpectedDeposit, WithdrawalStatus,
};

use crate::draft::Draft;

/// The statement `draft` about a deposit or a returning payment, and the statement about its recovery if `draft` states
/// what identifies the recovery: the user, the asset, the amount, and for a deposit its transaction.
///
/// Connect reports an unexpected deposit without a user (`reference_id` is empty) when it does not know the user. Then
/// the deposit has no recovery until zerohash reports it with a participant.
pub(crate) fn with_recovery(mut draft: Draft) -> Vec<Draft> {
    let Some(recovery) = recovery_of(&draft) else {
        return vec![draft];
    };
    if let Details::Transfer(transfer) = &mut draft.details {
        transfer.related.insert(recovery.resource.clone());
    }
    vec![draft, recovery]
}

fn recovery_of(draft: &Draft) -> Option<Draft> {
    let Details::Transfer(transfer) = &draft.details else {
        return None;
    };
    let TransferDetails { account, asset, network, quantity, total, transaction, family, .. } = &**transfer;
    let key = RecoveryKey { account: account.clone()?, asset: asset.clone()?, network: network.clone() };
    let resource = key.resource(draft.resource.feed()).ok()?;
    let (status, details) = match draft.status {
        Status::Deposit(DepositStatus::Unexpected) => {
            let deposit = UnexpectedDeposit {
                value: quantity.as_ref()?.in_major()?,
                transaction: transaction.hash.clone()?,
                family: (*family)?,
                occurred_at: draft.occurred_at,
            };
            let id = draft.resource.clone();
            (RecoveryStatus::Required, RecoveryDetails::of_deposit(key, id, deposit))
        }
        Status::Withdrawal(withdrawal) => {
            // What leaves the account is returned; the network's fee is part of it.
            let value = total.as_ref().or(quantity.as_ref()).and_then(|quantity| quantity.in_major());
            let status = match withdrawal {
                WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => {
                    RecoveryStatus::InProgress
                }
                WithdrawalStatus::Confirmed => RecoveryStatus::Resolved,
                WithdrawalStatus::Failed | WithdrawalStatus::Abandoned => RecoveryStatus::Required,
            };
            let payment = ReturnPayment { status: withdrawal, value };
            let id = draft.resource.clone();
            (status, RecoveryDetails::of_payment(key, id, payment))
        }
        Status::Deposit(_)
        | Status::Fee(_)
        | Status::Recovery(_)
        | Status::Participant(_)
        | Status::ExternalAccount(_)
        | Status::Balance
        | Status::Unrecognized => return None,
    };
    Some(Draft {
        resource,
        event_type: draft.event_type.clone(),
        status: Status::Recovery(status),
        occurred_at: draft.occurred_at,
        details: Details::Recovery(Box::new(details)),
    })
}
