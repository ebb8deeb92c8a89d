//! What was published again, as text.

use super::republisher::{Republished, RepublishedResource};

/// One line for each resource, and the totals.
pub fn republished_lines(republished: &Republished, dry_run: bool) -> Vec<String> {
    let mut lines: Vec<String> = republished.resources.iter().map(line).collect();
    let (events, resources) = (republished.events(), republished.resources.len());
    let done = if dry_run { "would be published again" } else { "published again" };
    let failed = republished.failed().count();
    lines.push(match failed {
        0 => format!("{} of {} {done}", plural(events, "event"), plural(resources, "resource")),
        failed => format!("{failed} of {} could not be published", plural(resources, "resource")),
    });
    lines
}

fn line(resource: &RepublishedResource) -> String {
    let RepublishedResource { resource, events, failures } = resource;
    let sequences: Vec<&str> = events.iter().filter_map(|event| event.id.rsplit('#').next()).collect();
    let sequences = match sequences.as_slice() {
        [] if failures.is_empty() => "  no events".to_owned(),
        [] => String::new(),
        [only] => format!("  event #{only}"),
        [first, .., last] => format!("  events #{first} to #{last}"),
    };
    match failures.as_slice() {
        [] => format!("{resource}{sequences}"),
        failures => format!("{resource}{sequences}  FAILED: {}", failures.join("; ")),
    }
}

/// A number and what it counts, such as `1 event` or `2 events`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
