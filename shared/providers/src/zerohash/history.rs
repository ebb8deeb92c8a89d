//! Statuses that a deposit or a payment has left again, from the history in its row [zerohash-openapi].

use fundhook_domain::Timestamp;
use serde_json::Value;

use crate::draft::Draft;
use crate::wire::Fields;

/// How many statuses of one history are read. The provider documents twelve words at most.
const STATUSES_MAX: usize = 32;

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

/// The history of a row, oldest first.
pub(super) struct History {
    changes: Vec<Change>,
}

/// That a status began.
struct Change {
    word: String,
    at: Timestamp,
}

impl History {
    /// The history in `members`. What has no date or no plain word for a status is left out; it stays in the provider's data.
    ///
    /// A row of a deposit states from which status to which it changed: it had the first one since it was created. A row of a
    /// payment states each status.
    pub(super) fn of(members: &Fields) -> Self {
        let listed = ["history", "status_history"].into_iter().find_map(|name| members.json(name)?.as_array());
        let mut changes: Vec<Change> = listed.into_iter().flatten().filter_map(Change::read).collect();
        changes.sort_by_key(|change| change.at);
        let created_at = members.time("created_at");
        let first = listed.into_iter().flatten().filter_map(|entry| Some((time(entry)?, word(entry, &FROM)?)));
        let first = first.min_by_key(|(at, _)| *at);
        if let (Some(at), Some((until, word))) = (created_at, first)
            && at <= until
        {
            changes.insert(0, Change { word, at });
        }
        Self { changes }
    }

    /// When it last became `status`.
    pub(super) fn last_became(&self, status: &str) -> Option<Timestamp> {
        self.changes.iter().filter(|change| change.is(status)).map(|change| change.at).max()
    }

    /// What the row would have stated in each status that it has left for `newest`, oldest first. `read` reads a row; a status
    /// that it rejects is left out.
    pub(super) fn left<R>(&self, members: &Fields, newest: &str, read: R) -> Vec<Draft>
    where
        R: Fn(Fields, &str, Timestamp) -> Option<Draft>,
    {
        let mut seen: Vec<&str> = vec![newest];
        let mut drafts = Vec::new();
        for change in &self.changes {
            if seen.len() > STATUSES_MAX || seen.iter().any(|word| change.is(word)) {
                continue;
            }
            seen.push(&change.word);
            let mut then = members.clone();
            OF_THE_NEWEST.iter().for_each(|name| drop(then.take_json(name)));
            if let Some(mut draft) = read(then, &change.word, change.at) {
                // Part of the id of the fact: the row states each status of its history once.
                draft.event_type = format!("{}.{}", draft.event_type, change.word.to_ascii_lowercase());
                drafts.push(draft);
            }
        }
        drafts
    }
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
