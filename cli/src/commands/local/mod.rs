//! The commands that need the local stack or the sandbox provider, one file each.

mod bench;
mod demo;
mod down;
mod drop;
mod reconcile;
mod rotate;
mod sandbox;
mod send;
mod sign;
mod simulate;
mod soak;
mod up;

pub(super) use reconcile::run as reconcile;

use clap::Subcommand;

use super::{Ending, read};

pub(crate) const INTRODUCTION: &str = "\
Operate Fundhook, and try it on this machine.

Start with `cargo fundhook demo`: it starts a local stack, sends it webhooks and shows the events. To try your own \
webhooks, start a stack with `up`; run `listen` in one terminal and `send events/connect/deposits.pending.json` in \
another; then `show` the resource. Stop the stack with `down`. `preview` and `verify` need no stack.";

#[derive(Subcommand)]
pub(crate) enum LocalCommand {
    /// Start a local stack, send it webhooks (some repeated, some late, some forged) and check the events
    Demo(demo::Arguments),
    /// Start a local stack and leave it running
    Up(up::Arguments),
    /// Stop the local stack that `up` started
    Down,
    /// Sign webhooks with the sandbox provider's key and send them to the local stack
    Send(send::Arguments),
    /// Print the headers that a provider would send with a body
    Sign(sign::Arguments),
    /// Make the sandbox provider sign with a new key from now on
    Rotate(rotate::Arguments),
    /// Make the sandbox provider drop a share of its webhooks from now on
    Drop(drop::Arguments),
    /// Measure the functions: size, cold and warm CPU time, memory, AWS calls per webhook
    Bench(bench::Arguments),
    /// Simulate the functions with random faults in virtual time, and check every promise
    #[command(long_about = simulate::HELP)]
    Simulate(simulate::Arguments),
    /// Send webhooks to a local stack for minutes while its processes are killed, and check every promise
    #[command(long_about = soak::HELP)]
    Soak(soak::Arguments),
    /// Run only the sandbox provider
    #[command(hide = true)]
    Sandbox(sandbox::Arguments),
}

impl LocalCommand {
    pub(crate) async fn run(self) -> Ending {
        match self {
            Self::Demo(arguments) => demo::run(arguments).await,
            Self::Up(arguments) => up::run(arguments).await,
            Self::Down => down::run().await,
            Self::Send(arguments) => send::run(arguments).await,
            Self::Sign(arguments) => sign::run(arguments).await,
            Self::Rotate(arguments) => rotate::run(arguments).await,
            Self::Drop(arguments) => drop::run(arguments).await,
            Self::Bench(arguments) => bench::run(arguments).await,
            Self::Simulate(arguments) => simulate::run(arguments).await,
            Self::Soak(arguments) => soak::run(arguments).await,
            Self::Sandbox(arguments) => sandbox::run(arguments).await,
        }
    }
}

/// Prints the current step to standard error, so that standard output has only the result.
fn progress(step: &str) {
    eprintln!("· {step}");
}
