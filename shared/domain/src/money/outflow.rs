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
    /// A total of zero beside a quantity stands for a missing one, and so does a quantity of zero beside a total.
    pub fn total(&self) -> Option<Quantity> {
        let stated = self.total.clone().filter(|total| is_positive(total) || !self.has_quantity());
        stated.or_else(|| self.quantity.as_ref()?.plus(self.fee.as_ref().filter(|fee| !fee.value.is_negative())?))
    }

    fn has_quantity(&self) -> bool {
        self.quantity.as_ref().is_some_and(is_positive)
    }

    /// What is sent, or the total where only that is stated ([zerohash-recovery §7]).
    pub fn amount(&self) -> Option<Quantity> {
        let total = self.total();
        let is_missing = !self.has_quantity() && total.as_ref().is_some_and(is_positive);
        self.quantity.clone().filter(|_| !is_missing).or(total)
    }

    /// What leaves the account in all: the total, or the quantity when no total and no fee is known.
    pub fn leaving(&self) -> Option<Quantity> {
        self.total().or_else(|| self.quantity.clone())
    }

    /// What of that the fee is, in whole coins: the difference between total and quantity, or otherwise as stated.
    pub fn fee_in_major(&self) -> Option<DecimalValue> {
        let major = |quantity: &Quantity| quantity.in_major();
        let difference = || {
            let total = self.total()?;
            let quantity = self.quantity.as_ref().filter(|_| self.has_quantity() || !is_positive(&total))?;
            Some(major(&total)? - &major(quantity)?).filter(|fee| !fee.is_negative())
        };
        let stated = || self.fee.as_ref().and_then(major).filter(|fee| !fee.is_negative());
        difference().or_else(stated)
    }

    /// What another statement says of the same outflow, in the place of what this one says.
    pub(crate) fn merge(&mut self, later: &Self) {
        let Self { quantity, fee, total } = later;
        replace_amount(&mut self.quantity, quantity);
        replace(&mut self.fee, fee);
        replace_amount(&mut self.total, total);
    }
}

fn is_positive(quantity: &Quantity) -> bool {
    quantity.value.is_positive()
}

/// Replaces `earlier` by `later`, except that a zero does not replace an amount: it stands for a missing one.
pub(crate) fn replace_amount(earlier: &mut Option<Quantity>, later: &Option<Quantity>) {
    let is_missing = |quantity: &Quantity| quantity.value == DecimalValue::zero();
    if !(earlier.as_ref().is_some_and(is_positive) && later.as_ref().is_some_and(is_missing)) {
        replace(earlier, later);
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
        for (quantity, fee, total, [amount, leaving], of_fee) in [
            (None, Some(".001"), Some("100"), [Some("100"); 2], Some("0.001")),
            (Some("99.999"), Some(".001"), None, [Some("99.999"), Some("100")], Some("0.001")),
            (Some("99.999"), Some(".001"), Some("0"), [Some("99.999"), Some("100")], Some("0.001")),
            (Some("197.25"), None, Some("200"), [Some("197.25"), Some("200")], Some("2.75")),
            (Some("197.25"), Some("1.25"), Some("200"), [Some("197.25"), Some("200")], Some("2.75")),
            (Some("99.999"), None, None, [Some("99.999"); 2], None),
            (Some("99.999"), None, Some("0"), [Some("99.999"); 2], None),
            (Some("99.999"), Some("-1"), None, [Some("99.999"); 2], None),
            (Some("0"), Some(".001"), Some("100"), [Some("100"); 2], Some("0.001")),
            (Some("0"), None, Some("100"), [Some("100"); 2], None),
            (Some("0"), None, Some("0"), [Some("0"); 2], Some("0")),
            (None, Some(".001"), None, [None; 2], Some("0.001")),
            (None, None, None, [None; 2], None),
        ] {
            let outflow = outflow(quantity, fee, total);
            let text = |value: DecimalValue| value.to_string();
            let found =
                [outflow.amount(), outflow.leaving()].map(|quantity| quantity.map(|quantity| text(quantity.value)));
            let of_outflow = outflow.fee_in_major().map(text);
            assert_eq!(found.each_ref().map(|found| found.as_deref()), [amount, leaving], "{outflow:?}");
            assert_eq!(of_outflow.as_deref(), of_fee, "{outflow:?}");
        }
    }

    #[test]
    fn a_zero_does_not_replace_an_amount() {
        let mut merged = outflow(Some("99.999"), None, Some("100"));
        merged.merge(&outflow(Some("0"), Some("0"), Some("0")));
        assert_eq!(merged, outflow(Some("99.999"), Some("0"), Some("100")));
        merged.merge(&outflow(Some("98"), None, None));
        assert_eq!(merged, outflow(Some("98"), Some("0"), Some("100")));
    }
}
