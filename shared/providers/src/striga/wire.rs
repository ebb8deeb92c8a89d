//! Striga's names for transactions [striga-transactions].

use fundhook_domain::{DepositStatus, FeeStatus, Side, Status, WithdrawalStatus};

/// What a webhook reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A deposit or a withdrawal, and its status.
    Transfer(Status),
    /// The network's fee for a withdrawal, and its status.
    NetworkFee(FeeStatus),
    /// A leg of the platform's own fee.
    ApplicationFee,
}

/// The meaning of a webhook's type [striga-transactions]. `DENIED` is documented by integrators only [striga-clients].
pub(super) fn sort(name: &str) -> Option<Sort> {
    let deposit = |status| Sort::Transfer(Status::Deposit(status));
    let withdrawal = |status| Sort::Transfer(Status::Withdrawal(status));
    Some(match name {
        "ON_CHAIN_DEPOSIT_PENDING" => deposit(DepositStatus::Pending),
        "ON_CHAIN_DEPOSIT_CONFIRMED" => deposit(DepositStatus::Confirmed),
        "ON_CHAIN_WITHDRAWAL_INITIATED" => withdrawal(WithdrawalStatus::Initiated),
        "ON_CHAIN_WITHDRAWAL_PENDING" => withdrawal(WithdrawalStatus::Broadcast),
        "ON_CHAIN_WITHDRAWAL_CONFIRMED" => withdrawal(WithdrawalStatus::Confirmed),
        "ON_CHAIN_WITHDRAWAL_FAILED" | "ON_CHAIN_WITHDRAWAL_DENIED" => withdrawal(WithdrawalStatus::Failed),
        "NETWORK_FEE" => Sort::NetworkFee(FeeStatus::Charged),
        "FEE_REFUND" => Sort::NetworkFee(FeeStatus::Refunded),
        "APPLICATION_FEE" => Sort::ApplicationFee,
        _ => return None,
    })
}

/// The member with the amount seen on chain.
pub(super) const ON_CHAIN_AMOUNT: &str = "blockchainTransactionAmount";

/// The sub-type of a fee for an on-chain withdrawal.
pub(super) const WITHDRAWAL_FEE: &str = "TOTAL_WITHDRAWAL_FEE";

/// The id of a network fee's resource. The fee has the `id` of its withdrawal, so a suffix distinguishes them.
pub(super) fn network_fee_id(id: &str) -> String {
    format!("{id}:network")
}

/// The id of the resource of one leg of an application fee. Both legs have the same `id`, so the side is added.
pub(super) fn application_fee_id(id: &str, side: Side) -> String {
    let side = match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
    };
    format!("{id}:application:{side}")
}
