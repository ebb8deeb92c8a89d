//! Exact numbers that a DynamoDB number holds.

use std::fmt;
use std::str::FromStr;

use bigdecimal::BigDecimal;

/// The precision of a DynamoDB number. Digits are counted from the first to the last place, including zeros.
const DIGITS_MAX: usize = 38;

/// A number that a DynamoDB number stores without rounding. Equal values have equal texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(BigDecimal);

/// Why a number cannot be booked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// It has a sign, an exponent or no digits, or is not a number.
    #[error("{0:?} is not a decimal number such as 0.013 (digits with at most one point)")]
    NotDecimal(String),
    #[error("the number is zero")]
    Zero,
    #[error("the number has {digits} digits, and the ledger's numbers have at most {DIGITS_MAX}")]
    TooManyDigits {
        /// Counted without superfluous zeros.
        digits: usize,
    },
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads a number above zero, as an event's lines have it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_decimal = || DecimalError::NotDecimal(shown(text));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) || whole.len() + fraction.len() == 0 {
            return Err(not_decimal());
        }
        let digits = whole.trim_start_matches('0').len() + fraction.trim_end_matches('0').len();
        if digits > DIGITS_MAX {
            return Err(DecimalError::TooManyDigits { digits });
        }
        let value: BigDecimal = format!("0{whole}.{fraction}0").parse().map_err(|_| not_decimal())?;
        match Self::of(value)? {
            Self(value) if value == 0 => Err(DecimalError::Zero),
            decimal => Ok(decimal),
        }
    }
}

impl Decimal {
    /// The number, if it fits.
    pub fn of(value: BigDecimal) -> Result<Self, DecimalError> {
        let value = value.normalized();
        let text = value.abs().to_plain_string();
        let digits = text.trim_start_matches('0').trim_start_matches('.').bytes().filter(u8::is_ascii_digit).count();
        if digits > DIGITS_MAX { Err(DecimalError::TooManyDigits { digits }) } else { Ok(Self(value)) }
    }

    /// Whether it is a debit.
    pub fn is_debit(&self) -> bool {
        self.0 > 0
    }

    pub(crate) fn inner(&self) -> &BigDecimal {
        &self.0
    }

    pub(crate) fn into_inner(self) -> BigDecimal {
        self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
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

    fn parsed(value: &str) -> Result<String, DecimalError> {
        Ok(value.parse::<Decimal>()?.to_string())
    }

    #[test]
    fn every_spelling_of_a_number_becomes_one_text_with_all_its_digits() {
        let smallest = format!(".{}1", "0".repeat(37));
        let nines = "9".repeat(38);
        for (value, expected) in [
            ("0.013", "0.013"),
            (".013", "0.013"),
            ("00.0130", "0.013"),
            ("1.", "1"),
            ("3400", "3400"),
            ("100.00", "100"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("119.078888888888888887", "119.078888888888888887"),
            (&smallest, &format!("0{smallest}")),
            (&nines, &nines),
            (&format!("00{nines}.00"), &nines),
        ] {
            assert_eq!(parsed(value).as_deref(), Ok(expected), "{value}");
        }
    }

    #[test]
    fn what_would_have_to_be_rounded_is_refused() {
        let long = |digits: usize| "9".repeat(digits);
        for (value, digits) in [
            (long(39), 39),
            (format!("{}.{}", long(20), long(19)), 39),
            (format!("0.{}1", "0".repeat(38)), 39),
            (format!("1{}", "0".repeat(38)), 39),
            (long(100_000), 100_000),
        ] {
            assert_eq!(parsed(&value), Err(DecimalError::TooManyDigits { digits }));
        }
    }

    #[test]
    fn what_is_not_a_decimal_number_above_zero_is_refused() {
        for value in ["", ".", "-1", "+1", "1e3", "0x10", "1,000", " 1", "1.2.3", "NaN", "١", "1_0"] {
            assert_eq!(parsed(value), Err(DecimalError::NotDecimal(value.to_owned())), "{value:?}");
        }
        for value in ["0", "0.000", ".0", "000"] {
            assert_eq!(parsed(value), Err(DecimalError::Zero), "{value}");
        }
    }

    #[test]
    fn an_error_repeats_only_the_beginning_of_a_long_text() {
        assert_eq!(parsed(&"x".repeat(1000)), Err(DecimalError::NotDecimal("x".repeat(64))));
    }
}
