//! `sandbox`: runs only the sandbox provider, for `up`.

use std::process::ExitCode;

use clap::Args;
use fundhook_sandbox::Sandbox;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The port on the loopback interface
    #[arg(long)]
    port: u16,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    Sandbox::start(arguments.port).await?.serve_forever().await;
    Ok(ExitCode::FAILURE)
}
