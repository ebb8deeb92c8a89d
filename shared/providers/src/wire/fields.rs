//! Taking the members of a JSON object one by one.

use fundhook_domain::{DecimalValue, Network, Quantity, Timestamp, Units, split_asset_code};
use serde_json::{Map, Value};

/// The longest string that gets its own field. The providers' longest (hashes, addresses, UUIDs) have about 100
/// bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// The longest string that is read as a time. RFC 3339 with nanoseconds and an offset has 35 bytes.
const TIME_BYTES_MAX: usize = 64;

/// The member of the provider's data that holds Fundhook's own notes.
const NOTES_MEMBER: &str = "fundhook";

/// How many notes are kept.
const NOTES_MAX: usize = 16;

/// The members of a JSON object that have not been taken yet.
///
/// Each `take_…` removes a member only if it has the requested form. A member that cannot be read remains, with a note,
/// and ends up in the view under the provider's name: nothing that a provider states is dropped, and an odd member
/// never costs a webhook. White space around a text is not part of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    members: Map<String, Value>,
    notes: Vec<String>,
}

impl Fields {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self { members, notes: Vec::new() }
    }

    /// Takes the object `name`. `null` and a missing member are an empty object.
    pub(crate) fn take_object(&mut self, name: &str) -> Option<Self> {
        match self.members.get(name) {
            None | Some(Value::Null) => {
                self.members.remove(name);
                Some(Self::default())
            }
            Some(Value::Object(_)) => match self.members.remove(name) {
                Some(Value::Object(members)) => Some(Self::new(members)),
                _ => None,
            },
            Some(_) => None,
        }
    }

    /// Takes the object `name` if there is one.
    pub(crate) fn take_object_present(&mut self, name: &str) -> Option<Self> {
        self.members.get(name).filter(|value| value.is_object())?;
        self.take_object(name)
    }

    /// Takes the string `name`, which may be sent as a number. An empty one is taken as missing.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<String> {
        let text = self.take_text_if(name, |_| true);
        if text.is_none() && self.has(name) {
            self.note(format!("`{name}` is not a plain string"));
        }
        text
    }

    /// Takes the first of the strings `names` that is stated. It is an error when that one is not a plain string:
    /// another name must not take the place of a name that cannot be read.
    pub(crate) fn take_first_text(&mut self, names: &[&str]) -> Result<Option<String>, String> {
        for name in names.iter().filter(|name| !self.states(name)).collect::<Vec<_>>() {
            self.members.remove(*name);
        }
        let Some(name) = names.iter().find(|name| self.states(name)) else {
            return Ok(None);
        };
        let text = self.take_text_if(name, |_| true);
        text.map(Some).ok_or_else(|| format!("`{name}` is not a plain string"))
    }

    /// Takes the string `name` if `fits` accepts it.
    pub(crate) fn take_text_if(&mut self, name: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
        let value = self.members.get(name)?;
        if is_empty(value) {
            self.members.remove(name);
            return None;
        }
        let text = plain_text(value)?.to_owned();
        fits(&text).then(|| {
            self.members.remove(name);
            text
        })
    }

    /// Whether `name` remains: it was not taken, or does not have the requested form.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether `name` remains and is neither `null` nor an empty string.
    pub(crate) fn states(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !is_empty(value))
    }

    /// Takes the string `name`, which is required.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<String, String> {
        self.take_text_if(name, |_| true).ok_or_else(|| format!("`{name}` is missing, or not a plain string"))
    }

    /// The string `name`, without taking it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The value of `name`, without taking it.
    pub(crate) fn json(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// The boolean `name`, without taking it. It may be sent as a string or as 0 or 1.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        let text = match self.members.get(name)? {
            Value::Bool(flag) => return Some(*flag),
            Value::String(text) => text.trim().to_ascii_lowercase(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        match text.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// Takes the exact number `name`, sent as a string or as a number. An empty string and `null` are taken as missing.
    /// A member that is not a number remains, with a note.
    pub(crate) fn take_decimal(&mut self, name: &str) -> Option<DecimalValue> {
        let text = match self.take_text_if(name, |text| text.parse::<DecimalValue>().is_ok()) {
            Some(text) => text,
            None => {
                if self.has(name) {
                    self.note(format!("`{name}` is not a number"));
                }
                return None;
            }
        };
        text.parse().ok()
    }

    /// The exact number `name`, without taking it.
    pub(crate) fn decimal(&self, name: &str) -> Option<DecimalValue> {
        plain_text(self.members.get(name)?)?.parse().ok()
    }

    /// Whether `name` states something that is not a number.
    pub(crate) fn is_no_number(&self, name: &str) -> bool {
        self.states(name) && self.decimal(name).is_none()
    }

    /// Takes the asset code `name` as asset and network.
    pub(crate) fn take_asset(&mut self, name: &str) -> (Option<String>, Option<Network>) {
        let (asset, network) = self.take_text(name).as_deref().map(split_asset_code).unzip();
        (asset, network.flatten())
    }

    /// Takes the number `name` as a quantity in `units`.
    pub(crate) fn take_quantity(&mut self, name: &str, units: &Units) -> Option<Quantity> {
        let value = self.take_decimal(name)?;
        Some(Quantity { value, units: units.clone() })
    }

    /// The instant `name`, without taking it, in [any form](Timestamp::from_any_form), as a number or a string. An
    /// empty string, `null`, 0 and the year 1 stand for a missing date.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        self.read_time(name).ok().flatten()
    }

    fn read_time(&self, name: &str) -> Result<Option<Timestamp>, String> {
        let text = match self.members.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => return Err(format!("`{name}` is not a time")),
        };
        // The parser's error quotes the text, so a long one is not passed to it. No form of time begins with a sign.
        if text.len() > TIME_BYTES_MAX || text.starts_with(['+', '-']) {
            return Err(format!("`{name}` is not a time"));
        }
        if text.is_empty() || text == "0" {
            return Ok(None);
        }
        // A number with an exponent is the number without one.
        let digits =
            if text.contains(['e', 'E']) { text.parse().ok().map(|v: DecimalValue| v.to_string()) } else { None };
        let read = Timestamp::from_any_form(digits.as_deref().unwrap_or(&text));
        read.map(|at| Some(at).filter(|at| !at.is_zero())).map_err(|error| format!("`{name}`: {error}"))
    }

    /// Takes the instant `name`. A zero remains, because the provider stated it; so does what is not an instant, with a
    /// note.
    pub(crate) fn take_time(&mut self, name: &str) -> Option<Timestamp> {
        let time = self.noted_time(name);
        if time.is_some() || !self.states(name) {
            self.members.remove(name);
        }
        time
    }

    /// The instant `name`, without taking it, with a note if it is not an instant.
    pub(crate) fn noted_time(&mut self, name: &str) -> Option<Timestamp> {
        self.read_time(name).unwrap_or_else(|why| {
            self.note(why);
            None
        })
    }

    /// Drops `name` if it equals `text`, which is kept already.
    pub(crate) fn drop_repeated(&mut self, name: &str, text: &str) {
        if self.members.get(name).and_then(Value::as_str).map(str::trim) == Some(text) {
            self.members.remove(name);
        }
    }

    /// Takes the value of `name`. An empty object and `null` are taken as missing.
    pub(crate) fn take_json(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| match value {
            Value::Null => false,
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
        })
    }

    /// Gives the member `from` the name `to`, unless there is one already.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if !self.has(to)
            && let Some(value) = self.members.remove(from)
        {
            self.members.insert(to.to_owned(), value);
        }
    }

    /// Renames members in camel case: `depositId` becomes `deposit_id`, unless there is one already.
    pub(crate) fn use_snake_case(&mut self) {
        let camel: Vec<String> =
            self.members.keys().filter(|name| name.contains(char::is_uppercase)).cloned().collect();
        for name in camel {
            let mut snake = String::with_capacity(name.len() + 4);
            for char in name.chars() {
                if char.is_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.extend(char.to_lowercase());
            }
            self.rename(&name, &snake);
        }
    }

    /// Returns a string that was taken to the member `name`.
    pub(crate) fn keep_text(&mut self, name: &str, text: String) {
        self.members.insert(name.to_owned(), Value::String(text));
    }

    /// Returns the members of `child` that were not taken, and its notes, to the member `name`.
    pub(crate) fn keep_rest_of(&mut self, name: &str, child: Self) {
        let Self { members, notes } = child;
        if !members.is_empty() {
            self.members.insert(name.to_owned(), Value::Object(members));
        }
        notes.into_iter().for_each(|note| self.note(note.replacen('`', &format!("`{name}."), 1)));
    }

    /// Adds the members of `child`, which was the member `name`, beside its own. Those that exist already stay below
    /// `name`.
    pub(crate) fn unfold(&mut self, name: &str, child: Self) {
        let Self { members, notes } = child;
        let (both, new): (Map<_, _>, Map<_, _>) = members.into_iter().partition(|(name, _)| self.has(name));
        self.members.extend(new);
        self.keep_rest_of(name, Self { members: both, notes });
    }

    /// Notes why a member could not be read.
    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The members that were not taken, and the notes under `fundhook.notes`.
    pub(crate) fn into_rest(self) -> Map<String, Value> {
        let Self { mut members, notes } = self;
        if !notes.is_empty() {
            let own = members.entry(NOTES_MEMBER).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(own) = own {
                // What the provider states is never replaced.
                own.entry("notes").or_insert_with(|| Value::from(notes));
            }
        }
        members
    }
}

/// Whether `value` states nothing: `null`, or a string without any character but white space.
fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The text of a string or a number that can have a field of its own.
fn plain_text(value: &Value) -> Option<&str> {
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Number(number) => number.as_str(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    is_plain(text).then_some(text)
}

/// Whether a text can have a field of its own.
fn is_plain(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.chars().any(is_unprintable)
}

/// Characters that an SNS message attribute cannot contain: controls, and two that XML 1.0 does not allow.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}
