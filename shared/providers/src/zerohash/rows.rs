//! Rows of zerohash's lists, read like the webhooks about the same things [zerohash-openapi].

//!
//! The statements about what a row lists come oldest first: the statuses that it has left, then the one that it has.

use super::history::History;
use super::normalise::About;
use super::wire;
use crate::draft::{Draft, Received};
use crate::recovery::with_recovery;
use crate::wire::Fields;

/// A row of `GET /deposits/crypto`. Its members are those of the webhook in camel case. The times of its states are in its
/// history.
///
/// A credit that it has left is not stated: only the newest state may credit, because only that one is checked for a coin that
/// is credited already.
pub(crate) fn deposit_row(
    received: &Received<'_>,
    event_type: &'static str,
    mut members: Fields,
) -> Result<Vec<Draft>, String> {
    members.use_snake_case();
    let (about, history) = (About { received, event_type }, History::of(&members));
    let state = members.text("state").unwrap_or_default().to_owned();
    let mut drafts = history.left(&members, &state, |mut then, word, at| {
        then.keep_text("state", word.to_owned());
        then.keep_text("timestamp", at.to_string());
        about.deposit(then).ok().filter(|_| !wire::is_credit(word))
    });
    let of_row = || ["timestamp", "updated_at", "created_at"].into_iter().find_map(|name| members.time(name));
    if let Some(at) = history.last_became(&state).or_else(of_row) {
        members.keep_text("timestamp", at.to_string());
    }
    drafts.push(about.deposit(members)?);
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
    let (about, history) = (About { received, event_type }, History::of(&members));
    let status = members.text("payment_status").unwrap_or_default().to_owned();
    let mut drafts = history.left(&members, &status, |mut then, word, at| {
        then.keep_text("payment_status", word.to_owned());
        then.keep_text("timestamp", at.to_string());
        about.bank_payment(then).ok().filter(|draft| draft.status.is_some())
    });
    if let Some(at) = history.last_became(&status) {
        members.keep_text("timestamp", at.to_string());
    }
    drafts.push(about.bank_payment(members)?);
    Ok(drafts)
}
