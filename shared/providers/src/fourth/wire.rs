//! The fourth provider's names for kinds and amounts.

use fundhook_domain::{DecimalValue, DepositStatus, Status, WithdrawalStatus};

/// The status that a kind of webhook reports.
pub(super) fn status_of(kind: &str) -> Option<Status> {
    Some(match kind {
        "money_seen" => Status::Deposit(DepositStatus::Pending),
        "money_in" => Status::Deposit(DepositStatus::Confirmed),
        "money_out" => Status::Withdrawal(WithdrawalStatus::Confirmed),
        _ => return None,
    })
}

/// The amount and the asset in a text such as `1.5 ETH`.
pub(super) fn amount_and_asset(sum: &str) -> Option<(DecimalValue, String)> {
    let (amount, asset) = sum.split_once(' ')?;
    Some((amount.parse().ok()?, asset.to_owned())).filter(|(_, asset)| !asset.is_empty())
}
