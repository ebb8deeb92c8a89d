//! `simulate`: the deployed functions in one process, in virtual time, from one seed.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use fundhook_simulator::{FaultLevel, Plan, simulate};
use tokio::task::spawn_blocking;

use super::{Ending, progress};

pub(crate) const HELP: &str = "\
Run the deployed functions in one process and in virtual time against simulated providers, queues and tables. Webhooks are \
repeated, delayed, forged and altered; calls fail before or after they take effect; functions are killed. In the end, every \
promise is checked against a single clean pass.

The same seed gives the same standard output. The command fails if a promise did not hold.";

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many webhooks the providers send, without repetitions
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    webhooks: u64,
    /// What all random numbers come from; a new one if it is not given
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How much goes wrong: none, light or heavy
    #[arg(long, default_value = "heavy", value_name = "LEVEL")]
    faults: FaultLevel,
    /// In how many hours of virtual time the webhooks are sent
    #[arg(long, default_value_t = 24, value_name = "H", value_parser = clap::value_parser!(u64).range(1..=720))]
    hours: u64,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { webhooks, seed, faults, hours } = arguments;
    let within = Duration::from_secs(hours * 3600);
    // Seeds that are easy to copy.
    let plan = Plan { seed: seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000)), webhooks, faults, within };
    progress(&format!("Simulating {webhooks} webhooks with seed {}", plan.seed));
    let began = Instant::now();
    let outcome = spawn_blocking(move || simulate(&plan, &|told| show(told, webhooks))).await??;
    eprintln!("\r· {webhooks} webhooks simulated in {} s", began.elapsed().as_secs());
    println!("{outcome}");
    Ok(if outcome.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows on a terminal how far it is.
fn show(told: u64, of: u64) {
    if stderr().is_terminal() {
        eprint!("\r· {told} of {of} webhooks told");
        // What cannot be shown is not missed.
        drop(stderr().flush());
    }
}
