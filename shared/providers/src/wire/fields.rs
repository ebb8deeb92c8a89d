//! The members of a JSON object, taken one by one.

use fundhook_domain::{DecimalValue, Network, Quantity, Timestamp, Units};
use serde_json::{Map, Value};

use super::asset::split_asset;

/// The longest text that becomes a field of its own. Providers' longest (hashes, addresses, UUIDs) have about 100.
const TEXT_BYTES_MAX: usize = 1024;

/// The longest text that is read as a time: RFC 3339 to the nanosecond, with an offset, has 35.
const TIME_BYTES_MAX: usize = 64;

/// The members of a JSON object that have not been taken yet.
///
/// Each `take_…` removes a member only when it has the form asked for. What nobody takes, or what has an odd form,
/// stays, and ends up in the view under the provider's own name: nothing a provider says is dropped.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Takes the object `name`; `null` and a missing member are an empty object.
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

    /// Takes the object `name` when there is one.
    pub(crate) fn take_object_present(&mut self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|value| value.is_object())?;
        self.take_object(name)
    }

    /// Takes the text `name`, which may be sent as a number. An empty one says nothing and is taken as missing.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<String> {
        self.take_text_if(name, |_| true)
    }

    /// Takes the text `name` when `fits` says so of it.
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

    /// Whether `name` is still there: nobody took it, or it has an odd form.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes the text `name`, which must be there.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<String, String> {
        self.take_text(name).ok_or_else(|| format!("`{name}` is missing, or not a plain text"))
    }

    /// The text `name`, which stays.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The boolean `name`, which stays; some send it as a text.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Takes the exact number `name`, sent as a text or as a number. Empty and `null` say nothing; anything else that is
    /// no number is an error: taken for a missing one, the amount of an earlier webhook would stand in its place.
    pub(crate) fn take_decimal(&mut self, name: &str) -> Result<Option<DecimalValue>, String> {
        match self.take_text(name) {
            None if self.has(name) => Err(format!("`{name}` is not a number in a plain text")),
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

    /// The instant `name`, which stays: an RFC 3339 text, or a UNIX time in seconds, milliseconds or nanoseconds, as a
    /// number or a text. Empty, `null` and 0, which some write for a time that is not known, say nothing; anything else that
    /// is no instant is an error.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, String> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => String::new(),
        };
        // The parser's error repeats the text, and a reason is a sentence.
        if text.is_empty() || text.len() > TIME_BYTES_MAX {
            return Err(format!("`{name}` is not a time in a plain text or number"));
        }
        if text == "0" {
            return Ok(None);
        }
        let is_number =
            text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
        let read = if is_number { Timestamp::from_unix_digits(&text) } else { text.parse() };
        read.map(Some).map_err(|error| format!("`{name}`: {error}"))
    }

    /// Takes the instant `name`. A 0 stays, as what the provider said.
    pub(crate) fn take_time(&mut self, name: &str) -> Result<Option<Timestamp>, String> {
        let time = self.time(name)?;
        let says_nothing = |value: &Value| value.is_null() || value.as_str() == Some("");
        if time.is_some() || self.0.get(name).is_some_and(says_nothing) {
            self.0.remove(name);
        }
        Ok(time)
    }

    /// Lets `name` go when it says the same as `text`, which is known already.
    pub(crate) fn drop_repeated(&mut self, name: &str, text: &str) {
        if self.0.get(name).and_then(Value::as_str) == Some(text) {
            self.0.remove(name);
        }
    }

    /// Takes whatever `name` holds; an empty object and `null` say nothing.
    pub(crate) fn take_json(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| match value {
            Value::Null => false,
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
        })
    }

    /// Puts a text that was taken back under `name`.
    pub(crate) fn keep_text(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), Value::String(text));
    }

    /// Puts what nobody took of `child` back under its name.
    pub(crate) fn keep_rest_of(&mut self, name: &str, child: Self) {
        if !child.0.is_empty() {
            self.0.insert(name.to_owned(), Value::Object(child.0));
        }
    }

    /// What nobody took.
    pub(crate) fn into_rest(self) -> Map<String, Value> {
        self.0
    }
}

/// Characters that a message attribute cannot hold: controls, and the two that XML 1.0 has no place for.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}
