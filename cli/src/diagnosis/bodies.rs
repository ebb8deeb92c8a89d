//! Changes that software makes to a body in transit.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

/// The forms of a body that software produces when it parses and serialises it again.
pub(super) fn other_bodies(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = Vec::new();
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        forms.push(("compact JSON with sorted keys", json.to_string().into_bytes()));
        if let Ok(pretty) = serde_json::to_string_pretty(&json) {
            forms.push(("indented JSON with sorted keys", pretty.into_bytes()));
        }
    }
    let text = String::from_utf8_lossy(body).into_owned();
    forms.push(("JSON without white space between its parts", without_white_space(&text).into_bytes()));
    forms.push(("the body without the white space at its end", text.trim_end().as_bytes().to_vec()));
    forms.push(("the body with a line break at its end", format!("{text}\n").into_bytes()));
    forms.push(("the body with LF line breaks", text.replace("\r\n", "\n").into_bytes()));
    forms.push(("the body with CRLF line breaks", text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()));
    if let Ok(decoded) = BASE64_STANDARD.decode(text.trim()) {
        forms.push(("the decoded body, if the body is base64", decoded));
    }
    forms.push(("the base64 form of the body", BASE64_STANDARD.encode(body).into_bytes()));
    forms.push(("an empty body", Vec::new()));
    forms
}

/// JSON text without the white space outside its strings.
fn without_white_space(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        if in_string {
            (in_string, escaped) = (escaped || *c != '"', !escaped && *c == '\\');
            return true;
        }
        in_string = *c == '"';
        !c.is_ascii_whitespace()
    };
    text.chars().filter(keep).collect()
}
