//! What the provider says about a failed call, without the secrets and personal data of the call.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// The longest text that is kept.
const CHARS_MAX: usize = 300;
/// How many texts of a list are kept.
const LISTED_MAX: usize = 3;
/// The replacement for a secret or personal data that the provider repeated.
const HIDDEN: &str = "[hidden]";
/// Shorter values are hidden only where they are a whole word: `IL` is not hidden in `FAILED`.
const PART_BYTES_MIN: usize = 4;

/// The provider's own explanation of a failed call, shortened. Every secret of the call, and all data about a user that the
/// call sent, are replaced by `[hidden]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderMessage {
    /// The response's `error`, such as `invalid_client`.
    pub error: Option<String>,
    /// The response's `error_description`.
    pub error_description: Option<String>,
    /// The response's `message`.
    pub message: Option<String>,
    /// The response's `errors`, at most three.
    pub errors: Vec<String>,
    /// What the response calls `missing_requirements`, at most three.
    pub missing_requirements: Vec<String>,
    /// Whether the response is a JSON object with one of the members above, as every error of the APIs is. That of a proxy
    /// before the API is not.
    pub is_api_error: bool,
    /// The media type of a response that is not JSON, whose text is not kept.
    pub non_json_type: Option<String>,
}

/// The members of an error response. Of `error`, `error_description` and `message`, strings are kept; of the other two,
/// strings and lists of strings. Anything else is skipped: zerohash also sends `"error": true` [zerohash-openapi].
#[derive(Deserialize)]
struct ErrorReply {
    error: Option<Value>,
    error_description: Option<Value>,
    message: Option<Value>,
    errors: Option<Value>,
    missing_requirements: Option<Value>,
}

impl ProviderMessage {
    /// Reads an error response of the type `content_type`.
    pub(crate) fn read(body: &[u8], content_type: &str, redactions: &Redactions) -> Self {
        if body.trim_ascii().is_empty() {
            return Self::default();
        }
        let Ok(reply) = serde_json::from_slice::<ErrorReply>(body) else {
            return Self { non_json_type: Some(content_type.to_owned()), ..Self::default() };
        };
        let is_api_error = reply.error.is_some() || reply.errors.is_some() || reply.message.is_some();
        let cleaned = |text: &str| {
            let text = redactions.apply(text);
            text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(CHARS_MAX).collect::<String>()
        };
        let text = |value: Option<Value>| value?.as_str().map(cleaned);
        let texts = |value: Option<Value>| {
            let found = match value.unwrap_or_default() {
                Value::Array(items) => items,
                one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                    vec![one]
                }
            };
            found.iter().filter_map(Value::as_str).take(LISTED_MAX).map(cleaned).collect()
        };
        Self {
            error: text(reply.error),
            error_description: text(reply.error_description),
            message: text(reply.message),
            errors: texts(reply.errors),
            missing_requirements: texts(reply.missing_requirements),
            is_api_error,
            non_json_type: None,
        }
    }
}

impl fmt::Display for ProviderMessage {
    /// The end of an error's message: each text after a colon; nothing where the provider said nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = [&self.error, &self.error_description, &self.message].into_iter().flatten();
        for text in texts.chain(&self.errors) {
            write!(f, ": {text}")?;
        }
        if !self.missing_requirements.is_empty() {
            write!(f, ": missing {}", self.missing_requirements.join(", "))?;
        }
        match &self.non_json_type {
            Some(content_type) => write!(f, ": the response is not JSON, content type {content_type}"),
            None => Ok(()),
        }
    }
}

/// The values of a call that no message may repeat.
#[derive(Clone, Default)]
pub struct Redactions(Vec<String>);

impl Redactions {
    /// These values. Empty ones are left out.
    pub fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| !value.trim().is_empty()).collect();
        // The longest first: one value may be part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// Every string and number in `value`.
    pub fn leaves_of(value: &Value) -> Self {
        let mut found = Vec::new();
        leaves(value, &mut found);
        Self::of(found)
    }

    /// These values and `others`.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self::of(self.0.into_iter().chain(others.0))
    }

    /// `text` with each of the values replaced, compared without regard to ASCII case.
    fn apply(&self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        let mut place = 0;
        while let Some(char) = text[place..].chars().next() {
            match self.0.iter().find(|value| is_at(text, place, value)) {
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

fn is_at(text: &str, place: usize, value: &str) -> bool {
    let end = place + value.len();
    if !text.get(place..end).is_some_and(|part| part.eq_ignore_ascii_case(value)) {
        return false;
    }
    let is_in_word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
    let is_whole_word = !is_in_word(text[..place].chars().next_back()) && !is_in_word(text[end..].chars().next());
    value.len() >= PART_BYTES_MIN || is_whole_word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redacted_values_are_replaced_everywhere_and_in_any_case() {
        let redactions =
            Redactions::of(["canary".to_owned(), "IL".to_owned(), "canary-long".to_owned(), " ".to_owned()]);
        for (said, kept) in [
            ("client_secret=canary.", "client_secret=[hidden]."),
            ("xCANARYx", "x[hidden]x"),
            ("canary-long", "[hidden]"),
            ("FAILED in IL", "FAILED in [hidden]"),
            ("ünïcode stays", "ünïcode stays"),
            ("", ""),
        ] {
            assert_eq!(redactions.apply(said), kept);
        }
    }

    #[test]
    fn a_message_is_shortened_and_stays_on_one_line() {
        let body = serde_json::json!({"error": "a\nb", "message": "x".repeat(CHARS_MAX + 1), "error_description": 7});
        let message = ProviderMessage::read(body.to_string().as_bytes(), "application/json", &Redactions::default());
        assert_eq!(message.error.as_deref(), Some("a b"));
        assert_eq!(message.message.map(|message| message.len()), Some(CHARS_MAX));
        assert_eq!(message.error_description, None);
    }

    #[test]
    fn every_documented_error_body_of_zerohash_is_read() {
        let redactions = Redactions::of(["CUST01".to_owned()]);
        for (body, shown) in [
            (r#"{"errors":["bad asset","no CUST01"]}"#, ": bad asset: no [hidden]"),
            (r#"{"error":true,"message":"Invalid signature"}"#, ": Invalid signature"),
            (r#"{"error":"not found","errors":null}"#, ": not found"),
            (
                r#"{"error":"not eligible","missing_requirements":["fund_auto_convert","tax_id"]}"#,
                ": not eligible: missing fund_auto_convert, tax_id",
            ),
            (r#"{"error":"not eligible","missing_requirements":{"x":1},"errors":[1,{}]}"#, ": not eligible"),
            (r#"{"errors":"one text"}"#, ": one text"),
            ("{}", ""),
        ] {
            let message = ProviderMessage::read(body.as_bytes(), "application/json", &redactions);
            assert_eq!(message.to_string(), shown, "{body}");
            assert_eq!(message.is_api_error, body != "{}", "{body}");
        }
        let page = ProviderMessage::read(b"error code: 1020", "text/plain", &redactions);
        assert_eq!(page.to_string(), ": the response is not JSON, content type text/plain");
        assert!(!page.is_api_error && !ProviderMessage::read(b"", "text/html", &redactions).is_api_error);
        let problem = ProviderMessage::read(br#"{"title":"Error 1020","status":403}"#, "application/json", &redactions);
        assert!(!problem.is_api_error);
    }
}
