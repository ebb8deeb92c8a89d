//! Exact amounts in whole coins.

use std::fmt;
use std::str::FromStr;

/// The precision of a DynamoDB number. Digits are counted from the first to the last place, including zeros.
const DIGITS_MAX: usize = 38;

/// The size of one unit of an announced amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Whole coins.
    Major,
    /// 10⁻¹⁸ of a coin.
    Wei,
    /// 10⁻⁸ of a coin.
    Satoshis,
    /// 10⁻⁹ of a coin.
    Lamports,
    /// 10⁻² of a coin.
    Cents,
}

impl Units {
    /// How many places the decimal point moves to the left for whole coins.
    fn decimals(self) -> usize {
        match self {
            Self::Major => 0,
            Self::Wei => 18,
            Self::Satoshis => 8,
            Self::Lamports => 9,
            Self::Cents => 2,
        }
    }
}

impl FromStr for Units {
    type Err = AmountError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "major" => Ok(Self::Major),
            "wei" => Ok(Self::Wei),
            "satoshis" => Ok(Self::Satoshis),
            "lamports" => Ok(Self::Lamports),
            "cents" => Ok(Self::Cents),
            _ => Err(AmountError::UnknownUnits(shown(name))),
        }
    }
}

/// A positive number of whole coins that a DynamoDB number stores without rounding.
///
/// Without superfluous zeros, so that equal values have equal texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coins(String);

/// Why an amount cannot be credited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// It has a sign, an exponent or no digits, or is not a number.
    #[error("{0:?} is not a decimal number such as 0.013 (digits with at most one point)")]
    NotDecimal(String),
    #[error("the amount is zero")]
    Zero,
    /// The smallest units are indivisible: a fraction means that the stated units are wrong.
    #[error("{value:?} is not a whole number of {units:?}, which are indivisible")]
    FractionOfUnit {
        /// The number in the event.
        value: String,
        /// The units in the event.
        units: Units,
    },
    /// Their size is unknown.
    #[error("the units {0:?} are unknown")]
    UnknownUnits(String),
    #[error("the amount has {digits} digits, and the ledger's numbers have at most {DIGITS_MAX}")]
    TooManyDigits {
        /// Counted in whole coins.
        digits: usize,
    },
}

impl Coins {
    /// Converts `value` in `units` to whole coins, on its decimal digits.
    pub fn new(value: &str, units: Units) -> Result<Self, AmountError> {
        let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) || whole.len() + fraction.len() == 0 {
            return Err(AmountError::NotDecimal(shown(value)));
        }
        let fraction = fraction.trim_end_matches('0');
        if units != Units::Major && !fraction.is_empty() {
            return Err(AmountError::FractionOfUnit { value: shown(value), units });
        }

        let decimals = units.decimals();
        let whole = format!("{:0>decimals$}", whole.trim_start_matches('0'));
        let (whole, moved) = whole.split_at(whole.len() - decimals);
        let fraction = format!("{moved}{fraction}");
        let fraction = fraction.trim_end_matches('0');
        match whole.len() + fraction.len() {
            0 => Err(AmountError::Zero),
            digits if digits > DIGITS_MAX => Err(AmountError::TooManyDigits { digits }),
            _ if fraction.is_empty() => Ok(Self(whole.to_owned())),
            _ => Ok(Self(format!("{}.{fraction}", if whole.is_empty() { "0" } else { whole }))),
        }
    }

    /// The decimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Coins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The part of the input that an error repeats: enough to identify it, never a whole body.
fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 64;
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(value: &str, units: &str) -> Result<String, AmountError> {
        Ok(Coins::new(value, units.parse()?)?.to_string())
    }

    #[test]
    fn every_form_of_an_amount_becomes_whole_coins_exactly() {
        let places = |zeros: usize| format!(".{}1", "0".repeat(zeros));
        let (smallest, nines) = (places(37), "9".repeat(38));
        for (value, units, expected) in [
            ("0.013", "major", "0.013"),
            (".013", "major", "0.013"),
            ("00.0130", "major", "0.013"),
            ("1.", "major", "1"),
            ("3400", "major", "3400"),
            ("100.00", "major", "100"),
            (&places(17), "major", "0.000000000000000001"),
            (&smallest, "major", &format!("0{smallest}")),
            (&nines, "major", &nines),
            ("119078888888888888887", "wei", "119.078888888888888887"),
            ("1000000000000000000", "wei", "1"),
            ("100000000000000000000", "wei", "100"),
            ("1", "wei", "0.000000000000000001"),
            ("000000000000000000000001", "wei", "0.000000000000000001"),
            ("7.000", "wei", "0.000000000000000007"),
            (&nines, "wei", "99999999999999999999.999999999999999999"),
            ("1300000", "satoshis", "0.013"),
            ("2100000000000000", "satoshis", "21000000"),
            ("1", "lamports", "0.000000001"),
            ("1234567890", "lamports", "1.23456789"),
            ("199", "cents", "1.99"),
            ("5", "cents", "0.05"),
            ("1000", "cents", "10"),
        ] {
            assert_eq!(coins(value, units).as_deref(), Ok(expected), "{value} {units}");
        }
    }

    #[test]
    fn what_would_have_to_be_rounded_is_refused() {
        let long = |digits: usize| "9".repeat(digits);
        for (value, units, digits) in [
            (long(39), "major", 39),
            (format!("{}.{}", long(20), long(19)), "major", 39),
            (format!("0.{}1", "0".repeat(38)), "major", 39),
            (format!("1{}", "0".repeat(38)), "major", 39),
            (long(39), "wei", 39),
            (long(100_000), "satoshis", 100_000),
        ] {
            assert_eq!(coins(&value, units), Err(AmountError::TooManyDigits { digits }), "{units}");
        }
    }

    #[test]
    fn what_is_not_a_decimal_number_above_zero_is_refused() {
        for value in ["", ".", "-1", "+1", "1e3", "0x10", "1,000", " 1", "1.2.3", "NaN", "١", "1_0"] {
            assert_eq!(coins(value, "major"), Err(AmountError::NotDecimal(value.to_owned())), "{value:?}");
        }
        for (value, units) in [("0", "major"), ("0.000", "major"), (".0", "major"), ("000", "wei")] {
            assert_eq!(coins(value, units), Err(AmountError::Zero), "{value}");
        }
    }

    #[test]
    fn a_fraction_of_what_has_no_fractions_is_refused() {
        // Read as wei, 0.5 ether would be almost nothing.
        let refused = AmountError::FractionOfUnit { value: "0.5".to_owned(), units: Units::Wei };
        assert_eq!(coins("0.5", "wei"), Err(refused));
    }

    #[test]
    fn units_that_nobody_told_us_are_refused_and_named() {
        for units in ["gwei", "WEI", "", "minor"] {
            assert_eq!(coins("1", units), Err(AmountError::UnknownUnits(units.to_owned())));
        }
    }
}
