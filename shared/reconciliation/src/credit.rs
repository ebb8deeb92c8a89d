//! What counts as a credit, and for how much.

use fundhook_domain::{DecimalValue, DepositStatus, Details, HoldReason, Quantity, Resource, Statement, Status};

use crate::moved::UNNAMED_ASSET;

pub(crate) const CONFIRMED: Status = Status::Deposit(DepositStatus::Confirmed);

/// Whether the provider credited the deposit of the row, even if the row alone does not tell who bears a fee.
pub fn is_credit(row: &Statement) -> bool {
    let hold = row.content.details.hold().map(|hold| hold.reason);
    row.content.status == Some(CONFIRMED) || hold == Some(HoldReason::FeeBearerUnknown)
}

/// The asset and the amount that a recorded deposit may be credited with, in whole coins; `None` when it may not.
pub(crate) fn credited(resource: &Resource) -> Option<(String, DecimalValue)> {
    let view = resource.view()?;
    view.is_credited().then(|| asset_and_amount(&view.details)).flatten()
}

/// The asset and the amount in whole coins, to compare two deposits by. An amount that is not stated in coins counts as zero.
pub(crate) fn asset_and_amount(details: &Details) -> Option<(String, DecimalValue)> {
    match details {
        Details::Transfer(transfer) => {
            let amount = transfer.quantity.as_ref().or(transfer.total.as_ref());
            let value = amount.and_then(Quantity::in_major).unwrap_or_else(DecimalValue::zero);
            Some((transfer.asset.as_deref().unwrap_or(UNNAMED_ASSET).to_uppercase(), value))
        }
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}
