//! Resources in the table: read together, written conditionally.

use std::future::Future;

use fundhook_domain::{Claim, Resource, ResourceId, Timestamp};

use crate::PortError;

/// The resources as they are stored.
pub trait Resources {
    /// The resources `ids`, in any order; one that was never written is at version 0. `ids` are distinct.
    fn read(&self, ids: &[ResourceId]) -> impl Future<Output = Result<Vec<Resource>, PortError>> + Send;

    /// Writes each resource if it still is at the version it was read at. The outcomes are in the order of `writes`.
    fn write(&self, writes: Vec<Write>, now: Timestamp) -> impl Future<Output = Vec<WriteOutcome>> + Send;
}

/// One conditional write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The resource as it shall be.
    pub resource: Resource,
    /// The version at which it was read.
    pub read_version: u64,
    /// The coin that it claims at once; both are written or neither.
    pub claim: Option<Claim>,
}

/// What became of a conditional write.
#[derive(Debug)]
pub enum WriteOutcome {
    /// It is stored.
    Written,
    /// Somebody else wrote first. The resource as it now is comes along where the store says it.
    Lost(Option<Resource>),
    /// The coin that it claims is claimed already, so. Nothing was written.
    Claimed(Claim),
    /// It was not stored, and not because of its condition.
    Failed(PortError),
}
