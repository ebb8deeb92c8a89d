//! What came in over a closed window of time.

use fundhook_domain::{Feed, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ConservationLine;

/// What came in over a closed window of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whose.
    pub feed: Feed,
    /// Where the window begins.
    pub from: Timestamp,
    /// Where it ends.
    pub before: Timestamp,
    /// When it was added up.
    pub made_at: Timestamp,
    /// Each asset.
    pub lines: Vec<ConservationLine>,
    /// How recorded and listed deposits differ, as sentences.
    pub discrepancies: Vec<String>,
    /// How many listed rows were not understood, or name no time, and so are in no line.
    #[serde(default)]
    pub not_understood: u32,
}
