//! Publishes events again that were published, or should have been, with the same ids and contents.
//!
//! Events follow from the recorded facts, and the deployed publisher derives them. So a command makes the record that the
//! table's stream would have for a write of those facts, and invokes the publisher with it: topic, bus and receipts are
//! served as always.
//!
//! | module | subject |
//! |---|---|
//! | `due` | which facts of a resource are published again |
//! | `record` | the record of the stream, and the events that the publisher is invoked with |
//! | `publish` | invoking the publisher, and what it did not publish |
//! | `republisher` | the table and the publishers of a stack |
//! | `lines` | what was published, as text |

mod due;
mod lines;
mod publish;
mod record;
mod republisher;

pub use due::{Due, EventName, UnreadableFact, Window, due};
pub(crate) use lines::plural;
pub use lines::republished_lines;
pub use publish::{Destination, publish};
pub use record::{REQUEST_BYTES_MAX, Request, requests};
pub use republisher::{
    InvokePublisher, RepublishError, Republished, RepublishedResource, Republisher, StackPublishers,
};
