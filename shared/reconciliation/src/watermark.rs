//! How far a list has been read.

use fundhook_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// How far a feed's list has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// How often it was moved: what a conditional write compares.
    pub revision: u64,
    /// Everything dated before has been read.
    pub read_until: Timestamp,
    /// The window that is being read, if one was begun and not finished.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window: Option<Window>,
    /// The hours that end before it have been added up.
    pub conserved_until: Timestamp,
    /// The hours that end before it have been added up once more, days later; `None` in what an older version stored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revised_until: Option<Timestamp>,
    /// Behind which of the overdue resources the next look at them begins.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overdue_after: Option<String>,
    /// What a person was told of in looking at them again, as sentences: the latest.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub told: Vec<String>,
}

/// A window of a list, partly read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
    /// The page that is to be read next, from 1.
    pub next_page: u32,
}
