//! `drop`: webhooks that the sandbox provider never sends.

use std::process::ExitCode;

use clap::Args;
use fundhook_local_stack::LocalStack;
use fundhook_local_stack::Workspace;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many of a hundred webhooks are dropped, 0 for none
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    share: u8,
    /// Chooses which ones: a webhook is dropped under a seed each time, or never
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let stack = LocalStack::running(&Workspace::find()?)?;
    stack.sandbox().drop_share(arguments.share, arguments.seed).await?;
    if arguments.share == 0 {
        println!("The sandbox provider sends all its webhooks.");
    } else {
        println!(
            "The sandbox provider drops {} % of its webhooks. The deposits that they tell of are in its list of transactions \
             all the same; `cargo fundhook drop --share 0` ends it.",
            arguments.share
        );
    }
    Ok(ExitCode::SUCCESS)
}
