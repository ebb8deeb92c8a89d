//! The second thing that a webhook about unexpected money says: something about its recovery.

use fundhook_domain::{
    DepositStatus, Details, RecoveryDetails, RecoveryStatus, ReturnPayment, Status, TransferDetails, UnexpectedDeposit,
    WithdrawalStatus,
};

use crate::normalise::Draft;

/// A statement about a deposit or a payment back, and what it says about the recovery when all that a recovery is known
/// by is stated: the user, the asset, the amount, and of a deposit its transaction.
///
/// Connect announces an unexpected deposit without a user (`reference_id` is empty) when it cannot tell whose it is;
/// then the deposit stands alone, until zerohash announces it with a participant.
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
    let TransferDetails { account, asset, network, quantity, total, transaction, stream, .. } = &**transfer;
    let (account, asset, network) = (account.clone()?, asset.clone()?, network.clone());
    let feed = draft.resource.feed();
    let resource = RecoveryDetails::resource(feed, &account, &asset, network.as_ref()).ok()?;
    let (status, details) = match draft.status {
        Status::Deposit(DepositStatus::Unexpected) => {
            let deposit = UnexpectedDeposit {
                value: quantity.as_ref()?.in_major()?,
                transaction: transaction.hash.clone()?,
                stream: stream.clone()?,
                occurred_at: draft.occurred_at,
            };
            let id = draft.resource.clone();
            (RecoveryStatus::Required, RecoveryDetails::of_deposit(account, asset, network, id, deposit))
        }
        Status::Withdrawal(withdrawal) => {
            // What leaves the account is what goes back; the network's fee is part of it.
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
            (status, RecoveryDetails::of_payment(account, asset, network, id, payment))
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
