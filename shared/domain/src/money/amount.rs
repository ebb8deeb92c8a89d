//! Exact decimals of any length, and amounts: a decimal with its units, asset and network.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use bigdecimal::BigDecimal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Network;

/// An exact decimal number, as providers write amounts: `1`, `.013`, `119078888888888888887`.
///
/// JSON numbers may have an exponent (`9.9e-7`), which is exact too. Separators, and signs other than a leading `-` or
/// `+`, are rejected: an amount must not be guessed. The text form has no leading or trailing zeros and no exponent, so
/// equal values have equal texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecimalValue(BigDecimal);

/// A text that is not an exact decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number such as 0.013 (digits with at most one point, and an exponent of at most 1000)")]
pub struct DecimalError(String);

impl DecimalValue {
    /// The value zero.
    pub fn zero() -> Self {
        Self(BigDecimal::from(0))
    }

    /// The product.
    pub fn times(&self, other: &Self) -> Self {
        Self((&self.0 * &other.0).normalized())
    }

    /// The absolute value.
    pub fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    /// How many digits follow the point.
    pub fn decimals(&self) -> u64 {
        self.0.normalized().fractional_digit_count().max(0).unsigned_abs()
    }

    /// `10^-decimals`: the smallest step of a number with so many digits after the point.
    pub fn step(decimals: u64) -> Self {
        Self(BigDecimal::new(1.into(), i64::try_from(decimals).unwrap_or(i64::MAX)))
    }

    /// Whether the value is below zero.
    pub fn is_negative(&self) -> bool {
        *self < Self::zero()
    }

    /// Whether the value is above zero.
    pub fn is_positive(&self) -> bool {
        *self > Self::zero()
    }

    /// This number of minor units in whole units, exactly: `10^decimals` minor units make one whole.
    fn in_wholes(&self, decimals: u8) -> Self {
        let (digits, scale) = self.0.as_bigint_and_exponent();
        Self(BigDecimal::new(digits, scale + i64::from(decimals)).normalized())
    }
}

impl Add<&DecimalValue> for DecimalValue {
    type Output = Self;

    fn add(self, other: &DecimalValue) -> Self {
        Self((self.0 + &other.0).normalized())
    }
}

impl Sub<&DecimalValue> for DecimalValue {
    type Output = Self;

    fn sub(self, other: &DecimalValue) -> Self {
        Self((self.0 - &other.0).normalized())
    }
}

impl FromStr for DecimalValue {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An error repeats enough of its input to find it, and never a whole body.
        const SHOWN_CHARS_MAX: usize = 64;
        let rejected = || DecimalError(text.chars().take(SHOWN_CHARS_MAX).collect());

        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent).ok_or_else(rejected)?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        if whole.len() + fraction.len() == 0 || !digits.into_iter().all(|byte| byte.is_ascii_digit()) {
            return Err(rejected());
        }
        // Connect writes `.013`; the library requires a digit before the point.
        let sign = if text.starts_with('-') { "-" } else { "" };
        format!("{sign}0{whole}.{fraction}0e{exponent}")
            .parse()
            .map(|value: BigDecimal| Self(value.normalized()))
            .map_err(|_| rejected())
    }
}

/// The exponent in `digits`. A greater one than any provider's is rejected: the number would fill the memory.
fn exponent_of(digits: &str) -> Option<i64> {
    const EXPONENT_MAX: i64 = 1000;
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let is_number = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    let exponent: i64 = is_number.then(|| digits.parse().ok()).flatten()?;
    (-EXPONENT_MAX..=EXPONENT_MAX).contains(&exponent).then_some(exponent)
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Units {
    /// Whole coins: 1 is one bitcoin.
    Major,
    /// 10^18 make one coin.
    Wei,
    /// 10^9 make one coin.
    Lamports,
    /// 10^8 make one coin.
    Satoshis,
    /// 100 make one whole. Striga uses them for fiat and stablecoins: its own scale, not the chain's.
    Cents,
    /// An unknown unit, in the provider's word. Its amounts are never converted.
    Other(String),
}

impl Units {
    const KNOWN: [Self; 5] = [Self::Major, Self::Wei, Self::Lamports, Self::Satoshis, Self::Cents];

    /// The unit that a provider calls `name`.
    pub fn named(name: &str) -> Self {
        // Striga writes `satoshi` in one place and `satoshis` in another [striga-transactions].
        let is_name = |units: &Self| {
            let plural = units.as_str();
            plural.eq_ignore_ascii_case(name)
                || plural.strip_suffix('s').is_some_and(|one| one.eq_ignore_ascii_case(name))
        };
        let known = Self::KNOWN.into_iter().find(is_name);
        known.unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// The name in events.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Major => "major",
            Self::Wei => "wei",
            Self::Lamports => "lamports",
            Self::Satoshis => "satoshis",
            Self::Cents => "cents",
            Self::Other(name) => name,
        }
    }

    /// The number of decimals: `10^decimals` units make one whole coin. `None` for an unknown unit.
    pub fn decimals(&self) -> Option<u8> {
        match self {
            Self::Major => Some(0),
            Self::Wei => Some(18),
            Self::Lamports => Some(9),
            Self::Satoshis => Some(8),
            Self::Cents => Some(2),
            Self::Other(_) => None,
        }
    }
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::named(&name))
    }
}

