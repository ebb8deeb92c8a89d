//! Connect's names for events and members [connect-guide §O5, §6, §W4].

use fundhook_domain::{DepositStatus, Kind, Status, WebhookFamily, WithdrawalStatus};

/// The status that an event reports [connect-guide §O5]. `on_hold` is missing from that list and present in the samples
/// of [connect-guide §6]. The provider writes `connect.deposits.*` in the plural and `connect.withdrawal.*` in the
/// singular.
pub(super) fn status_of(event: &str) -> Option<Status> {
    Some(match event {
        "connect.deposits.pending" => Status::Deposit(DepositStatus::Pending),
        "connect.deposits.submitted" => Status::Deposit(DepositStatus::Submitted),
        "connect.deposits.on_hold" => Status::Deposit(DepositStatus::Held),
        "connect.deposits.abandoned" => Status::Deposit(DepositStatus::Abandoned),
        "connect.deposits.confirmed" => Status::Deposit(DepositStatus::Confirmed),
        "connect.deposits.failed" => Status::Deposit(DepositStatus::Failed),
        "connect.deposits.unexpected" => Status::Deposit(DepositStatus::Unexpected),
        "connect.withdrawal.initiated" => Status::Withdrawal(WithdrawalStatus::Initiated),
        "connect.withdrawal.broadcasted" => Status::Withdrawal(WithdrawalStatus::Broadcast),
        "connect.withdrawal.confirmed" => Status::Withdrawal(WithdrawalStatus::Confirmed),
        "connect.withdrawal.failed" => Status::Withdrawal(WithdrawalStatus::Failed),
        _ => return None,
    })
}

/// The names of the member with the deposit or withdrawal. Every sample has `deposit`, even those of withdrawals;
/// `withdrawal` is accepted in case the provider corrects that.
pub(super) const OBJECT_MEMBERS: [&str; 2] = ["deposit", "withdrawal"];

/// The webhook family that reports resources of `kind`.
pub(super) fn family_of(kind: Kind) -> WebhookFamily {
    if kind == Kind::Deposit { WebhookFamily::ConnectDeposits } else { WebhookFamily::ConnectWithdrawals }
}
