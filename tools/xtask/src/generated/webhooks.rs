//! The tables of sample webhooks and their events, from the table that the end-to-end tests check.

use super::marked_part::MarkedPart;
use super::{ACCEPTED, GenerateError, cell_text, table_head, table_row};

/// The folder of each provider's samples, and its heading.
const PROVIDERS: [(&str, &str); 3] = [("connect", "zerohash Connect"), ("zerohash", "zerohash"), ("striga", "Striga")];

/// The columns of the source's lines.
const COLUMNS: usize = 9;

/// One event of a sample.
struct AcceptedEvent<'a> {
    file: &'a str,
    /// Whether it is the sample's first event, whose row names the sample.
    is_first: bool,
    event: &'a str,
    resource: &'a str,
    previous_status: &'a str,
    amount: &'a str,
    network: &'a str,
    also: &'a str,
}

/// A table for each provider.
pub(super) fn tables(accepted: &str) -> Result<MarkedPart, GenerateError> {
    let events = parse(accepted)?;
    let mut markdown = String::new();
    for (folder, title) in PROVIDERS {
        markdown.push_str(&format!("### {title}: samples\n\n"));
        markdown.push_str(&table_head(&[
            "sample",
            "event",
            "resource",
            "previous status",
            "amount",
            "network",
            "also",
        ]));
        let own = events.iter().filter_map(|event| Some((event.file.strip_prefix(folder)?.strip_prefix('/')?, event)));
        markdown.extend(own.map(|(name, event)| row(name, event)));
        markdown.push('\n');
    }
    Ok(MarkedPart { name: "accepted webhooks", markdown })
}

fn row(name: &str, event: &AcceptedEvent<'_>) -> String {
    let sample = if event.is_first { format!("[`{name}`](../../events/{})", event.file) } else { String::new() };
    // An unrecognized webhook has no further members to state.
    let also = if event.event == "unrecognized.seen" { "" } else { event.also };
    let cells = [
        format!("`{}`", event.event),
        format!("`{}`", event.resource),
        event.previous_status.to_owned(),
        event.amount.to_owned(),
        event.network.to_owned(),
        also.to_owned(),
    ];
    let cells: Vec<String> = std::iter::once(sample).chain(cells.iter().map(|cell| cell_text(cell))).collect();
    table_row(cells.iter().map(String::as_str))
}

/// The events of all samples. A line without a file is about the same sample as the line before.
fn parse(accepted: &str) -> Result<Vec<AcceptedEvent<'_>>, GenerateError> {
    let mut events = Vec::new();
    let mut last_file = "";
    for line in accepted.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [file, event, resource, previous_status, amount, network, _account, _time, also] = columns[..] else {
            let why = format!("a line has {} columns instead of {COLUMNS}: {line}", columns.len());
            return Err(GenerateError::Invalid { file: ACCEPTED, why });
        };
        if file == "file" {
            continue;
        }
        let is_first = !file.is_empty();
        if is_first {
            last_file = file;
        }
        events.push(AcceptedEvent {
            file: last_file,
            is_first,
            event,
            resource,
            previous_status,
            amount,
            network,
            also,
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_a_table_and_each_sample_is_named_once() {
        let accepted = "# comment\n\nfile | event | resource | previous | amount | network | account | time | and\n\
             striga/a.json | fee.charged | fee striga 1 | | 1 BTC | bitcoin | u | t | total 2\n\
              | withdrawal.updated | withdrawal striga 1 | initiated | | | | |\n\
             connect/odd.txt | unrecognized.seen | unrecognized connect | | | | | | type x\n";
        let markdown = tables(accepted).expect("nine columns").markdown;
        let (connect, rest) = markdown.split_once("### zerohash: samples").expect("the second provider");
        assert!(connect.ends_with(
            "| [`odd.txt`](../../events/connect/odd.txt) | `unrecognized.seen` | `unrecognized connect` | | | | |\n\n"
        ));
        assert!(rest.contains(
            "| [`a.json`](../../events/striga/a.json) | `fee.charged` | `fee striga 1` | | 1 BTC | bitcoin | total 2 |\n\
             | | `withdrawal.updated` | `withdrawal striga 1` | initiated | | | |\n"
        ));
    }

    #[test]
    fn a_line_with_another_number_of_columns_is_an_error() {
        assert!(
            tables("connect/a.json | deposit.pending\n").is_err_and(|error| error.to_string().contains("2 columns"))
        );
    }
}
