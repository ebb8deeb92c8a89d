//! The local commands of a build without the feature `local`: none.

use clap::Subcommand;
use fundhook::target::TargetError;

use super::Ending;
use super::reconcile::LocalRequest;

#[derive(Subcommand)]
pub(crate) enum LocalCommand {}

impl LocalCommand {
    pub(crate) async fn run(self) -> Ending {
        match self {}
    }
}

/// Fails: there is no local stack whose reconciler could run.
pub(crate) async fn reconcile(_: LocalRequest) -> Ending {
    Err(TargetError::from(fundhook::local_stack::LocalStackError).into())
}
