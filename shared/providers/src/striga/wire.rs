//! Striga's names for things, as in seed 004.

use fundhook_domain::{DepositStatus, FeeStatus, Side, Status, WithdrawalStatus};

/// What a type of webhook is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A deposit or a withdrawal, and its status.
    Transfer(Status),
    /// The network's fee for a withdrawal, and what became of it.
    NetworkFee(FeeStatus),
    /// A leg of the platform's own fee.
    ApplicationFee,
}

/// What the types of seed 004 say, and `DENIED`, which integrators have seen.
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

/// The member with the amount that was seen on chain.
pub(super) const ON_CHAIN_AMOUNT: &str = "blockchainTransactionAmount";

/// The sub-type of a fee that belongs to a withdrawal on chain.
pub(super) const WITHDRAWAL_FEE: &str = "TOTAL_WITHDRAWAL_FEE";

/// One `id` is shared by a withdrawal and its network fee; the fee's resource adds what it is.
pub(super) fn network_fee_id(id: &str) -> String {
    format!("{id}:network")
}

/// One `id` is shared by both legs of an application fee; each leg's resource adds its side.
pub(super) fn application_fee_id(id: &str, side: Side) -> String {
    let side = match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
    };
    format!("{id}:application:{side}")
}
