//! The local stack of a build without the feature `local`: none.

use crate::emulated_stack::EmulatedStack;

/// This build has no local stack.
#[derive(Debug, thiserror::Error)]
#[error("this build has no local stack; name a stack on AWS with `--stack NAME`")]
pub struct LocalStackError;

pub(crate) fn find() -> Result<EmulatedStack, LocalStackError> {
    Err(LocalStackError)
}
