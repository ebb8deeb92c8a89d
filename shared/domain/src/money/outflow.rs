//! What leaves an account: an amount, its fee, and both together.

use serde::{Deserialize, Serialize};

use super::amount::{DecimalValue, Quantity};
use crate::merge::replace;

/// The parts of what leaves an account, as a provider states them. Any of them may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Outflow {
    /// What is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// The fee in the same asset, in addition to the quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Quantity>,
    /// Both together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Quantity>,
}

impl Outflow {
    /// The quantity and its fee together: as stated, or otherwise their sum. `None` when neither is known.
    ///
    /// A total of zero beside a quantity stands for a missing one.
    pub fn total(&self) -> Option<Quantity> {
        let is_positive = |quantity: &Quantity| quantity.value.is_positive();
        let has_quantity = self.quantity.as_ref().is_some_and(is_positive);
        let stated = self.total.clone().filter(|total| is_positive(total) || !has_quantity);
        stated.or_else(|| self.quantity.as_ref()?.plus(self.fee.as_ref().filter(|fee| !fee.value.is_negative())?))
    }

    /// What leaves the account in all: the total, or the quantity when no total and no fee is known.
    pub fn leaving(&self) -> Option<Quantity> {
        self.total().or_else(|| self.quantity.clone())
    }

    /// What of that the fee is, in whole coins: the difference between total and quantity, or otherwise as stated.
    pub fn fee_in_major(&self) -> Option<DecimalValue> {
        let major = |quantity: &Quantity| quantity.in_major();
        let difference = || {
            let (total, quantity) = (self.total().as_ref().and_then(major)?, self.quantity.as_ref().and_then(major)?);
            Some(total - &quantity).filter(|fee| !fee.is_negative())
        };
        let stated = || self.fee.as_ref().and_then(major).filter(|fee| !fee.is_negative());
        difference().or_else(stated)
    }

    /// What another statement says of the same outflow, in the place of what this one says.
    pub(crate) fn merge(&mut self, later: &Self) {
        let Self { quantity, fee, total } = later;
        replace(&mut self.quantity, quantity);
        replace(&mut self.fee, fee);
        replace(&mut self.total, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outflow(quantity: Option<&str>, fee: Option<&str>, total: Option<&str>) -> Outflow {
        let major = |text: &str| Quantity::major(text.parse().expect(text));
        Outflow { quantity: quantity.map(major), fee: fee.map(major), total: total.map(major) }
    }

    #[test]
    fn what_leaves_is_the_stated_total_or_the_sum_or_the_quantity() {
        for (quantity, fee, total, leaving, of_fee) in [
            (None, Some(".001"), Some("100"), Some("100"), Some("0.001")),
            (Some("99.999"), Some(".001"), None, Some("100"), Some("0.001")),
            (Some("99.999"), Some(".001"), Some("0"), Some("100"), Some("0.001")),
            (Some("197.25"), None, Some("200"), Some("200"), Some("2.75")),
            (Some("197.25"), Some("1.25"), Some("200"), Some("200"), Some("2.75")),
            (Some("99.999"), None, None, Some("99.999"), None),
            (Some("99.999"), None, Some("0"), Some("99.999"), None),
            (Some("99.999"), Some("-1"), None, Some("99.999"), None),
            (Some("0"), None, Some("0"), Some("0"), Some("0")),
            (None, Some(".001"), None, None, Some("0.001")),
            (None, None, None, None, None),
        ] {
            let outflow = outflow(quantity, fee, total);
            let text = |value: DecimalValue| value.to_string();
            let found = (outflow.leaving().map(|quantity| text(quantity.value)), outflow.fee_in_major().map(text));
            assert_eq!((found.0.as_deref(), found.1.as_deref()), (leaving, of_fee), "{outflow:?}");
        }
    }
}
