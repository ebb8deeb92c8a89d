//! The local stack as a target of commands.

use fundhook_local_stack::{Deployment, LocalStack};

pub use fundhook_local_stack::LocalStackError;

use crate::emulated_stack::EmulatedStack;

/// The stack that `up` started.
pub(crate) fn find() -> Result<EmulatedStack, LocalStackError> {
    Ok((&LocalStack::find()?.deployment).into())
}

impl From<&Deployment> for EmulatedStack {
    fn from(deployment: &Deployment) -> Self {
        Self {
            endpoint: deployment.endpoint().to_owned(),
            account: deployment.account().as_str().to_owned(),
            outputs: deployment.outputs().clone(),
        }
    }
}
