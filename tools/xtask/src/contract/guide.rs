//! The guide to the events: its examples are written into it, the rest by people.

use super::ContractError;
use super::examples::Example;
use super::layout::dense;

/// How a heading begins that names a type: the type stands between the two backquotes.
const HEADING: &str = "### `fundhook.";

/// `guide` with the example of each type in the first block of JSON below the type's heading.
pub(super) fn with_examples(guide: &str, examples: &[Example]) -> Result<String, ContractError> {
    let mut written = String::new();
    // The example that is due below the last heading.
    let mut due: Option<&Example> = None;
    let mut lines = guide.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let fault = |why: String| ContractError::Guide { line: at + 1, why };
        written.push_str(line);
        written.push('\n');
        if line.starts_with('#') {
            due = described(line).map(|name| example_of(name, examples).map_err(fault)).transpose()?;
        } else if line == "```json"
            && let Some(example) = due.take()
        {
            lines
                .by_ref()
                .find(|(_, line)| *line == "```")
                .ok_or_else(|| fault("the block does not end".to_owned()))?;
            written.push_str(&dense(example.json()));
            written.push_str("\n```\n");
        }
    }
    Ok(written)
}

/// The type that a heading names, if it does.
fn described(heading: &str) -> Option<&str> {
    let (name, _) = heading.strip_prefix(HEADING)?.split_once('`')?;
    Some(name)
}

fn example_of<'a>(name: &str, examples: &'a [Example]) -> Result<&'a Example, String> {
    let name = format!("fundhook.{name}");
    let example = examples.iter().find(|example| example.event_type() == name);
    example.ok_or_else(|| format!("no event is of the type {name}"))
}
