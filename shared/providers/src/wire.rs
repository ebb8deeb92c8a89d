//! Taking a provider's JSON apart without ever failing on it.

use fundhook_domain::Timestamp;
use serde_json::{Map, Value};

/// The longest text that becomes a field of its own. Providers' longest (hashes, addresses, UUIDs) have about 100.
const TEXT_BYTES_MAX: usize = 1024;

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

    /// Takes the RFC 3339 time `name`; empty and `null` say nothing.
    pub(crate) fn take_rfc3339(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.take_text_if(name, |text| text.parse::<Timestamp>().is_ok())?;
        text.parse().ok()
    }

    /// Takes whatever `name` holds; an empty object and `null` say nothing.
    pub(crate) fn take_json(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| match value {
            Value::Null => false,
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
        })
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
