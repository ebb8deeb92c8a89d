//! Reads archived webhooks again, with today's code and settings.
//!
//! A replay sends archived envelopes to the ingress queue, so they take the path of a webhook. What was recorded has the same
//! ids and changes nothing; what was lost, or is read differently today, is recorded. A dry run does the same in memory and
//! tells what would change. Onto a restored table, statements are recorded in the order of receipt instead, so that their
//! events get the numbers that they had.
//!
//! | module | subject |
//! |---|---|
//! | `selection` | which envelopes are replayed |
//! | `archive` | the envelopes of the evidence bucket |
//! | `dry_run` | what a replay would change |
//! | `send` | sending envelopes at a rate |
//! | `record` | recording statements in the order of receipt |
//! | `run` | a whole replay |
//! | `stack` | a replay on one stack |
//! | `lines` | as text |

mod archive;
mod dry_run;
mod lines;
mod record;
mod run;
mod selection;
mod send;
mod stack;

pub use archive::{Archived, ArchivedLine};
pub use dry_run::{ChangedResource, Counts, DryRun, ResourceState};
pub use lines::replayed_lines;
pub use record::{InvokeStateUpdater, RecordError, Recorder, StackStateUpdater};
pub use run::{Mode, Order, Replay, ReplayError, Replayed, UnreadableLine};
pub use selection::Selection;
pub use send::{PER_SECOND, Pace, Sender};
pub use stack::{RealTime, StackMode};
