//! `drop`: make the sandbox provider drop webhooks.

use std::process::ExitCode;

use clap::Args;
use fundhook_local_stack::{LocalStack, Workspace};
use fundhook_sandbox::DropShare;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many percent of the webhooks are dropped; 0 for none
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    share: u8,
    /// Selects which webhooks are dropped. Under one seed, a webhook is dropped every time or never
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let stack = LocalStack::running(&Workspace::find()?)?;
    let share = DropShare { percent: arguments.share, seed: arguments.seed };
    stack.sandbox().drop_share(share).await?;
    if arguments.share == 0 {
        println!("The sandbox provider sends all webhooks.");
    } else {
        println!(
            "The sandbox provider drops {} % of its webhooks. What they report is in its lists still. `cargo \
             fundhook drop --share 0` makes it send all webhooks again.",
            arguments.share
        );
    }
    Ok(ExitCode::SUCCESS)
}
