//! Publishes again what pointers to unpublished changes are about.
//!
//! A pointer has no records, and the stream keeps those for 24 hours only. But the table says everything again: of each
//! resource that was written when the records were, or since, the events of all facts that may have been recorded by then.
//! That is more than the pointer is about, and never less. Events that were published already have the same ids.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_ports::{FactPages, ItemsOf, PortError, StoredItems, WaitingMessage, WaitingMessages, chain};

use super::collect::{Limits, collect};
use super::pointer::Pointer;
use super::redrive::{Redriven, RedrivenLetter, Selection, SentTo};
use crate::republish::{Destination, InvokePublisher, RepublishError, Republished, Republisher, Window};

/// How much earlier and later than a pointer says its records may have been written: the times are to the second, and the
/// clocks of the functions differ from the stream's.
pub const MARGIN: Duration = Duration::from_secs(5 * 60);

/// How many resources that could not be published a pointer names.
const NAMED_MAX: usize = 3;

/// Publishes again what the selected pointers in `queue` are about, and deletes them. `destination_of` tells where the
/// function with a name publishes; `republisher` publishes there. A pointer is kept if anything of it could not be published.
///
/// A dry run publishes and deletes nothing; `republisher` must not publish then either.
pub async fn redrive_pointers<T, I>(
    queue: &impl WaitingMessages,
    selection: &Selection,
    limits: Limits,
    dry_run: bool,
    destination_of: impl Fn(&str) -> Option<Destination>,
    republisher: impl Fn(Destination) -> Republisher<T, I>,
) -> Result<Redriven, PortError>
where
    T: StoredItems + FactPages,
    I: InvokePublisher,
{
    let wanted = match selection {
        Selection::All { .. } => None,
        Selection::Ids(ids) => Some(ids),
    };
    let collected = collect(queue, limits, wanted).await?;
    let mut redriven = Redriven { cut: collected.cut, ..Redriven::default() };
    if let Some(ids) = wanted {
        let is_there = |id: &&String| collected.messages.iter().any(|message| message.id == **id);
        redriven.not_found = ids.iter().filter(|id| !is_there(id)).cloned().collect();
        redriven.cut &= !redriven.not_found.is_empty();
    }
    let (selected, mut given_back): (Vec<_>, Vec<_>) =
        collected.messages.into_iter().partition(|message| selection.selects(message));
    redriven.newer = selection.newer(&given_back);
    let mut by_destination: BTreeMap<Destination, Vec<(WaitingMessage, Pointer)>> = BTreeMap::new();
    for message in selected {
        match read(&message, &destination_of) {
            Ok((destination, pointer)) => by_destination.entry(destination).or_default().push((message, pointer)),
            Err(why) => {
                redriven.letters.push(letter(&message, 0, 0, Some(why)));
                given_back.push(message);
            }
        }
    }
    for (destination, pointers) in by_destination {
        let published = publish(&republisher(destination), &pointers).await;
        let (resources, events) =
            published.as_ref().map_or((0, 0), |published| (published.resources.len(), published.events()));
        let failure = match &published {
            Ok(published) => failure(published),
            Err(error) => Some(chain(error)),
        };
        for (message, _) in pointers {
            let kept =
                match &failure {
                    Some(why) => Some(why.clone()),
                    None if dry_run => None,
                    None => queue.delete(&message).await.err().map(|error| {
                        format!("it was published, and the pointer could not be deleted: {}", chain(&error))
                    }),
                };
            redriven.letters.push(letter(&message, resources, events, kept.clone()));
            given_back.extend((dry_run || kept.is_some()).then_some(message));
        }
    }
    redriven.give_back(queue, &given_back).await;
    Ok(redriven)
}

fn letter(message: &WaitingMessage, resources: usize, events: usize, kept: Option<String>) -> RedrivenLetter {
    RedrivenLetter { id: message.id.clone(), to: SentTo::Publisher { resources, events }, kept }
}

fn read(
    message: &WaitingMessage,
    destination_of: &impl Fn(&str) -> Option<Destination>,
) -> Result<(Destination, Pointer), String> {
    let pointer = Pointer::from_message(&message.body).map_err(|error| chain(&error))?;
    let destination = destination_of(&pointer.function)
        .ok_or_else(|| format!("{} is not a publisher of this stack", pointer.function))?;
    Ok((destination, pointer))
}

/// Publishes what all `pointers` are about in one pass over the table.
async fn publish<T, I>(
    republisher: &Republisher<T, I>,
    pointers: &[(WaitingMessage, Pointer)],
) -> Result<Republished, RepublishError>
where
    T: StoredItems + FactPages,
    I: InvokePublisher,
{
    let first = pointers.iter().map(|(_, pointer)| pointer.first_written_at).min();
    let last = pointers.iter().map(|(_, pointer)| pointer.last_written_at).max();
    let Some((first, last)) = first.zip(last) else {
        return Ok(Republished::default());
    };
    let window = Window { from: None, until: Some(last.plus(MARGIN)) };
    republisher.window(window, ItemsOf::WrittenSince(first.minus(MARGIN)), |_| {}).await
}

/// Why the pointers are kept: the resources that could not be published.
fn failure(published: &Republished) -> Option<String> {
    let failed: Vec<String> =
        published.failed().map(|one| format!("{}: {}", one.resource, one.failures.join("; "))).collect();
    let others = match failed.len().checked_sub(NAMED_MAX) {
        Some(others) if others > 0 => format!("; and {others} more"),
        Some(_) | None => String::new(),
    };
    if published.resources.is_empty() {
        // The table has what was written, so something is wrong, and the pointer must not be lost.
        return Some(
            "no resource with events was written then or since; does the pointer belong to this table?".to_owned(),
        );
    }
    let named: Vec<&str> = failed.iter().take(NAMED_MAX).map(String::as_str).collect();
    (!failed.is_empty()).then(|| format!("could not publish {}{others}", named.join("; ")))
}
