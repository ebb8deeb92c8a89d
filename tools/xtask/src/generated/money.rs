//! The tables about money: the reasons of a hold, and what a statement means beside a final one.

use std::collections::BTreeMap;

use fundhook_domain::{Beside, Hold, HoldReason, Kind, Reported, Status, StatusRule, WebhookFamily, beside};
use serde_json::Value;

use super::marked_part::MarkedPart;
use super::{table_head, table_row};

/// The table of the reasons of a hold.
pub(super) fn holds() -> MarkedPart {
    let mut markdown = table_head(&["`hold.reason`", "`needs`", "`location`", "what it says"]);
    for reason in HoldReason::ALL {
        let hold = Hold::from(reason);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = serde_json::to_value(&hold).unwrap_or_default();
        let (needs, location) = (word(&shown["needs"]), word(&shown["location"]));
        let cells = [format!("`{reason}`"), code(&needs), code(&location), hold.explanation];
        markdown.push_str(&table_row(cells.iter().map(String::as_str)));
    }
    MarkedPart { name: "holds", markdown }
}

fn code(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!("`{word}`") }
}

/// The tables of what a statement means beside a final one, one for each kind with a lifecycle.
pub(super) fn beside_final() -> MarkedPart {
    let mut markdown = String::new();
    let with_lifecycle = |kind: &Kind| kind.status_rule() == StatusRule::Furthest && *kind != Kind::Unrecognized;
    for kind in Kind::ALL.into_iter().filter(with_lifecycle) {
        let finals: Vec<Status> = of_kind(kind).filter(|status| status.is_final()).collect();
        let name = kind.as_str();
        markdown.push_str(&format!("\n## {}{}s\n\n", name[..1].to_ascii_uppercase(), &name[1..]));
        let heads: Vec<String> = finals.iter().map(|last| format!("beside `{last}`")).collect();
        let columns: Vec<&str> = ["the other statement"].into_iter().chain(heads.iter().map(String::as_str)).collect();
        markdown.push_str(&table_head(&columns));
        for other in others(kind) {
            let cells = finals.iter().map(|last| meaning(*last, other));
            let cells: Vec<String> = [named(other)].into_iter().chain(cells).collect();
            markdown.push_str(&table_row(cells.iter().map(String::as_str)));
        }
    }
    MarkedPart { name: "beside a final status", markdown }
}

fn of_kind(kind: Kind) -> impl Iterator<Item = Status> {
    Status::ALL.into_iter().filter(move |status| status.kind() == kind)
}

/// Every status of `kind`; a held deposit once for each reason.
fn others(kind: Kind) -> Vec<Reported> {
    let reasons = |status: Status| -> Vec<Option<HoldReason>> {
        if status.as_str() == "held" { HoldReason::ALL.map(Some).to_vec() } else { vec![None] }
    };
    let reported = |status| reasons(status).into_iter().map(move |hold| Reported { status, hold });
    of_kind(kind).flat_map(reported).collect()
}

fn named(other: Reported) -> String {
    let hold = other.hold.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("`{}`{hold}", other.status)
}

/// The meaning for most families, and for those that differ.
fn meaning(last: Status, other: Reported) -> String {
    let mut families: BTreeMap<Option<Beside>, Vec<WebhookFamily>> = BTreeMap::new();
    for family in WebhookFamily::ALL {
        families.entry(beside(last, other, Some(family))).or_default().push(family);
    }
    let mut meanings: Vec<(Option<Beside>, Vec<WebhookFamily>)> = families.into_iter().collect();
    meanings.sort_by_key(|(_, families)| std::cmp::Reverse(families.len()));
    let text = |beside: Option<Beside>| beside.map_or("", Beside::as_str);
    let mut cell = meanings.first().map_or("", |(usual, _)| text(*usual)).to_owned();
    for (other, families) in meanings.iter().skip(1) {
        let families: Vec<String> = families.iter().map(|family| format!("`{family}`")).collect();
        cell.push_str(&format!("; for {}: {}", families.join(", "), text(*other)));
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_lifecycle_and_every_reason_of_a_hold_has_a_row() {
        let page = beside_final().markdown;
        for reason in HoldReason::ALL {
            assert!(page.contains(&format!("| `held` ({reason}) |")), "{reason}");
        }
        assert!(page.contains("| `broadcast` | late | late | conflicting | late |"), "{page}");
        assert!(page.contains("for `zerohash.deposit`: late"), "{page}");
        assert!(holds().markdown.contains("| `not_converted` | `review` | `customer_account` |"));
    }
}
