//! The messages that Fundhook gave up on: what each is, why it is there as far as can be told, and how to try it again.
//!
//! Three of the queues are the dead-letter queues of the ingress, transfers and accounts queues. The fourth has pointers to
//! changes that a publisher gave up on: shard and sequence numbers, without the records themselves.
//!
//! | module | subject |
//! |---|---|
//! | `queues` | the queues, and where their messages came from |
//! | `content` | what a message is |
//! | `pointer` | pointers to changes that were not published |
//! | `causes` | why a message is there, by today's code and the table |
//! | `collect` | receiving what waits, within limits, and giving it back |
//! | `redrive` | sending messages back to their queue |
//! | `unpublished` | publishing again what pointers are about |
//! | `desk` | all of it for one stack |
//! | `lines` | as text |

mod causes;
mod collect;
mod content;
mod desk;
mod lines;
mod pointer;
mod queues;
mod redrive;
mod unpublished;

pub use causes::{Cause, CauseFinder};
pub use collect::{Collected, Limits, collect};
pub use content::{Content, WebhookSummary, content};
pub use desk::{Desk, DeskError, LetterDetails, LetterSummary, QueueListing};
pub use lines::{letter_lines, listing_lines, redriven_lines};
pub use pointer::{InvalidPointer, Pointer};
pub use queues::{DeadLetterQueue, UnknownQueue};
pub use redrive::{Redriven, RedrivenLetter, Selection, SentTo, redrive};
pub use unpublished::{MARGIN, redrive_pointers};
