//! Rows of zerohash's lists, read like the webhooks about the same things [zerohash-openapi].

use fundhook_domain::Timestamp;
use serde_json::Value;

use super::normalise::About;
use crate::draft::{Draft, Received};
use crate::recovery::with_recovery;
use crate::wire::Fields;

/// A row of `GET /deposits/crypto`. Its members are those of the webhook in camel case. The time of its state is in its
/// history.
pub(crate) fn deposit_row(
    received: &Received<'_>,
    event_type: &'static str,
    mut members: Fields,
) -> Result<Vec<Draft>, String> {
    members.use_snake_case();
    if let Some(at) = in_state_since(&members) {
        members.keep_text("timestamp", at.to_string());
    }
    let about = About { received, event_type };
    about.deposit(members).map(|draft| with_recovery(draft, None, &received.settings.id_key))
}

/// A row of `GET /payments`. It has the members of the webhook.
pub(crate) fn payment_row(
    received: &Received<'_>,
    event_type: &'static str,
    members: Fields,
) -> Result<Vec<Draft>, String> {
    About { received, event_type }.payment(members)
}

/// A row of `GET /payments/status`. It names the status, the reason and the user otherwise than the webhook.
pub(crate) fn bank_payment_row(
    received: &Received<'_>,
    event_type: &'static str,
    mut members: Fields,
) -> Result<Vec<Draft>, String> {
    for (listed, member) in [
        ("status", "payment_status"),
        ("ach_failure_reason", "reason_description"),
        ("participant", "participant_code"),
    ] {
        members.rename(listed, member);
    }
    About { received, event_type }.bank_payment(members).map(|draft| vec![draft])
}

/// Since when the deposit has its state: the latest entry of its history that leads there, or else the row's own dates.
fn in_state_since(members: &Fields) -> Option<Timestamp> {
    let state = members.text("state")?;
    let entries = members.json("history").and_then(Value::as_array);
    let reached = entries.into_iter().flatten().filter_map(|entry| {
        let leads_there = entry.get("toState")?.as_str()?.trim().eq_ignore_ascii_case(state);
        let at = Timestamp::from_any_form(entry.get("timestamp")?.as_str()?.trim()).ok()?;
        (leads_there && !at.is_zero()).then_some(at)
    });
    let of_row = || ["timestamp", "updated_at", "created_at"].into_iter().find_map(|name| members.time(name));
    reached.max().or_else(of_row)
}
