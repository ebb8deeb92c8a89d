//! Resources in the table: read in one call, written conditionally.

use std::future::Future;

use fundhook_domain::{Fact, Resource, ResourceId, Timestamp, Write};

use crate::PortError;

/// Reads and writes the stored resources.
pub trait Resources {
    /// The resources `ids`, in any order; one that was never written has version 0. `ids` must be distinct.
    fn read(&self, ids: &[ResourceId]) -> impl Future<Output = Result<Vec<Resource>, PortError>> + Send;

    /// Makes each write if everything in it is still at the version at which it was read. Each write succeeds or fails on
    /// its own, and as a whole. Returns one outcome for each write, in the order of `writes`. `now` is the time of the
    /// write.
    fn write(&self, writes: Vec<Write>, now: Timestamp) -> impl Future<Output = Vec<WriteOutcome>> + Send;
}

/// The pages of resources with many facts: their oldest facts, stored apart from the others.
pub trait FactPages {
    /// The facts on the first `pages` pages of the resource, in the order in which they were recorded. A page never changes.
    fn paged_facts(&self, id: &ResourceId, pages: u32) -> impl Future<Output = Result<Vec<Fact>, PortError>> + Send;
}

/// The outcome of a conditional write.
#[derive(Debug)]
pub enum WriteOutcome {
    /// Everything in it is stored.
    Written,
    /// Something in it has changed since it was read; nothing was written. Contains the current state of a resource that
    /// has changed, if the store returned it.
    Lost(Option<Resource>),
    /// The write failed for a reason other than its conditions.
    Failed(PortError),
}
