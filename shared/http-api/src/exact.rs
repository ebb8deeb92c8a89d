//! Deserializes JSON values exactly, digit for digit, whether they are sent as a string or as a number.

use std::str::FromStr;

use fundhook_domain::Timestamp;
use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// The exact text of a JSON string or number; `None` for any other value.
fn text_of(raw: &RawValue) -> Option<String> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

/// A required string or number that is not empty.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = text_of(&raw).filter(|text| !text.is_empty());
    text.ok_or_else(|| Error::custom("expected a string or number that is not empty"))
}

/// A string or number; `None` where it is absent or `null`.
pub fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)?.filter(|raw| raw.get() != "null") else {
        return Ok(None);
    };
    text_of(&raw).map(Some).ok_or_else(|| Error::custom("expected a string, a number or null"))
}

/// A whole number, which may be sent as a string.
pub fn whole<'de, D: Deserializer<'de>, N: FromStr>(deserializer: D) -> Result<N, D::Error> {
    text(deserializer)?.parse().map_err(|_| Error::custom("expected a whole number that is not negative"))
}

/// A whole number, which may be sent as a string; `None` where it is absent, `null` or an empty string.
pub fn optional_whole<'de, D: Deserializer<'de>, N: FromStr>(deserializer: D) -> Result<Option<N>, D::Error> {
    let Some(text) = optional_text(deserializer)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| Error::custom("expected a whole number that is not negative, or null"))
}

/// A secret that is not empty.
pub fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(Error::custom("expected a token that is not empty"));
    }
    Ok(text.into())
}

/// The rows of a list, byte for byte as they were sent; empty where the list is `null`. The member is required.
pub fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<RawValue>>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A boolean, which may be sent as a string.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    optional_flag(deserializer)?.ok_or_else(|| Error::custom("expected true or false"))
}

/// A boolean, which may be sent as a string; `None` where it is absent, `null` or an empty string.
pub fn optional_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    match raw.as_ref().map(|raw| raw.get().trim_matches('"').to_ascii_lowercase()).as_deref() {
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        None | Some("null" | "") => Ok(None),
        Some(_) => Err(Error::custom("expected true or false")),
    }
}

/// A time as a UNIX time in seconds, milliseconds or nanoseconds, or as RFC 3339; `None` where it is absent, `null` or an
/// empty string.
pub fn optional_timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = optional_text(deserializer)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let timestamp = Timestamp::from_unix_digits(&text).or_else(|_| text.parse());
    timestamp.map(Some).map_err(|_| Error::custom("expected a UNIX time in s, ms or ns, or RFC 3339"))
}

#[cfg(test)]
mod tests {
    use serde_json::Deserializer;

    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_strings_their_characters() {
        for (json, read) in [
            ("119078888888888888887.100", "119078888888888888887.100"),
            ("1e-7", "1e-7"),
            (r#"".013""#, ".013"),
            (r#""\u00e4""#, "ä"),
        ] {
            assert_eq!(text(&mut Deserializer::from_str(json)).expect(json), read);
        }
        for json in ["null", "\"\"", "[]", "{}", "true"] {
            assert!(text(&mut Deserializer::from_str(json)).is_err(), "{json}");
        }
    }

    #[test]
    fn an_absent_value_is_none_and_an_unreadable_value_is_an_error() {
        for json in ["null", "\"\"", "\"null\""] {
            assert_eq!(optional_flag(&mut Deserializer::from_str(json)).expect(json), None);
        }
        assert!(optional_flag(&mut Deserializer::from_str("1")).is_err());
        assert!(flag(&mut Deserializer::from_str("null")).is_err());
        assert_eq!(optional_timestamp(&mut Deserializer::from_str("\"\"")).expect("none"), None);
        assert!(optional_timestamp(&mut Deserializer::from_str("17")).is_err());
    }
}
