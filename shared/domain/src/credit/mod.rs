//! Credit and hold: what a platform may book for a deposit, or why it may not book it.
//!
//! Guarantees:
//!
//! - A deposit is confirmed only with a [`Credit`]; every other deposit that is in is held with a [`Hold`].
//! - `net` is `gross` less the fees that the customer bears: exact, and in one asset.
//! - A hold has a reason from a closed list, and says who must act.

mod hold;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DecimalValue;
pub use hold::{Hold, HoldForce, HoldReason, Location, Needs};

/// A number of whole units of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// The exact number, as a decimal string.
    pub value: DecimalValue,
    /// The asset's code or the currency.
    #[schemars(example = &"USD")]
    pub asset: String,
}

/// Whether the customer gets what arrived, or what it was exchanged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditForm {
    /// The asset that arrived.
    InKind,
    /// A currency for which the provider exchanged it.
    Converted,
}

/// Who pays a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeeBearer {
    /// The customer: the fee is taken from what is credited.
    Customer,
    /// The platform: the customer is credited as if there were no fee.
    Platform,
}

/// A fee of a deposit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditFee {
    /// What it is for: `deposit_fee`, `issuer_fee`, `connect_fee`.
    pub kind: String,
    /// The exact number, as a decimal string.
    pub value: DecimalValue,
    /// The asset of the fee.
    pub asset: String,
    /// Who pays it.
    pub borne_by: FeeBearer,
}

/// The exchange of what arrived for what is credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditConversion {
    /// What arrived.
    pub from: Money,
    /// What it was exchanged for, before fees.
    pub to: Money,
    /// The price of one unit of `from`, as the provider states it.
    pub rate: DecimalValue,
}

/// What a credit follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The provider's numbers leave it open who bears a fee; the setting `FUNDHOOK_DEPOSIT_FEES_BORNE_BY` decides.
    Setting,
    /// The provider's numbers alone.
    Numbers,
}

/// What a platform may book for a deposit: `net`, in one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credit {
    /// Whether the customer gets what arrived, or what it was exchanged for.
    pub form: CreditForm,
    /// What was paid in, before fees.
    pub gross: Money,
    /// The fees that the customer bears, and those that the platform bears.
    pub fees: Vec<CreditFee>,
    /// What the customer is to be credited with: `gross` less the fees that the customer bears.
    pub net: Money,
    /// The exchange; present when the form is `converted` and the provider states a rate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversion: Option<CreditConversion>,
    /// What the credit follows from.
    pub decided_by: DecidedBy,
}

/// What a customer is credited with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetCredit {
    /// Whether the customer gets what arrived, or what it was exchanged for.
    pub form: CreditForm,
    /// How much.
    pub net: Money,
}

impl NetCredit {
    /// Whether both are one number of one asset.
    pub fn equals(&self, other: &Self) -> bool {
        self.form == other.form
            && self.net.value == other.net.value
            && self.net.asset.eq_ignore_ascii_case(&other.net.asset)
    }
}

impl Credit {
    /// The credit of `gross` with `fees`. `None` when a fee is in another asset, so that no exact net can be stated.
    pub fn of(form: CreditForm, gross: Money, fees: Vec<CreditFee>, decided_by: DecidedBy) -> Option<Self> {
        if fees.iter().any(|fee| !fee.asset.eq_ignore_ascii_case(&gross.asset)) {
            return None;
        }
        let borne = fees.iter().filter(|fee| fee.borne_by == FeeBearer::Customer);
        let net = borne.fold(gross.value.clone(), |rest, fee| rest - &fee.value);
        let net = Money { value: net, asset: gross.asset.clone() };
        Some(Self { form, gross, fees, net, conversion: None, decided_by })
    }

    /// The credit of `gross` without fees.
    pub fn without_fees(form: CreditForm, gross: Money) -> Self {
        let net = gross.clone();
        Self { form, gross, fees: Vec::new(), net, conversion: None, decided_by: DecidedBy::Numbers }
    }

    /// The credit with the exchange that it resulted from.
    pub fn converted_from(self, conversion: Option<CreditConversion>) -> Self {
        Self { conversion, ..self }
    }

    /// What the customer is credited with, without what it is made of.
    pub fn net_credit(&self) -> NetCredit {
        NetCredit { form: self.form, net: self.net.clone() }
    }

    /// Whether both credit the customer with the same: one number of one asset.
    pub fn equals(&self, other: &Self) -> bool {
        self.net_credit().equals(&other.net_credit())
    }

    /// Whether the two differ only in who bears the fees, and a setting decided one of them.
    ///
    /// Where one statement's numbers say who bears a fee, they decide; the setting decided the other one.
    pub(crate) fn differs_by_setting(&self, other: &Self) -> bool {
        let without_bearers = |credit: &Self| {
            let fees = credit.fees.iter().map(|fee| (fee.kind.clone(), fee.value.clone()));
            (credit.form, credit.gross.clone(), fees.collect::<Vec<_>>())
        };
        self.decided_by != other.decided_by && without_bearers(self) == without_bearers(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(value: &str) -> Money {
        Money { value: value.parse().expect(value), asset: "USD".to_owned() }
    }

    fn fee(value: &str, asset: &str, borne_by: FeeBearer) -> CreditFee {
        let value = value.parse().expect(value);
        CreditFee { kind: "deposit_fee".to_owned(), value, asset: asset.to_owned(), borne_by }
    }

    #[test]
    fn the_net_is_the_gross_less_the_fees_that_the_customer_bears() {
        let fees = vec![fee("5", "USD", FeeBearer::Customer), fee("0.25", "usd", FeeBearer::Platform)];
        let credit = Credit::of(CreditForm::Converted, usd("500"), fees, DecidedBy::Numbers).expect("one asset");
        assert_eq!(credit.net, usd("495"));
    }

    #[test]
    fn a_fee_in_another_asset_has_no_exact_net() {
        let fees = vec![fee("1", "POL", FeeBearer::Customer)];
        assert_eq!(Credit::of(CreditForm::InKind, usd("500"), fees, DecidedBy::Numbers), None);
    }

    #[test]
    fn only_the_bearer_of_a_fee_is_what_a_setting_decides() {
        let of = |gross, borne_by, by| {
            Credit::of(CreditForm::Converted, usd(gross), vec![fee("5", "USD", borne_by)], by).expect("one asset")
        };
        let by_numbers = of("500", FeeBearer::Customer, DecidedBy::Numbers);
        assert!(by_numbers.differs_by_setting(&of("500", FeeBearer::Platform, DecidedBy::Setting)));
        assert!(!by_numbers.differs_by_setting(&of("501", FeeBearer::Platform, DecidedBy::Setting)));
        assert!(!by_numbers.differs_by_setting(&of("500", FeeBearer::Platform, DecidedBy::Numbers)));
    }
}
