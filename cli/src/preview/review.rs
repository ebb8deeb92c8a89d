//! What needs review in the end.

use serde_json::Value;

use super::money::{surplus, text};
use super::{Latest, Preview, Step};

/// What needs review in the end, one line for each resource, with the webhook that last changed it; empty when
/// everything was understood.
///
/// A resource needs review when its statements conflict, when it is a webhook that was not recognized, or when its hold
/// needs a review or a setting.
pub fn review(preview: &Preview) -> Vec<String> {
    let line = |Latest { data, .. }: &Latest| {
        let resource = text(data, "resource")?;
        let why = why(data)?;
        let changed = |step: &&Step| step.events().any(|event| event.data.resource.to_string() == resource);
        let place =
            preview.steps.iter().rev().find(changed).map_or(String::new(), |step| format!(" ({})", step.input.place));
        Some(format!("{resource}: {why}{place}"))
    };
    preview.latest.iter().filter_map(line).collect()
}

/// Why a resource needs review.
fn why(data: &Value) -> Option<String> {
    if let Some(conflicting) = conflicting(data) {
        return Some(conflicting);
    }
    if text(data, "kind") == Some("unrecognized") {
        return Some(format!("not recognized: {}", text(data, "reason").unwrap_or("no reason is stated")));
    }
    if let Some(surplus) = surplus(data) {
        return Some(surplus);
    }
    let hold = data.get("hold")?;
    let needs = text(hold, "needs").filter(|needs| ["review", "setting"].contains(needs))?;
    Some(format!("held: {}, needs {needs}", text(hold, "reason").unwrap_or("no reason is stated")))
}

/// `conflicting about status: confirmed, failed`; `None` when nothing conflicts.
pub(super) fn conflicting(data: &Value) -> Option<String> {
    let statuses = data.get("conflicting")?.as_array().filter(|statuses| !statuses.is_empty())?;
    let joined = |values: &[Value]| values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    let about = data.get("conflict_about").and_then(Value::as_array).map(|about| joined(about));
    let about = about.map_or(String::new(), |about| format!(" about {about}"));
    let with = data.get("conflict_with").and_then(Value::as_array).map(|with| joined(with));
    let with = with.map(|with| format!(" with {with}")).unwrap_or_default();
    Some(format!("conflicting{about}{with}: {}", joined(statuses)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hold_needs_review_when_the_platform_or_the_operator_must_act() {
        for (needs, expected) in [("review", true), ("setting", true), ("provider", false), ("user", false)] {
            let hold = json!({ "reason": "amounts_disagree", "needs": needs });
            let why = why(&json!({ "kind": "deposit", "status": "held", "hold": hold }));
            assert_eq!(why, expected.then(|| format!("held: amounts_disagree, needs {needs}")));
        }
    }
}
