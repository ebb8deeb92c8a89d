//! `rotate`: a new key at the sandbox provider.

use std::process::ExitCode;

use clap::Args;
use fundhook_local_stack::LocalStack;
use fundhook_local_stack::Workspace;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Keep the old keys published beside the new one
    #[arg(long)]
    overlap: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let stack = LocalStack::running(&Workspace::find()?)?;
    let published = stack.sandbox().rotate(arguments.overlap).await?;
    println!(
        "The sandbox provider signs with a new key; it publishes {published} by now.\n\
         The first webhook signed with it has the key set fetched again. That is done once a cooldown (parameter \
         KeysCooldownSeconds, 60 s by default): within one, webhooks are refused, and a provider sends them again."
    );
    Ok(ExitCode::SUCCESS)
}
