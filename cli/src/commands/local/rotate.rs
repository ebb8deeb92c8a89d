//! `rotate`: a new signing key of the sandbox provider.

use std::process::ExitCode;

use clap::Args;
use fundhook_local_stack::{LocalStack, Workspace};

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Keep publishing the old keys too
    #[arg(long)]
    overlap: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let stack = LocalStack::running(&Workspace::find()?)?;
    let published = stack.sandbox().rotate(arguments.overlap).await?;
    println!(
        "The sandbox provider signs with a new key. Number of keys it publishes: {published}.\n\
         The first webhook signed with the new key makes the receiver fetch the key set. It fetches at most once per \
         cooldown (parameter KeysCooldownSeconds, 60 s by default). Until then it rejects such webhooks, and a provider \
         sends them again."
    );
    Ok(ExitCode::SUCCESS)
}
