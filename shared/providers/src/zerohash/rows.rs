//! Rows of zerohash's lists, read like the webhooks about the same things [zerohash-openapi].
//!
//! The statements about what a row lists come oldest first: the statuses that it has left, then the one that it has.

use fundhook_domain::Timestamp;

use super::history::History;
use super::normalise::About;
use crate::draft::{Draft, Received};
use crate::recovery::with_recovery;
use crate::wire::Fields;

/// A row of `GET /deposits/crypto`. Its members are those of the webhook in camel case. The times of its states are in its
/// history.
pub(crate) fn deposit_row(
    received: &Received<'_>,
    event_type: &'static str,
    mut members: Fields,
) -> Result<Vec<Draft>, String> {
    members.use_snake_case();
    let about = About { received, event_type };
    let dated = ["timestamp", "updated_at", "created_at"].into_iter().find_map(|name| members.time(name));
    let drafts = with_history(members, "state", dated, |members| about.deposit(members))?;
    Ok(drafts.into_iter().flat_map(|draft| with_recovery(draft, None, &received.settings.id_key)).collect())
}

/// A row of `GET /payments`. It has the members of the webhook.
pub(crate) fn payment_row(
    received: &Received<'_>,
    event_type: &'static str,
    members: Fields,
) -> Result<Vec<Draft>, String> {
    About { received, event_type }.payment(members)
}

/// A row of `GET /payments/status`, with the history of the payment from `GET /payments/history`. It names the status, the
/// reason and the user otherwise than the webhook.
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
    let about = About { received, event_type };
    let dated = ["timestamp", "updated_at"].into_iter().find_map(|name| members.time(name));
    with_history(members, "payment_status", dated, |members| about.bank_payment(members))
}

/// What a row states: each status that it has left, and the one that `status` names, since `dated` if its history does not tell.
fn with_history(
    members: Fields,
    status: &'static str,
    dated: Option<Timestamp>,
    read: impl Fn(Fields) -> Result<Draft, String>,
) -> Result<Vec<Draft>, String> {
    let history = History::of(&members, status);
    let mut newest = members.clone();
    if let Some(at) = history.since(dated) {
        newest.keep_text("timestamp", at.to_string());
    }
    let now = read(newest)?;
    let mut drafts = history.left(members, &now, read);
    drafts.push(now);
    Ok(drafts)
}
