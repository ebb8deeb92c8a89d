//! `simulate`: the deployed functions in one process, in virtual time, from one seed.

use std::fs;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use fundhook_simulator::{FaultLevel, Outcome, Plan, shrink, simulate_all};
use tokio::task::spawn_blocking;

use super::{Ending, progress};

pub(crate) const HELP: &str = "\
Run the deployed functions in one process and in virtual time against simulated providers, queues and tables. Webhooks are \
repeated, delayed, forged and altered; calls fail before or after they take effect; functions are killed. In the end, every \
promise is checked against a single clean pass.

The same seed gives the same standard output. If a promise did not hold, the command looks for the fewest webhooks and faults \
that still break one, writes them to a file for `--plan`, and ends with 1.";

/// How many seeds may be simulated.
const SEEDS: RangeInclusive<u64> = 1..=100_000;

/// In how many hours webhooks may be sent.
const HOURS: RangeInclusive<u64> = 1..=720;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many webhooks the providers send for each seed, without repetitions
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    webhooks: u64,
    /// What all random numbers come from; a new one if it is not given
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many seeds are simulated, one after the other, from --seed on
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(SEEDS))]
    seeds: u64,
    /// How much goes wrong: none, light or heavy
    #[arg(long, default_value = "heavy", value_name = "LEVEL")]
    faults: FaultLevel,
    /// In how many hours of virtual time the webhooks are sent
    #[arg(long, default_value_t = 24, value_name = "H", value_parser = clap::value_parser!(u64).range(HOURS))]
    hours: u64,
    /// Simulate the plan in this file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["webhooks", "seed", "seeds", "faults", "hours"])]
    plan: Option<PathBuf>,
    /// Where to write the smallest plan that breaks a promise
    #[arg(long, value_name = "FILE", default_value = "target/simulated.json")]
    shrunk: PathBuf,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { webhooks, seed, seeds, faults, hours, plan, shrunk } = arguments;
    let plans = match plan {
        Some(file) => vec![read(&file)?],
        None => {
            // A seed that is easy to copy.
            let first = seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
            (0..seeds).map(|nth| Plan::new(first.wrapping_add(nth), webhooks, faults, hours)).collect()
        }
    };
    let webhooks: u64 = plans.iter().map(|plan| plan.webhooks).sum();
    let seeds = match plans.as_slice() {
        [first, _, ..] => format!("{} seeds from {} on", plans.len(), first.seed),
        _ => plans.iter().map(|plan| format!("seed {}", plan.seed)).collect(),
    };
    progress(&format!("Simulating {webhooks} webhooks with {seeds}"));
    let began = Instant::now();
    let told = move |told| show(&format!("{told} of {webhooks} webhooks"));
    let series = spawn_blocking(move || simulate_all(&plans, &told)).await??;
    hide();
    progress(&format!("Simulated in {} s", began.elapsed().as_secs()));
    println!("{series}");
    let Some(failed) = series.first_failed().cloned() else {
        return Ok(ExitCode::SUCCESS);
    };
    progress("Looking for the fewest webhooks and faults that still break a promise");
    let smallest = spawn_blocking(move || shrink_and_show(&failed)).await??;
    hide();
    if let Some(directory) = shrunk.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&shrunk, serde_json::to_string_pretty(&smallest)? + "\n")?;
    let lives = smallest.only.len();
    progress(&format!("Lives left: {lives}. Simulate them with `cargo fundhook simulate --plan {}`", shrunk.display()));
    Ok(ExitCode::FAILURE)
}

fn read(file: &PathBuf) -> Result<Plan, Box<dyn std::error::Error + Send + Sync>> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let plan: Plan =
        serde_json::from_str(&text).map_err(|error| format!("{} is not a plan: {error}", file.display()))?;
    if !HOURS.contains(&plan.hours) {
        return Err(format!("{}: hours is {}, expected 1 to {}", file.display(), plan.hours, HOURS.end()).into());
    }
    Ok(plan)
}

fn shrink_and_show(outcome: &Outcome) -> Result<Plan, fundhook_simulator::CannotBegin> {
    shrink(outcome, &|plan| {
        show(&format!("{} lives, without {} kinds of fault", plan.only.len(), plan.without.len()));
    })
}

/// Shows on a terminal how far it is.
fn show(how_far: &str) {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K· {how_far}");
        // What cannot be shown is not missed.
        drop(stderr().flush());
    }
}

/// Removes what was shown.
fn hide() {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
