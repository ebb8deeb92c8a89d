//! Resources in the table: read in one call, written conditionally.

use std::future::Future;

use fundhook_domain::{Resource, ResourceId, Timestamp, Write};

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
