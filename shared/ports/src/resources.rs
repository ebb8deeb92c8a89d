//! Resources in the table: read in one call, written conditionally.

use std::future::Future;

use fundhook_domain::{Claim, Resource, ResourceId, Timestamp};

use crate::PortError;

/// Reads and writes the stored resources.
pub trait Resources {
    /// The resources `ids`, in any order; one that was never written has version 0. `ids` must be distinct.
    fn read(&self, ids: &[ResourceId]) -> impl Future<Output = Result<Vec<Resource>, PortError>> + Send;

    /// Writes each resource if it is still at the version at which it was read. Each write succeeds or fails on its own.
    /// Returns one outcome for each write, in the order of `writes`. `now` is the time of the write.
    fn write(&self, writes: Vec<Write>, now: Timestamp) -> impl Future<Output = Vec<WriteOutcome>> + Send;
}

/// One conditional write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The new state of the resource.
    pub resource: Resource,
    /// The version at which the resource was read.
    pub read_version: u64,
    /// The coin that the resource claims. Resource and claim are written in one transaction.
    pub claim: Option<Claim>,
    /// The resources that become second names of this one. Each has one fact more than when it was read, and is written
    /// in the same transaction, if it has not changed since.
    pub second_names: Vec<Resource>,
}

impl Write {
    /// The write of a resource that was read at `read_version`, and of nothing else.
    pub fn of(resource: Resource, read_version: u64) -> Self {
        Self { resource, read_version, claim: None, second_names: Vec::new() }
    }
}

/// The outcome of a conditional write.
#[derive(Debug)]
pub enum WriteOutcome {
    /// The resource is stored, with its claim and its second names.
    Written,
    /// The resource or one of its second names has changed since it was read; nothing was written. Contains the current
    /// resource if it has changed and the store returned it.
    Lost(Option<Resource>),
    /// The coin is already claimed, by this claim; nothing was written.
    Claimed(Claim),
    /// The write failed for a reason other than its conditions.
    Failed(PortError),
}
