//! What a backfill found, as text.

use fundhook_reconciliation::{BackfillMode, BackfillPart, BackfillPosition, BackfilledList};

use crate::show::printable;

/// A table with a line for each list, what was queued by status, what needs review, and the outcome.
pub fn backfilled_lines(part: &BackfillPart) -> Vec<String> {
    let heading =
        ["list", "rows", "recorded", "missing", "ambiguous", "differing", "not understood"].map(str::to_owned);
    let row = |list: &BackfilledList| {
        let BackfilledList { rows, recorded, ambiguous, differing, not_understood, .. } = list;
        let numbers = [*rows, *recorded, list.queued_in_all(), *ambiguous, *differing, *not_understood];
        let [rows, recorded, queued, ambiguous, differing, odd] = numbers.map(|number| number.to_string());
        [format!("{}:{}", list.feed, list.list), rows, recorded, queued, ambiguous, differing, odd]
    };
    let table: Vec<[String; 7]> = [heading].into_iter().chain(part.lists.iter().map(row)).collect();
    let mut lines = aligned(&table);
    for list in &part.lists {
        lines.extend(list.queued.iter().map(|(what, count)| format!("{count:>8}  {}  {what}", list.feed)));
    }
    lines.extend(part.findings.iter().map(|finding| format!("NEEDS REVIEW: {finding}")));
    if part.findings_omitted > 0 {
        lines.push(format!("NEEDS REVIEW: {} more, for which there is no room", part.findings_omitted));
    }
    lines.push(outcome(part));
    lines.iter().map(|line| printable(line)).collect()
}

fn outcome(part: &BackfillPart) -> String {
    let queued: u64 = part.lists.iter().map(BackfilledList::queued_in_all).sum();
    let did = match part.mode {
        BackfillMode::Publish => format!("{queued} missing or behind, queued; their events are published"),
        BackfillMode::RecordOnly => format!("{queued} missing or behind, queued to be recorded"),
        BackfillMode::DryRun => format!("{queued} missing or behind; nothing was queued"),
    };
    let end = if part.next.is_none() { "complete" } else { "not complete" };
    format!("{} to {}: {did}; {end}", part.from, part.to)
}

/// The first column to the left, the numbers to the right.
fn aligned(table: &[[String; 7]]) -> Vec<String> {
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let line = |row: &[String; 7]| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    table.iter().map(line).collect()
}

/// The option with which a backfill that ended at `position` is continued.
pub fn continued_with(position: &BackfillPosition) -> String {
    // A position is made of texts and numbers, so it can be written.
    let json = serde_json::to_string(position).unwrap_or_default();
    format!("--continue '{json}'")
}
