//! The table of what the example of each event type books.

use fundhook_domain::Kind;

use super::examples::Example;
use super::marked_part::MarkedPart;
use super::{table_head, table_row};

/// What the example of each event about money books.
pub(super) fn table(examples: &[Example]) -> MarkedPart {
    let mut markdown = table_head(&["event", "debit", "credit"]);
    let moves_money = |example: &&Example| match example.kind() {
        Kind::Deposit | Kind::Withdrawal | Kind::Fee | Kind::Exchange => true,
        Kind::Recovery | Kind::Participant | Kind::ExternalAccount | Kind::Balance | Kind::Unrecognized => false,
    };
    for example in examples.iter().filter(moves_money) {
        let name = example.event_type().trim_start_matches("fundhook.");
        let [debit, credit] = ["debit", "credit"].map(|direction| lines(example, direction));
        let cells = if debit.is_empty() {
            [format!("`{name}`"), "nothing".to_owned(), credit]
        } else {
            [format!("`{name}`"), debit, credit]
        };
        markdown.push_str(&table_row(cells.iter().map(String::as_str)));
    }
    MarkedPart { name: "postings", markdown }
}

/// The lines of the example on one side.
fn lines(example: &Example, direction: &str) -> String {
    let event = example.event();
    let postings =
        event.pointer("/data/postings").and_then(|postings| postings.as_array().cloned()).unwrap_or_default();
    let text = |posting: &serde_json::Value, name: &str| posting[name].as_str().unwrap_or_default().to_owned();
    let lines = postings.iter().filter(|posting| text(posting, "direction") == direction);
    let lines = lines.map(|posting| {
        format!("`{}` {} {}", text(posting, "ledger_account"), text(posting, "value"), text(posting, "asset"))
    });
    lines.collect::<Vec<_>>().join("<br>")
}
