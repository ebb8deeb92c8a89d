//! Statuses that a deposit or a payment has left again, from the history in its row [zerohash-openapi].

use std::collections::BTreeSet;

use fundhook_domain::{Beside, DepositStatus, Details, HoldReason, Reported, Status, Timestamp, beside};
use serde_json::Value;

use crate::crediting::is_about_the_credit;
use crate::draft::Draft;
use crate::wire::Fields;

/// The longest word for a status that is read.
const WORD_BYTES_MAX: usize = 64;

/// Members that describe the row's newest status, and therefore none that it has left.
const OF_THE_NEWEST: [&str; 8] = [
    "history",
    "status_history",
    "state_reason",
    "travel_rule_status",
    "reason_code",
    "reason_description",
    "ach_failure_reason",
    "updated_at",
];

/// The history of a row.
pub(super) struct History {
    /// The member that names the row's status.
    member: &'static str,
    /// The row's status.
    newest: String,
    /// Oldest first.
    changes: Vec<Change>,
}

/// That a status began.
struct Change {
    word: String,
    at: Timestamp,
}

impl History {
    /// The history in `members`, whose status is in `member`. What has no date or no plain word for a status is left out; it
    /// stays in the provider's data.
    ///
    /// A row of a deposit states from which status to which it changed: it had the first one since it was created. A row of a
    /// payment states each status.
    pub(super) fn of(members: &Fields, member: &'static str) -> Self {
        let listed =
            || ["history", "status_history"].into_iter().filter_map(|name| members.json(name)?.as_array()).flatten();
        let mut changes: Vec<Change> = listed().filter_map(Change::read).collect();
        changes.sort_by_key(|change| change.at);
        let created_at = members.time("created_at");
        let from = listed().filter_map(|entry| Some((time(entry)?, word(entry, &FROM)?))).min_by_key(|(at, _)| *at);
        if let (Some(at), Some((until, word))) = (created_at, from)
            && at <= until
        {
            changes.insert(0, Change { word, at });
        }
        Self { member, newest: members.text(member).unwrap_or_default().to_owned(), changes }
    }

    /// Since when the row has its status: according to the history, or else since `dated` or the last change.
    pub(super) fn since(&self, dated: Option<Timestamp>) -> Option<Timestamp> {
        self.became_newest().or_else(|| dated.max(self.changes.last().map(|change| change.at)))
    }

    fn became_newest(&self) -> Option<Timestamp> {
        self.changes.iter().filter(|change| change.is(&self.newest)).map(|change| change.at).max()
    }

    /// What the row `members` would have stated in each status that it has left, oldest first. `read` reads a row, and `now` is
    /// what it states now.
    ///
    /// Left out are statuses that `read` rejects, those that do not [lead](leads_to) to `now`, and changes after the newest
    /// status: the history may have been read later than the row.
    pub(super) fn left<R>(&self, mut members: Fields, now: &Draft, read: R) -> Vec<Draft>
    where
        R: Fn(Fields) -> Result<Draft, String>,
    {
        OF_THE_NEWEST.iter().for_each(|name| drop(members.take_json(name)));
        let until = self.became_newest();
        let mut seen = BTreeSet::from([self.newest.to_ascii_lowercase()]);
        let mut drafts = Vec::new();
        for change in self.changes.iter().filter(|change| until.is_none_or(|until| change.at <= until)) {
            let word = change.word.to_ascii_lowercase();
            if !seen.insert(word.clone()) {
                continue;
            }
            let mut then = members.clone();
            then.keep_text(self.member, change.word.clone());
            then.keep_text("timestamp", change.at.to_string());
            if let Some(mut draft) = read(then).ok().filter(|draft| leads_to(draft, now)) {
                // Part of the id of the fact: the row states each status of its history once.
                draft.event_type = format!("{}.{}", draft.event_type, word);
                drafts.push(draft);
            }
        }
        drafts
    }
}

/// Whether `left` is on the way to `now`, so that recording it changes nothing of what `now` states.
///
/// A credit is not: only the newest status is checked for a coin that is credited already. Nor is a status that is not known,
/// one that is further than the newest one, or one that contradicts it.
fn leads_to(left: &Draft, now: &Draft) -> bool {
    let (Some(left_status), Some(now)) = (left.status, now.status) else {
        return false;
    };
    let (hold, family) = match &left.details {
        Details::Transfer(transfer) => (transfer.hold.as_ref().map(|hold| hold.reason), transfer.family),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => (None, None),
    };
    let is_further = (left_status.is_final(), left_status.rank()) > (now.is_final(), now.rank());
    let contradicts = match beside(now, Reported { status: left_status, hold }, family) {
        Some(Beside::Conflicting) => true,
        Some(Beside::Late | Beside::Reversed | Beside::LateIfAmountsAgree | Beside::LateIfSentBefore) | None => false,
    };
    let is_credit = left_status == Status::Deposit(DepositStatus::Confirmed) || hold.is_some_and(is_about_the_credit);
    !is_further && !contradicts && !is_credit && hold != Some(HoldReason::StatusUnknown)
}

/// The members that name a status which began.
const TO: [&str; 3] = ["toState", "to_state", "status"];

/// The members that name the status before it.
const FROM: [&str; 2] = ["fromState", "from_state"];

impl Change {
    fn read(entry: &Value) -> Option<Self> {
        Some(Self { word: word(entry, &TO)?, at: time(entry)? })
    }

    fn is(&self, word: &str) -> bool {
        self.word.eq_ignore_ascii_case(word)
    }
}

fn word(entry: &Value, names: &[&str]) -> Option<String> {
    let word = names.iter().find_map(|name| entry.get(name)?.as_str()).map(str::trim)?;
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_plain && !word.is_empty() && word.len() <= WORD_BYTES_MAX).then(|| word.to_owned())
}

fn time(entry: &Value) -> Option<Timestamp> {
    let members = entry.as_object()?.clone();
    Fields::new(members).time("timestamp")
}
