//! `cargo fundhook`: the local stack, the sandbox provider and the operator's commands.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
#[cfg(feature = "local")]
use commands::{bench, demo, down, drop, rotate, sandbox, send, sign, up};
use commands::{evidence, listen, reconcile, show, verify};
use fundhook_ports::chain;

/// Webhooks of crypto account-funding providers in, one stream of CloudEvents out.
///
/// Start with `cargo fundhook demo`: it makes a local stack, sends it webhooks, and shows what comes out. To try things
/// yourself, `up` leaves a stack running; `listen` in one terminal, `send events/connect/deposits.pending.json` in
/// another, then `show` what it added up to. `down` ends it.
#[derive(Parser)]
#[command(name = "cargo fundhook", bin_name = "cargo fundhook", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a local stack, sends it webhooks (some twice, some late, some forged) and checks what comes out
    #[cfg(feature = "local")]
    Demo(demo::Arguments),
    /// Starts a local stack and leaves it running
    #[cfg(feature = "local")]
    Up(up::Arguments),
    /// Ends the local stack that `up` left running
    #[cfg(feature = "local")]
    Down,
    /// Signs webhooks with the sandbox provider's key and sends them to the local stack
    #[cfg(feature = "local")]
    Send(send::Arguments),
    /// Shows events as subscribers get them, until interrupted
    Listen(listen::Arguments),
    /// Shows a resource's timeline: each fact, when it came, what it changed, and its evidence
    Show(show::Arguments),
    /// Verifies each statement about a resource once more, from the archive and the history of keys
    Evidence(evidence::Arguments),
    /// Tells offline whether a webhook's signature verifies, and if not, why
    Verify(verify::Arguments),
    /// Signs a body as Connect would, with a private key of yours or the sandbox provider's
    #[cfg(feature = "local")]
    Sign(sign::Arguments),
    /// Has the sandbox provider sign with a new key from now on
    #[cfg(feature = "local")]
    Rotate(rotate::Arguments),
    /// Holds the provider's list against what is recorded and heals it, shows what a day came to, or accepts a doubted row
    Reconcile(reconcile::Arguments),
    /// Has the sandbox provider drop a share of its webhooks from now on
    #[cfg(feature = "local")]
    Drop(drop::Arguments),
    /// Measures the functions: size, cold and warm CPU time, memory, AWS calls per webhook
    #[cfg(feature = "local")]
    Bench(bench::Arguments),
    /// Runs the sandbox provider by itself
    #[command(hide = true)]
    #[cfg(feature = "local")]
    Sandbox(sandbox::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        #[cfg(feature = "local")]
        Command::Demo(arguments) => demo::run(arguments).await,
        #[cfg(feature = "local")]
        Command::Up(arguments) => up::run(arguments).await,
        #[cfg(feature = "local")]
        Command::Down => down::run().await,
        #[cfg(feature = "local")]
        Command::Send(arguments) => send::run(arguments).await,
        Command::Listen(arguments) => listen::run(arguments).await,
        Command::Show(arguments) => show::run(arguments).await,
        Command::Evidence(arguments) => evidence::run(arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        #[cfg(feature = "local")]
        Command::Sign(arguments) => sign::run(arguments).await,
        #[cfg(feature = "local")]
        Command::Rotate(arguments) => rotate::run(arguments).await,
        Command::Reconcile(arguments) => reconcile::run(arguments).await,
        #[cfg(feature = "local")]
        Command::Drop(arguments) => drop::run(arguments).await,
        #[cfg(feature = "local")]
        Command::Bench(arguments) => bench::run(arguments).await,
        #[cfg(feature = "local")]
        Command::Sandbox(arguments) => sandbox::run(arguments).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}
