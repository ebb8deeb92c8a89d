//! What was replayed, as text.

use super::dry_run::{ChangedResource, Counts, ResourceState};
use super::run::Replayed;
use crate::republish::plural;
use crate::show::{printable, shortened};

/// What was replayed by feed and name, what a dry run found, and the totals.
pub fn replayed_lines(replayed: &Replayed) -> Vec<String> {
    let Replayed { envelopes, sent, recorded, by_type, unreadable, statements, changes, refused, torn } = replayed;
    let mut lines = Vec::new();
    for (feed, types) in by_type {
        lines.extend(types.iter().map(|(named, count)| format!("{count:>8}  {feed:<18}  {named}")));
    }
    lines.extend(
        unreadable
            .iter()
            .map(|line| format!("NOT READ: {} line {}: {}", line.place.object, line.place.line, line.error)),
    );
    lines.extend(refused.iter().map(|why| format!("CANNOT BE RECORDED: {why}")));
    lines.extend(torn.iter().map(|torn| format!("TORN: {torn} were not written together; restore to another second")));
    lines.extend(changes.iter().flatten().map(changed_line));
    let envelopes = plural(*envelopes, "envelope");
    let counts = statements.map(|Counts { known, new, restated }| {
        format!("{envelopes} selected; statements: {new} new, {restated} restated, {known} known")
    });
    lines.push(match (counts, recorded) {
        (None, _) => format!("{envelopes} selected, {sent} sent to the ingress queue"),
        (Some(counts), Some(recorded)) => format!("{counts}; {recorded} recorded in the order of receipt"),
        (Some(counts), None) => {
            let changed = changes.as_ref().map_or(0, Vec::len);
            let would = match changed {
                0 => "nothing would change".to_owned(),
                changed => format!("{} would change", plural(changed, "resource")),
            };
            format!("{counts}; {would}. Nothing was sent")
        }
    });
    lines.iter().map(|line| printable(line)).collect()
}

fn changed_line(changed: &ChangedResource) -> String {
    let ChangedResource { resource, from, to, facts, events, needs_review } = changed;
    let facts = plural(usize::try_from(*facts).unwrap_or(usize::MAX), "new fact");
    let published = match events.as_slice() {
        [] => "publishes nothing".to_owned(),
        events => format!("publishes {}", events.join(", ")),
    };
    let review = if *needs_review { "; NEEDS REVIEW" } else { "" };
    let resource = shortened(&resource.to_string());
    format!("{resource}  {} → {}  {facts}; {published}{review}", state(from), state(to))
}

fn state(state: &ResourceState) -> String {
    let ResourceState { status, net, hold } = state;
    let status = status.unwrap_or("-");
    let money = net.as_ref().map(|net| format!("net {net}")).or_else(|| hold.map(|reason| reason.to_string()));
    money.map_or_else(|| status.to_owned(), |money| format!("{status} ({money})"))
}
