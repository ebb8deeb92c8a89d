//! Dead letters as text.

use std::time::Duration;

use super::content::Content;
use super::desk::{LetterDetails, LetterSummary, QueueListing};
use super::queues::DeadLetterQueue;
use super::redrive::{Redriven, RedrivenLetter, SentTo};
use crate::republish::plural;
use crate::show::{printable, shortened};

/// A queue and its messages.
pub fn listing_lines(listing: &QueueListing) -> Vec<String> {
    let QueueListing { queue, waiting, messages, cut } = listing;
    let mut lines = vec![match waiting {
        0 => format!("{queue}: empty"),
        waiting => format!("{queue}: {}", plural(usize::try_from(*waiting).unwrap_or(usize::MAX), "message")),
    }];
    for letter in messages {
        lines.extend(summary_lines(letter).into_iter().map(|line| format!("  {line}")));
    }
    let missing = waiting.saturating_sub(messages.len() as u64);
    if *cut {
        lines.push(format!("  and about {missing} more: a limit was reached (--max, or 30 seconds)"));
    } else if missing > 0 {
        lines
            .push(format!("  and about {missing} more that are hidden: another command received them, or SQS is late"));
    }
    lines
}

/// Everything about one message.
pub fn letter_lines(queue: DeadLetterQueue, letter: &LetterDetails) -> Vec<String> {
    let LetterDetails { summary, trace, body } = letter;
    let mut lines = vec![format!("{queue}: {}", summary.id)];
    lines.extend(summary_lines(summary).into_iter().skip(1));
    lines.push(format!("  sent           {}", summary.sent_at));
    lines.extend(trace.as_ref().map(|trace| format!("  trace          {trace}")));
    lines.push("  body".to_owned());
    lines.push(body.clone());
    lines.iter().map(|line| printable(line)).collect()
}

fn summary_lines(letter: &LetterSummary) -> Vec<String> {
    let LetterSummary { id, age_seconds, receive_count, content, cause, .. } = letter;
    let age = age(Duration::from_secs(*age_seconds));
    let mut lines = vec![format!("{id}  {age} old  received {}", plural_times(*receive_count))];
    lines.extend(content_lines(content).into_iter().map(|(name, value)| format!("  {name:<14} {value}")));
    lines.push(format!("  {:<14} {}", "cause", cause.why));
    if cause.fails_again {
        lines.push(format!(
            "  {:<14} it fails again until a newer version reads it, or what it needs changes",
            "redrive"
        ));
    }
    lines
}

fn content_lines(content: &Content) -> Vec<(&'static str, String)> {
    match content {
        Content::Webhook(webhook) => {
            let types: Vec<&str> = webhook.event_types.iter().map(String::as_str).collect();
            let resources: Vec<String> = webhook.resources.iter().map(|id| shortened(&id.to_string())).collect();
            vec![
                ("webhook", format!("{}  {}  received {}", webhook.feed, types.join(", "), webhook.received_at)),
                ("about", resources.join(", ")),
                ("correlation id", webhook.correlation_id.to_string()),
            ]
        }
        Content::Statement(statement) => {
            let status = statement.status.unwrap_or("no status");
            let archived = &statement.archived;
            vec![
                ("statement", format!("{} ({status})  received {}", statement.event_type, statement.received_at)),
                ("about", statement.resource.to_string()),
                ("correlation id", statement.correlation_id.to_string()),
                ("archived", format!("{} line {}", archived.object, archived.line)),
            ]
        }
        Content::Pointer(pointer) => vec![
            (
                "pointer",
                format!(
                    "{} of the table's stream that {} could not publish",
                    plural(usize::try_from(pointer.records).unwrap_or(usize::MAX), "record"),
                    pointer.function
                ),
            ),
            ("written", format!("{} to {}", pointer.first_written_at, pointer.last_written_at)),
            ("shard", pointer.shard.clone()),
            ("sequence", format!("{} to {}", pointer.first_sequence_number, pointer.last_sequence_number)),
        ],
        Content::Unreadable { members, .. } => {
            members.iter().map(|(name, value)| (*name, format!("{value} (not checked)"))).collect()
        }
    }
}

/// What was redriven, and what was kept.
pub fn redriven_lines(queue: DeadLetterQueue, redriven: &Redriven, dry_run: bool) -> Vec<String> {
    let Redriven { letters, not_found, newer, cut, failures } = redriven;
    let mut lines: Vec<String> = letters.iter().map(|letter| redriven_line(letter, dry_run)).collect();
    lines.extend(not_found.iter().map(|id| {
        format!("{id}  not found in the queue {queue}; if another command has just listed it, try again in a minute")
    }));
    if *cut {
        lines.push("a limit was reached (--max, or 30 seconds): run the command again for the others".to_owned());
    }
    if *newer > 0 {
        let messages = plural(*newer, "message");
        lines.push(format!("{messages} not redriven: sent after this command began, by the clock of this machine"));
    }
    lines.extend(failures.iter().map(|why| format!("FAILED: {why}")));
    if lines.is_empty() {
        lines.push(format!("{queue}: empty"));
    }
    lines
}

fn redriven_line(letter: &RedrivenLetter, dry_run: bool) -> String {
    let RedrivenLetter { id, to, kept } = letter;
    if let Some(why) = kept {
        return format!("{id}  KEPT: {why}");
    }
    let would = if dry_run { "would be " } else { "" };
    match to {
        SentTo::Queue(queue) => format!("{id}  {would}sent to the queue {queue}, and deleted here"),
        SentTo::Publisher { resources, events } => format!(
            "{id}  {} of {} {would}published again, and the pointer {would}deleted",
            plural(*events, "event"),
            plural(*resources, "resource")
        ),
    }
}

fn plural_times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// A duration in its largest unit, rounded down.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
