//! Credits and holds of deposits.

use fundhook_domain::{
    Credit, CreditFee, CreditForm, DecidedBy, DepositStatus, FeeBearer, FeeQuantity, Hold, HoldReason, Money, Quantity,
    Statement,
};

use super::{deposit, in_other_bytes, with};

/// `value` of `asset`.
pub(crate) fn money(value: &str, asset: &str) -> Money {
    Money { value: value.parse().expect("a decimal"), asset: asset.to_owned() }
}

/// The credit of `value` of `asset` as it arrived, without fees.
pub(crate) fn in_kind(value: &str, asset: &str) -> Credit {
    Credit::without_fees(CreditForm::InKind, money(value, asset))
}

/// The credit of 500 USD with a fee of 5 USD, which `borne_by` pays because `decided_by` says so.
pub(crate) fn with_fee(borne_by: FeeBearer, decided_by: DecidedBy) -> Credit {
    let fee = money("5", "USD");
    let fee = CreditFee { kind: "deposit_fee".to_owned(), value: fee.value, asset: fee.asset, borne_by };
    Credit::of(CreditForm::Converted, money("500", "USD"), vec![fee], decided_by).expect("one asset")
}

/// The fee of `quantity` in the asset of the amount.
pub(crate) fn in_its_asset(quantity: Quantity) -> FeeQuantity {
    FeeQuantity { quantity, asset: None, network: None }
}

/// What a deposit with `status` states about the money, unless a test states something else: the credit of
/// [`whole_deposit`](super::whole_deposit), or a hold with which the provider is not done.
pub(super) fn credit_or_hold(status: DepositStatus) -> (Option<Credit>, Option<Hold>) {
    match status {
        DepositStatus::Confirmed => (Some(in_kind("0.013", "BTC")), None),
        DepositStatus::Held => (None, Some(HoldReason::ApprovalPending.into())),
        DepositStatus::Pending
        | DepositStatus::Submitted
        | DepositStatus::Abandoned
        | DepositStatus::Failed
        | DepositStatus::Unexpected
        | DepositStatus::Reversed => (None, None),
    }
}

/// The statement that a deposit was held for `reason` at `seconds`.
pub(crate) fn held(reason: HoldReason, seconds: u64) -> Statement {
    let held = with(deposit("held", seconds), |details| details.hold = Some(reason.into()));
    in_other_bytes(&format!("held for {reason} at {seconds}"), &held)
}

/// The statement that a deposit was confirmed with `credit` at `seconds`.
pub(crate) fn credited(credit: Credit, seconds: u64) -> Statement {
    let net = format!("{} {}, decided by {:?}", credit.net.value, credit.net.asset, credit.decided_by);
    let credited = with(deposit("confirmed", seconds), |details| details.credit = Some(credit));
    in_other_bytes(&format!("credited with {net} at {seconds}"), &credited)
}
