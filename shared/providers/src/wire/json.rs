//! Parsing a body that is almost JSON: with a byte order mark, half of a surrogate pair, or a member that is stated twice.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Fields;

/// The members of the JSON object in `body`, or a sentence about why it cannot be read.
///
/// A member that is stated twice with the same value is read once (Striga repeats members). A member that is stated
/// with different values becomes a list of them. No field accepts a list, so none of the values is used and none is
/// dropped.
///
/// What is not a character (half of a surrogate pair, bytes that are not UTF-8) is read as U+FFFD, the replacement
/// character. The evidence keeps the body as it came.
pub(crate) fn members(body: &[u8]) -> Result<Fields, String> {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let text = with_whole_characters(&text);
    let raw: &RawValue = serde_json::from_str(&text).map_err(|error| format!("the body is not JSON: {error}"))?;
    match value(raw, LEVELS_MAX)? {
        Value::Object(members) => Ok(Fields::new(members)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("the body is not a JSON object".to_owned())
        }
    }
}

/// `text` with the escape of U+FFFD in place of each escape of half a surrogate pair [rfc-8259 §8.2].
fn with_whole_characters(text: &str) -> Cow<'_, str> {
    /// The code unit of an escape such as `\u00fc` at the beginning of `text`.
    fn code_unit(text: &str) -> Option<u16> {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    }
    const ESCAPE_BYTES: usize = 6;
    let mut whole = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let rest = &text[at..];
        let next = rest.get(ESCAPE_BYTES..).and_then(code_unit);
        match (code_unit(rest), next) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 2 * ESCAPE_BYTES,
            (Some(0xD800..=0xDFFF), _) => {
                whole.push_str(&text[copied..at]);
                whole.push_str("\\ufffd");
                at += ESCAPE_BYTES;
                copied = at;
            }
            (Some(_), _) => at += ESCAPE_BYTES,
            // Another escape: two characters, the second of which may have several bytes in a text that is not JSON.
            (None, _) => at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
        }
    }
    if copied == 0 { Cow::Borrowed(text) } else { Cow::Owned(whole + &text[copied..]) }
}

/// How many levels of nesting are read: as many as serde_json reads.
const LEVELS_MAX: usize = 127;

/// The value in `raw`, with at most `levels` of nesting.
fn value(raw: &RawValue, levels: usize) -> Result<Value, String> {
    let text = raw.get();
    let inner =
        || levels.checked_sub(1).ok_or_else(|| format!("the body is nested more than {LEVELS_MAX} levels deep"));
    // The syntax of the whole body was checked, so no part of it can be wrong.
    let no_text = |error| format!("the body is not JSON: {error}");
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(stated) = serde_json::from_str(text).map_err(no_text)?;
            let levels = inner()?;
            let mut members: Map<String, Value> = Map::new();
            let mut repeated: Map<String, Value> = Map::new();
            for (name, raw) in stated {
                let value = value(raw, levels)?;
                match (members.get(&name), repeated.get_mut(&name)) {
                    (None, _) => drop(members.insert(name, value)),
                    (Some(first), None) if *first != value => {
                        repeated.insert(name.clone(), Value::Array(vec![first.clone(), value]));
                    }
                    (Some(_), Some(Value::Array(all))) if !all.contains(&value) => all.push(value),
                    (Some(_), _) => {}
                }
            }
            members.extend(repeated);
            Ok(Value::Object(members))
        }
        Some(b'[') => {
            let Items(items) = serde_json::from_str(text).map_err(no_text)?;
            let levels = inner()?;
            items.into_iter().map(|raw| value(raw, levels)).collect::<Result<Vec<Value>, _>>().map(Value::Array)
        }
        _ => serde_json::from_str(text).map_err(no_text),
    }
}

/// The members of an object in their order, with repetitions.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stated;

        impl<'de> Visitor<'de> for Stated {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Stated)
    }
}

/// The items of an array.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Listed;

        impl<'de> Visitor<'de> for Listed {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Items(all))
            }
        }

        deserializer.deserialize_seq(Listed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &str) -> Result<Value, String> {
        members(body.as_bytes()).map(|fields| Value::Object(fields.into_rest()))
    }

    #[test]
    fn a_body_without_repeated_members_is_read_as_by_any_parser() {
        for body in [
            r#"{}"#,
            r#"{"a":1,"b":[true,null,{"c":"d"}],"e":{"f":{}}}"#,
            r#"{"n":119078888888888888887.10,"s":"\u00fc\n"}"#,
            " {\"a\" : [ ] } \n",
        ] {
            assert_eq!(read(body), Ok(serde_json::from_str(body).expect(body)), "{body}");
        }
    }

    #[test]
    fn a_repeated_member_is_read_once_and_different_values_become_a_list() {
        assert_eq!(read(r#"{"memo":"x","memo":"x"}"#), Ok(json!({ "memo": "x" })));
        assert_eq!(read(r#"{"q":"1","q":"2","q":"1","q":"3"}"#), Ok(json!({ "q": ["1", "2", "3"] })));
        assert_eq!(read(r#"{"a":{"q":1,"q":2}}"#), Ok(json!({ "a": { "q": [1, 2] } })));
        assert_eq!(read(r#"{"a":[{"q":1,"q":1}]}"#), Ok(json!({ "a": [{ "q": 1 }] })));
    }

    #[test]
    fn what_is_not_a_character_is_read_as_the_replacement_character() {
        for (body, text) in [
            (r#"{"a":"x\ud800y"}"#, "x\u{fffd}y"),
            (r#"{"a":"\udc00"}"#, "\u{fffd}"),
            (r#"{"a":"\ud83d\ude00"}"#, "\u{1f600}"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}\u{1f600}"),
            (r#"{"a":"\\ud800"}"#, r"\ud800"),
            (r#"{"a":"\\\ud800"}"#, "\\\u{fffd}"),
            (r#"{"a":"\uD800\n"}"#, "\u{fffd}\n"),
        ] {
            assert_eq!(read(body), Ok(json!({ "a": text })), "{body}");
        }
        assert_eq!(read(r#"{"\ud800":1}"#), Ok(json!({ "\u{fffd}": 1 })));
        let not_utf8 = members(b"{\"a\":\"\xff\"}").map(|fields| Value::Object(fields.into_rest()));
        assert_eq!(not_utf8, Ok(json!({ "a": "\u{fffd}" })));
        assert!(read("\\").is_err() && read("\\ü").is_err() && read("{\"a\":\"\\").is_err());
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_a_body() {
        assert_eq!(read("\u{feff}{\"a\":1}"), Ok(json!({ "a": 1 })));
    }

    #[test]
    fn a_body_that_is_not_an_object_has_a_reason() {
        for (body, hint) in
            [("", "not JSON"), ("a=b", "not JSON"), ("[]", "not a JSON object"), ("7", "not a JSON object")]
        {
            assert!(read(body).is_err_and(|why| why.contains(hint)), "{body:?}");
        }
        let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
        assert!(read(&deep).is_err());
    }
}
