//! The history of payments by a bank: the list of payments has the newest status only, another list has all of them.

use std::collections::BTreeMap;

use fundhook_http_api::exact;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The member with the history, in a row of either list.
const HISTORY: &str = "status_history";

/// Each row with the history of its payment, if `histories` has one: as the member that the provider calls `status_history`.
/// All else stays as it was sent.
pub(crate) fn with_histories(rows: Vec<String>, histories: &BTreeMap<String, Box<RawValue>>) -> Vec<String> {
    let joined = |row: &String| {
        let history = histories.get(&without_history(row)?)?.get();
        let members = row.trim_end().strip_suffix('}')?;
        Some(format!("{members},\"{HISTORY}\":{history}}}"))
    };
    rows.into_iter().map(|row| joined(&row).unwrap_or(row)).collect()
}

/// The id of the payment that a row is about, unless the row has its history already.
pub(crate) fn without_history(row: &str) -> Option<String> {
    let parsed: Row = serde_json::from_str(row).ok()?;
    (!row.contains(HISTORY)).then_some(parsed.transaction_id)
}

/// The payment that a row is about, and its history.
pub(crate) fn history(row: &str) -> Option<(String, Box<RawValue>)> {
    let Row { transaction_id, status_history } = serde_json::from_str(row).ok()?;
    Some((transaction_id, status_history?))
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "exact::text")]
    transaction_id: String,
    #[serde(default)]
    status_history: Option<Box<RawValue>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_joined_with_the_row_of_its_payment_and_all_else_stays_as_it_was_sent() {
        let steps = r#"[{"status":"posted", "timestamp":"2026-01-01T00:00:00Z"}]"#;
        let told = format!(r#"{{"transaction_id":"t-1","status_history":{steps},"amount":1}}"#);
        let histories = BTreeMap::from_iter(history(&told));
        let joined = |row: &str| with_histories(vec![row.to_owned()], &histories).remove(0);
        assert_eq!(
            joined("{ \"transaction_id\":\"t-1\", \"amount\":0.10 }\n"),
            format!("{{ \"transaction_id\":\"t-1\", \"amount\":0.10 ,\"status_history\":{steps}}}")
        );
        for other in [
            r#"{"transaction_id":"t-2"}"#,
            r#"{"transaction_id":"t-1","status_history":[]}"#,
            r#"{"transaction_id":"t-1","status_history":null}"#,
            r#"{"status":"posted"}"#,
            r#"["t-1"]"#,
            "{",
        ] {
            assert_eq!(joined(other), other);
        }
        assert_eq!(history(r#"{"transaction_id":"t-1","status_history":null}"#).map(|(id, _)| id), None);
    }
}
