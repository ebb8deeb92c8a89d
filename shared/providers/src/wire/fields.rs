//! Taking the members of a JSON object one by one.

use fundhook_domain::{DecimalValue, Network, Quantity, Timestamp, Units};
use serde_json::{Map, Value};

use super::asset::split_asset;

/// The longest string that gets its own field. The providers' longest (hashes, addresses, UUIDs) have about 100
/// bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// The longest string that is read as a time. RFC 3339 with nanoseconds and an offset has 35 bytes.
const TIME_BYTES_MAX: usize = 64;

/// The members of a JSON object that have not been taken yet.
///
/// Each `take_…` removes a member only if it has the requested form. A member that is not taken remains, and ends up in
/// the view under the provider's name: nothing that a provider states is dropped.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Takes the object `name`. `null` and a missing member are an empty object.
    pub(crate) fn take_object(&mut self, name: &str) -> Option<Self> {
        match self.0.get(name) {
            None | Some(Value::Null) => {
                self.0.remove(name);
                Some(Self::default())
            }
            Some(Value::Object(_)) => match self.0.remove(name) {
                Some(Value::Object(members)) => Some(Self(members)),
                _ => None,
            },
            Some(_) => None,
        }
    }

    /// Takes the object `name` if there is one.
    pub(crate) fn take_object_present(&mut self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|value| value.is_object())?;
        self.take_object(name)
    }

    /// Takes the string `name`, which may be sent as a number. An empty one is taken as missing.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<String> {
        self.take_text_if(name, |_| true)
    }

    /// Takes the string `name` if `fits` accepts it.
    pub(crate) fn take_text_if(&mut self, name: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let is_plain = text.len() <= TEXT_BYTES_MAX && !text.chars().any(is_unprintable);
        if text.is_empty() {
            self.0.remove(name);
            return None;
        }
        (is_plain && fits(&text)).then(|| {
            self.0.remove(name);
            text
        })
    }

    /// Whether `name` remains: it was not taken, or does not have the requested form.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes the string `name`, which is required.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<String, String> {
        self.take_text(name).ok_or_else(|| format!("`{name}` is missing, or not a plain string"))
    }

    /// The string `name`, without taking it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The boolean `name`, without taking it. It may be sent as a string.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Takes the exact number `name`, sent as a string or as a number. An empty string and `null` are taken as missing.
    /// Anything else that is not a number is an error: if it were taken as missing, the amount of an earlier webhook
    /// would be kept.
    pub(crate) fn take_decimal(&mut self, name: &str) -> Result<Option<DecimalValue>, String> {
        match self.take_text(name) {
            None if self.has(name) => Err(format!("`{name}` is not a number")),
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|error| format!("`{name}`: {error}")),
        }
    }

    /// Takes the asset code `name` as asset and network.
    pub(crate) fn take_asset(&mut self, name: &str) -> (Option<String>, Option<Network>) {
        let (asset, network) = self.take_text(name).as_deref().map(split_asset).unzip();
        (asset, network.flatten())
    }

    /// Takes the number `name` as a quantity in `units`.
    pub(crate) fn take_quantity(&mut self, name: &str, units: &Units) -> Result<Option<Quantity>, String> {
        let value = self.take_decimal(name)?;
        Ok(value.map(|value| Quantity { value, units: units.clone() }))
    }

    /// The instant `name`, without taking it: an RFC 3339 string, or a UNIX time in seconds, milliseconds or
    /// nanoseconds, as a number or a string. An empty string, `null` and 0 are taken as missing; anything else that is
    /// not an instant is an error.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, String> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => String::new(),
        };
        // The parser's error quotes the text, so a long one is not passed to it.
        if text.is_empty() || text.len() > TIME_BYTES_MAX {
            return Err(format!("`{name}` is not a time"));
        }
        if text == "0" {
            return Ok(None);
        }
        let is_number =
            text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
        let read = if is_number { Timestamp::from_unix_digits(&text) } else { text.parse() };
        read.map(Some).map_err(|error| format!("`{name}`: {error}"))
    }

    /// Takes the instant `name`. A 0 remains, because the provider stated it.
    pub(crate) fn take_time(&mut self, name: &str) -> Result<Option<Timestamp>, String> {
        let time = self.time(name)?;
        let is_empty = |value: &Value| value.is_null() || value.as_str() == Some("");
        if time.is_some() || self.0.get(name).is_some_and(is_empty) {
            self.0.remove(name);
        }
        Ok(time)
    }

    /// Drops `name` if it equals `text`, which is kept already.
    pub(crate) fn drop_repeated(&mut self, name: &str, text: &str) {
        if self.0.get(name).and_then(Value::as_str) == Some(text) {
            self.0.remove(name);
        }
    }

    /// Takes the value of `name`. An empty object and `null` are taken as missing.
    pub(crate) fn take_json(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| match value {
            Value::Null => false,
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
        })
    }

    /// Returns a string that was taken to the member `name`.
    pub(crate) fn keep_text(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), Value::String(text));
    }

    /// Returns the members of `child` that were not taken to the member `name`.
    pub(crate) fn keep_rest_of(&mut self, name: &str, child: Self) {
        if !child.0.is_empty() {
            self.0.insert(name.to_owned(), Value::Object(child.0));
        }
    }

    /// The members that were not taken.
    pub(crate) fn into_rest(self) -> Map<String, Value> {
        self.0
    }
}

/// Characters that an SNS message attribute cannot contain: controls, and two that XML 1.0 does not allow.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}
