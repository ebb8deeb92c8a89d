//! Exact decimals of any length, with their units beside them.

use std::fmt;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Network;

/// An exact decimal number, as providers write amounts: `1`, `.013`, `119078888888888888887`.
///
/// Exponents, separators and signs other than a leading `-` or `+` are refused: no provider sends them, and a reader
/// that guesses at money is worse than one that asks. Written without leading or trailing zeros, so equal values have
/// equal texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecimalValue(BigDecimal);

/// A text that is not an exact decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number such as 0.013 (digits with at most one point, no exponent)")]
pub struct DecimalError(String);

impl DecimalValue {
    /// The value zero.
    pub fn zero() -> Self {
        Self(BigDecimal::from(0))
    }

    /// Whether the value is below zero.
    pub fn is_negative(&self) -> bool {
        *self < Self::zero()
    }
}

impl FromStr for DecimalValue {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What an error repeats of its input: enough to find it, never a whole body.
        const SHOWN_CHARS_MAX: usize = 64;
        let refused = || DecimalError(text.chars().take(SHOWN_CHARS_MAX).collect());

        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        if whole.len() + fraction.len() == 0 || !digits.into_iter().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        // The library wants a digit before the point; `.013` is how Connect writes it.
        let sign = if text.starts_with('-') { "-" } else { "" };
        format!("{sign}0{whole}.{fraction}0")
            .parse()
            .map(|value: BigDecimal| Self(value.normalized()))
            .map_err(|_| refused())
    }
}

impl fmt::Display for DecimalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

impl Serialize for DecimalValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DecimalValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What one unit of a [`Quantity`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Whole coins: 1 is one bitcoin.
    Major,
}

/// A number of units, before it is known of which asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// How many.
    pub value: DecimalValue,
    /// Of what size.
    pub units: Units,
}

/// An amount as subscribers see it: never a bare number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The exact number, as a decimal string.
    pub value: DecimalValue,
    /// The asset's code as the provider spells it (`BTC`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// The network the asset moves on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What one unit of `value` is.
    pub units: Units,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_a_value_is_written_one_way() {
        for (sent, written) in [
            (".013", "0.013"),
            ("0.013", "0.013"),
            ("00.0130", "0.013"),
            ("1.", "1"),
            ("1", "1"),
            ("100.00", "100"),
            ("3400", "3400"),
            ("-.5", "-0.5"),
            ("+2", "2"),
            ("0", "0"),
            ("-0.0", "0"),
            ("119078888888888888887", "119078888888888888887"),
            ("1000000000000000000", "1000000000000000000"),
        ] {
            assert_eq!(sent.parse::<DecimalValue>().expect(sent).to_string(), written, "{sent}");
        }
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in
            ["", ".", "-", "1e3", "1E3", "0x10", "1,000", "1 ", " 1", "1.2.3", "--1", "+-1", "NaN", "inf", "١", "1_0"]
        {
            assert!(text.parse::<DecimalValue>().is_err(), "{text:?} must not parse");
        }
    }

    proptest! {
        #[test]
        fn digits_of_any_length_survive_exactly(whole in "[1-9][0-9]{0,59}", fraction in "[0-9]{0,59}[1-9]") {
            let text = format!("{whole}.{fraction}");
            prop_assert_eq!(text.parse::<DecimalValue>().expect("decimal").to_string(), text);
        }

        #[test]
        fn writing_and_reading_again_gives_the_same_value(text in "[+-]?[0-9]{0,40}\\.?[0-9]{0,40}") {
            if let Ok(value) = text.parse::<DecimalValue>() {
                prop_assert_eq!(value.to_string().parse::<DecimalValue>().expect("canonical"), value);
            }
        }
    }
}