/// A number of units, without the asset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// The number of units.
    pub value: DecimalValue,
    /// What one unit is.
    pub units: Units,
}

impl Quantity {
    /// `value` whole coins.
    pub fn major(value: DecimalValue) -> Self {
        Self { value, units: Units::Major }
    }

    /// The same quantity in whole coins; `None` for an unknown unit.
    pub fn in_major(&self) -> Option<DecimalValue> {
        self.units.decimals().map(|decimals| self.value.in_wholes(decimals))
    }

    /// The sum; `None` when the two are in different units.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let sum = || Self { value: self.value.clone() + &other.value, units: self.units.clone() };
        (self.units == other.units).then(sum)
    }
}

/// An exact amount: the number of units, what a unit is, and the same amount in whole coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// The exact number, as a decimal string.
    pub value: DecimalValue,
    /// What one unit of `value` is.
    pub units: Units,
    /// The same amount in whole coins, as a decimal string; missing when the units are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub major: Option<DecimalValue>,
    /// The asset's code.
    #[schemars(example = &"BTC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// The network of the asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

impl Amount {
    /// `quantity` of `asset` on `network`.
    pub fn of(quantity: Quantity, asset: Option<String>, network: Option<Network>) -> Self {
        let major = quantity.in_major();
        Self { value: quantity.value, units: quantity.units, major, asset, network }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_values_are_written_the_same_way() {
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
            ("9.9e-7", "0.00000099"),
            ("1e3", "1000"),
            ("-1.50E+2", "-150"),
            ("0e9", "0"),
            ("119078888888888888887", "119078888888888888887"),
            ("1000000000000000000", "1000000000000000000"),
        ] {
            assert_eq!(sent.parse::<DecimalValue>().expect(sent).to_string(), written, "{sent}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_plain_decimal_is_rejected() {
        for text in [
            "",
            ".",
            "-",
            "1e",
            "e3",
            "1e1001",
            "1e-1001",
            "1e1.5",
            "1e+-3",
            "1e99999999999999999999",
            "0x10",
            "1,000",
            "1 ",
            " 1",
            "1.2.3",
            "--1",
            "+-1",
            "NaN",
            "inf",
            "١",
            "1_0",
        ] {
            assert!(text.parse::<DecimalValue>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn minor_units_are_converted_to_whole_coins_exactly() {
        for (value, units, major) in [
            ("119078888888888888887", "wei", Some("119.078888888888888887")),
            ("200000000000000000", "wei", Some("0.2")),
            ("50", "cents", Some("0.5")),
            ("1", "satoshis", Some("0.00000001")),
            ("1500000000", "lamports", Some("1.5")),
            ("-5", "cents", Some("-0.05")),
            ("3400", "major", Some("3400")),
            ("7", "grains", None),
        ] {
            let quantity = Quantity { value: value.parse().expect(value), units: Units::named(units) };
            assert_eq!(quantity.in_major().map(|value| value.to_string()).as_deref(), major, "{value} {units}");
            assert_eq!(quantity.units.as_str(), units);
        }
    }

    #[test]
    fn only_quantities_in_the_same_units_are_added() {
        let quantity = |value: &str, units| Quantity { value: value.parse().expect(value), units: Units::named(units) };
        let sum = quantity("9363699999622000", "wei").plus(&quantity("636300000378000", "wei"));
        assert_eq!(sum, Some(quantity("10000000000000000", "wei")));
        assert_eq!(quantity("1", "wei").plus(&quantity("1", "cents")), None);
    }

    proptest! {
        #[test]
        fn digits_of_any_length_are_kept_exactly(whole in "[1-9][0-9]{0,59}", fraction in "[0-9]{0,59}[1-9]") {
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
