//! What a platform may book for a deposit that a provider reports as credited.

use fundhook_domain::{Credit, CreditForm, DepositStatus, Hold, HoldReason, Money, TransferDetails};

/// The credit of a deposit in the asset that arrived: its amount, without fees.
pub(crate) fn in_kind(details: &TransferDetails) -> Result<Credit, Hold> {
    Ok(Credit::without_fees(CreditForm::InKind, arrived(details)?))
}

/// What arrived, in whole units of its asset.
pub(crate) fn arrived(details: &TransferDetails) -> Result<Money, Hold> {
    let missing =
        |what: &str| Hold::from(HoldReason::AmountMissing).because(format!("The webhook does not state {what}."));
    let quantity = details.quantity.as_ref().ok_or_else(|| missing("an amount that is a number"))?;
    let asset = details.asset.clone().ok_or_else(|| missing("the asset of the amount"))?;
    let Some(value) = quantity.in_major() else {
        let (value, unit) = (&quantity.value, quantity.units.as_str());
        let explanation = format!("The amount {value} is in the unit {unit:?}, which is not known.");
        return Err(Hold::from(HoldReason::UnitUnknown).because(explanation));
    };
    if !value.is_positive() {
        return Err(Hold::from(HoldReason::AmountNotPositive).because(format!("The amount is {value} {asset}.")));
    }
    Ok(Money { value, asset })
}

/// Adds the credit or the hold of a deposit that the provider reports as credited, and returns its status.
pub(crate) fn confirm(details: &mut TransferDetails, credit: Result<Credit, Hold>) -> DepositStatus {
    let credit = credit.and_then(|credit| match (credit.net.value.is_positive(), &details.account) {
        (false, _) => {
            let explanation = format!("After fees, the amount is {} {}.", credit.net.value, credit.net.asset);
            Err(Hold::from(HoldReason::AmountNotPositive).because(explanation))
        }
        (true, None) => Err(Hold::from(HoldReason::AccountUnknown)),
        (true, Some(account)) if account.contains(char::REPLACEMENT_CHARACTER) => {
            let explanation = "The customer's account contains what is not a character.";
            Err(Hold::from(HoldReason::AccountUnknown).because(explanation))
        }
        (true, Some(_)) => Ok(credit),
    });
    match credit {
        Ok(credit) => {
            details.credit = Some(credit);
            DepositStatus::Confirmed
        }
        Err(hold) => held(details, hold),
    }
}

/// Adds the hold of a deposit, and returns its status.
pub(crate) fn held(details: &mut TransferDetails, hold: Hold) -> DepositStatus {
    details.hold = Some(hold);
    DepositStatus::Held
}
