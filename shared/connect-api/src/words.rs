//! What a provider says about a refusal, without what the call had to keep to itself.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// The longest text of a provider that is kept.
const CHARS_MAX: usize = 300;
/// What stands for a secret or a user's data that the provider repeated.
const HIDDEN: &str = "[hidden]";
/// A shorter value is only hidden where it stands alone: `IL` is no part of `FAILED`.
const PART_BYTES_MIN: usize = 4;

/// The provider's words about a refusal, shortened, with every secret of the call and all data of a user that the call
/// sent replaced by `[hidden]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderWords {
    /// The answer's `error`, such as `invalid_client`.
    pub error: Option<String>,
    /// The answer's `error_description`.
    pub error_description: Option<String>,
    /// The answer's `message`.
    pub message: Option<String>,
    /// The type of an answer that is not JSON, and so has no words for a program.
    pub other_type: Option<String>,
}

/// The fields of a refusal; each is taken only where it is a text.
#[derive(Deserialize)]
struct Refusal {
    error: Option<Value>,
    error_description: Option<Value>,
    message: Option<Value>,
}

impl ProviderWords {
    /// What `body` says, which its header calls a `content_type`.
    pub(crate) fn read(body: &[u8], content_type: &str, hidden: &Hidden) -> Self {
        if body.trim_ascii().is_empty() {
            return Self::default();
        }
        let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
            return Self { other_type: Some(content_type.to_owned()), ..Self::default() };
        };
        let text = |value: Option<Value>| {
            let text = hidden.remove(value?.as_str()?);
            Some(text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(CHARS_MAX).collect())
        };
        Self {
            error: text(refusal.error),
            error_description: text(refusal.error_description),
            message: text(refusal.message),
            other_type: None,
        }
    }
}

impl fmt::Display for ProviderWords {
    /// Each on its own behind a colon, nothing where nothing was said: the end of a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for words in [&self.error, &self.error_description, &self.message].into_iter().flatten() {
            write!(f, ": {words}")?;
        }
        match &self.other_type {
            Some(other) => write!(f, ": the answer is no JSON, its content type: {other}"),
            None => Ok(()),
        }
    }
}

/// What a call sends that no message may repeat.
#[derive(Clone, Default)]
pub(crate) struct Hidden(Vec<String>);

impl Hidden {
    pub(crate) fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| !value.trim().is_empty()).collect();
        // The longest first: a value may be part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// Every text and number in `value`.
    pub(crate) fn leaves_of(value: &Value) -> Self {
        let mut found = Vec::new();
        leaves(value, &mut found);
        Self::of(found)
    }

    /// These and `others`.
    pub(crate) fn and(self, others: Self) -> Self {
        Self::of(self.0.into_iter().chain(others.0))
    }

    /// `text` without the hidden values, in whatever case of ASCII letters it repeats them.
    fn remove(&self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        let mut place = 0;
        while let Some(char) = text[place..].chars().next() {
            match self.0.iter().find(|value| stands_at(text, place, value)) {
                Some(value) => {
                    kept.push_str(HIDDEN);
                    place += value.len();
                }
                None => {
                    kept.push(char);
                    place += char.len_utf8();
                }
            }
        }
        kept
    }
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, found)),
    }
}

fn stands_at(text: &str, place: usize, value: &str) -> bool {
    let end = place + value.len();
    if !text.get(place..end).is_some_and(|part| part.eq_ignore_ascii_case(value)) {
        return false;
    }
    let part_of_a_word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
    let alone = !part_of_a_word(text[..place].chars().next_back()) && !part_of_a_word(text[end..].chars().next());
    value.len() >= PART_BYTES_MIN || alone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_hidden_wherever_and_in_whatever_case_it_is_repeated() {
        let hidden = Hidden::of(["canary".to_owned(), "IL".to_owned(), "canary-long".to_owned(), " ".to_owned()]);
        for (said, kept) in [
            ("client_secret=canary.", "client_secret=[hidden]."),
            ("xCANARYx", "x[hidden]x"),
            ("canary-long", "[hidden]"),
            ("FAILED in IL", "FAILED in [hidden]"),
            ("ünïcode stays", "ünïcode stays"),
            ("", ""),
        ] {
            assert_eq!(hidden.remove(said), kept);
        }
    }

    #[test]
    fn words_are_shortened_and_stay_on_one_line() {
        let body = serde_json::json!({"error": "a\nb", "message": "x".repeat(CHARS_MAX + 1), "error_description": 7});
        let words = ProviderWords::read(body.to_string().as_bytes(), "application/json", &Hidden::default());
        assert_eq!(words.error.as_deref(), Some("a b"));
        assert_eq!(words.message.map(|message| message.len()), Some(CHARS_MAX));
        assert_eq!(words.error_description, None);
    }
}
