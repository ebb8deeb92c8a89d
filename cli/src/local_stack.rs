//! The local stack as a target of commands.

use fundhook_adapters::Aws;
use fundhook_local_stack::{Deployment, LocalStack};

pub use fundhook_local_stack::LocalStackError;

use crate::target::{Target, TargetError};

/// The stack that `up` started.
pub(crate) fn find() -> Result<Target, TargetError> {
    Target::of(&LocalStack::find()?.deployment)
}

impl Target {
    /// A stack on the emulator.
    pub fn of(deployment: &Deployment) -> Result<Self, TargetError> {
        let aws = Aws::local(deployment.endpoint(), deployment.account().as_str())?;
        Ok(Self::new(aws, deployment.outputs().clone()))
    }
}
