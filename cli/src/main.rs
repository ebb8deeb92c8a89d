//! `cargo fundhook`: the operator's commands, and with the feature `local` those of the local stack.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use commands::{
    backfill, cases, dlq, evidence, invoke, ledger, listen, local, preview, reconcile, replay, republish, show, verify,
};
use fundhook_ports::chain;
#[cfg(feature = "local")]
use mimalloc::MiMalloc;

/// A simulation allocates and frees small pieces most of its time.
#[cfg(feature = "local")]
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(name = "fundhook", bin_name = "cargo fundhook", version, arg_required_else_help = true)]
#[command(about = "Operate Fundhook", long_about = local::INTRODUCTION)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Local(local::LocalCommand),
    /// Print events as subscribers receive them, until interrupted
    Listen(listen::Arguments),
    /// Show a resource's timeline: each fact, when it was received, what it changed, and its evidence
    Show(show::Arguments),
    /// Verify every fact of a resource again, from the archive and the history of keys
    Evidence(evidence::Arguments),
    /// Invoke a function with an event, on the local stack or a deployed one
    #[command(long_about = invoke::HELP)]
    Invoke(invoke::Arguments),
    /// Show offline what would come out of webhooks: each event, and what each user is owed in the end
    #[command(long_about = preview::HELP)]
    Preview(preview::Arguments),
    /// Check offline whether a webhook's signature verifies, and if not, why
    Verify(verify::Arguments),
    /// List what needs a person's review, and decide: accept, reject or resolve
    Cases(cases::Arguments),
    /// Show what the recorded resources book: balances by ledger account and asset, and the trial balance
    Ledger(ledger::Arguments),
    /// Compare the provider's list with what is recorded, report a day's totals, or accept an ambiguous row
    Reconcile(reconcile::Arguments),
    /// Record what the providers list of a past period, such as the one before Fundhook was deployed
    Backfill(backfill::Arguments),
    /// List the dead letters, say why each is there, and redrive them
    Dlq(dlq::Arguments),
    /// Read archived webhooks again with today's code and settings, and record what that changes
    Replay(replay::Arguments),
    /// Publish events again, with the same ids and contents
    Republish(republish::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Local(command) => command.run().await,
        Command::Listen(arguments) => listen::run(arguments).await,
        Command::Show(arguments) => show::run(arguments).await,
        Command::Evidence(arguments) => evidence::run(arguments).await,
        Command::Invoke(arguments) => invoke::run(arguments).await,
        Command::Preview(arguments) => preview::run(arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Cases(arguments) => cases::run(arguments).await,
        Command::Ledger(arguments) => ledger::run(arguments).await,
        Command::Reconcile(arguments) => reconcile::run(arguments).await,
        Command::Backfill(arguments) => backfill::run(arguments).await,
        Command::Dlq(arguments) => dlq::run(arguments).await,
        Command::Replay(arguments) => replay::run(arguments).await,
        Command::Republish(arguments) => republish::run(arguments).await,
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}
