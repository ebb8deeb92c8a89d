//! Compact JSON for readers, with lines as long as in the code.

/// The maximum length of a line, as in the code.
const COLUMNS_MAX: usize = 120;

/// Puts pretty-printed JSON on fewer lines: an object or array that fits on a line gets one line, and short members of
/// nested objects share lines.
pub(super) fn dense(pretty: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // The first lines of the open objects and arrays.
    let mut open: Vec<usize> = Vec::new();
    for line in pretty.lines() {
        lines.push(line.to_owned());
        if opens(line) {
            open.push(lines.len() - 1);
        } else if closes(line)
            && let Some(from) = open.pop()
        {
            let block = lines.split_off(from);
            let joined = join(&block);
            if fits(&joined) {
                lines.push(joined);
            } else if open.is_empty() {
                lines.extend(block);
            } else {
                lines.extend(fill(block));
            }
        }
    }
    lines.join("\n")
}

fn opens(line: &str) -> bool {
    line.ends_with(['{', '['])
}

fn closes(line: &str) -> bool {
    line.trim_start().starts_with(['}', ']'])
}

fn fits(line: &str) -> bool {
    line.chars().count() <= COLUMNS_MAX
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The lines of an object or array on one line.
fn join(block: &[String]) -> String {
    let [first, inner @ .., last] = block else {
        return block.concat();
    };
    let inner: Vec<&str> = inner.iter().map(|line| line.trim()).collect();
    let space = if first.ends_with('{') { " " } else { "" };
    format!("{first}{space}{}{space}{}", inner.join(" "), last.trim())
}

/// The lines of an object or array, with adjacent one-line members joined while they fit.
fn fill(block: Vec<String>) -> Vec<String> {
    let level = block.get(1).map_or(0, |member| indentation(member));
    let is_member = |line: &str| indentation(line) == level && !opens(line) && !closes(line);
    let mut filled: Vec<String> = Vec::new();
    for line in block {
        if let Some(last) = filled.last_mut()
            && is_member(last)
            && is_member(&line)
        {
            let together = format!("{last} {}", line.trim_start());
            if fits(&together) {
                *last = together;
                continue;
            }
        }
        filled.push(line);
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_fits_on_a_line_is_on_one_line_and_the_value_is_unchanged() {
        let long = "x".repeat(COLUMNS_MAX);
        let value = json!({
            "a": { "b": [1, { "c": "{" }], "d": {} },
            "e": [],
            "long": { "f": long, "g": ["h"], "i": 1, "j": { "k": "[" }, "l": [long], "m": true },
        });
        let dense = dense(&format!("{value:#}"));
        let lines = [
            "{",
            r#"  "a": { "b": [1, { "c": "{" }], "d": {} },"#,
            r#"  "e": [],"#,
            r#"  "long": {"#,
            &format!(r#"    "f": "{long}","#),
            r#"    "g": ["h"], "i": 1, "j": { "k": "[" },"#,
            r#"    "l": ["#,
            &format!(r#"      "{long}""#),
            "    ],",
            r#"    "m": true"#,
            "  }",
            "}",
        ];
        assert_eq!(dense, lines.join("\n"));
        assert_eq!(serde_json::from_str::<Value>(&dense).expect("JSON"), value);
    }
}
