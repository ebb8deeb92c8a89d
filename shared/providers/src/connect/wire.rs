//! Connect's names for things, as in seed 000.

use fundhook_domain::{DepositStatus, Kind, Status, WithdrawalStatus};

/// What the event names of seed 000 say. `on_hold` is missing from the seed's list and present in its samples.
/// `connect.deposits.*` is in the plural and `connect.withdrawal.*` in the singular, as the provider has them.
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

/// The member that holds the object. In every sample it is `deposit`, even for withdrawals; `withdrawal` is taken too,
/// should the provider mend that.
pub(super) const OBJECT_MEMBERS: [&str; 2] = ["deposit", "withdrawal"];

/// Which of Connect's streams tells of a kind.
pub(super) fn stream_of(kind: Kind) -> &'static str {
    if kind == Kind::Deposit { "connect.deposits" } else { "connect.withdrawal" }
}
