//! The examples in the page about events. Everything else on the page is written by hand.

use super::examples::Example;
use super::layout::dense;
use super::{EVENTS, GenerateError};

/// The beginning of a heading about an event type, which is between two backquotes.
const HEADING: &str = "### `fundhook.";

/// Replaces the first block of JSON below each type's heading by the type's example.
pub(super) fn insert(page: &str, examples: &[Example]) -> Result<String, GenerateError> {
    let mut written = String::new();
    // The example of the last heading, until it is written.
    let mut pending: Option<&Example> = None;
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let invalid = |why: String| GenerateError::Invalid { file: EVENTS, why: format!("line {}: {why}", at + 1) };
        written.push_str(line);
        written.push('\n');
        if line.starts_with('#') {
            pending = event_type(line).map(|name| example_of(name, examples).map_err(invalid)).transpose()?;
        } else if line == "```json"
            && let Some(example) = pending.take()
        {
            lines
                .by_ref()
                .find(|(_, line)| *line == "```")
                .ok_or_else(|| invalid("the block does not end".to_owned()))?;
            written.push_str(&dense(example.json()));
            written.push_str("\n```\n");
        }
    }
    Ok(written)
}

/// The event type in a heading, without `fundhook.`.
fn event_type(heading: &str) -> Option<&str> {
    let (name, _) = heading.strip_prefix(HEADING)?.split_once('`')?;
    Some(name)
}

fn example_of<'a>(name: &str, examples: &'a [Example]) -> Result<&'a Example, String> {
    let name = format!("fundhook.{name}");
    let example = examples.iter().find(|example| example.event_type() == name);
    example.ok_or_else(|| format!("no event has the type {name}"))
}
