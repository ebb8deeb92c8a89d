//! The local stack of a build without the feature `local`: none.

use crate::target::{Target, TargetError};

/// This build has no local stack.
#[derive(Debug, thiserror::Error)]
#[error("this build has no local stack; name a stack on AWS with `--stack NAME`")]
pub struct LocalStackError;

pub(crate) fn find() -> Result<Target, TargetError> {
    Err(LocalStackError.into())
}
