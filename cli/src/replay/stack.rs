//! A replay on one stack.

use std::time::Duration;

use fundhook_adapters::{Bucket, Queue, ResourceTable};
use fundhook_domain::Timestamp;

use super::record::{Recorder, StackStateUpdater};
use super::run::{Mode, Replay};
use super::send::{Pace, Sender};
use crate::stack_settings::{StackSettings, StackSettingsError};
use crate::target::{Target, TargetError};

/// Waits as long as it takes.
#[derive(Clone, Copy, Debug)]
pub struct RealTime;

impl Pace for RealTime {
    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Replay<Bucket, ResourceTable> {
    /// A replay on `target`, which begins at `now`. It reads the archive with the settings of the stack's functions.
    pub async fn of(target: &Target, now: Timestamp) -> Result<Self, StackSettingsError> {
        let StackSettings { reading, several } = StackSettings::of(target).await?;
        Ok(Self {
            archive: Bucket::new(&target.aws, target.output("EvidenceBucketName")?.to_owned()),
            table: ResourceTable::new(&target.aws, target.output("TableName")?.to_owned()),
            reading,
            several,
            now,
        })
    }
}

/// What is done on a stack.
pub type StackMode<'a> = Mode<Queue, RealTime, StackStateUpdater<'a>>;

impl<'a> StackMode<'a> {
    /// Sends `per_second` envelopes a second to the ingress queue of `target`.
    pub fn send(target: &Target, per_second: u32) -> Result<Self, TargetError> {
        let queue = Queue::new(&target.aws, target.output("IngressQueueUrl")?.to_owned());
        Ok(Self::Send(Sender::new(queue, RealTime, per_second)))
    }

    /// Records in the order of receipt, with the state updater of `target`.
    pub fn record(target: &'a Target) -> Result<Self, TargetError> {
        Ok(Self::Record(Recorder::new(StackStateUpdater::of(target)?)))
    }
}
