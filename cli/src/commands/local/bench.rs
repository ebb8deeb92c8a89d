//! `bench`: what the functions cost.

use std::process::ExitCode;

use clap::Args;
use fundhook_bench::{Ratio, Row, measure};
use fundhook_local_stack::{CargoOutput, Function, Profile, Workspace, build};

use super::{Ending, progress};

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many invocations are measured of each function
    #[arg(long, default_value_t = 200, value_name = "N")]
    rounds: usize,
}

/// The largest stripped binary, and the most AWS calls a webhook, that each function is meant to have.
const BINARY_BYTES_MAX: u64 = 8 * 1024 * 1024;
const GOALS: &[(Function, Ratio)] = &[
    (Function::Receiver, Ratio { of: 1, per: 1 }),
    (Function::FanOut, Ratio { of: 3, per: 10 }),
    (Function::StateUpdater, Ratio { of: 2, per: 10 }),
    (Function::Publisher, Ratio { of: 1, per: 10 }),
];

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let workspace = Workspace::find()?;
    progress("Building the functions for release; the first time takes minutes");
    let binaries = build(&workspace, &Function::programs(), Profile::Release, CargoOutput::Shown).await?;
    progress("Measuring");
    let rows = measure(&binaries, &workspace.root().join("events/connect"), arguments.rounds).await?;

    println!(
        "{:<14} {:>10} {:>12} {:>18} {:>12} {:>18}",
        "function", "binary", "cold CPU", "warm CPU/webhook", "peak memory", "AWS calls/webhook"
    );
    let mut reached = true;
    for row in &rows {
        let fits = goals(row);
        reached &= fits;
        println!("{}  {}", line(row), if fits { "✓" } else { "✗" });
    }
    println!(
        "\nBatches of {} webhooks but for the receiver, {} invocations each. Goals: a binary of at most 8 MiB; at most 1 call a \
         webhook (receiver), 0.3 (fan-out), 2 a batch (state-updater), 1 a batch (publisher).",
        rows.iter().map(|row| row.webhooks_per_invocation).max().unwrap_or(1),
        arguments.rounds,
    );
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn goals(row: &Row) -> bool {
    let calls = GOALS.iter().filter(|(function, _)| *function == row.function);
    let few_calls = |goal: &Ratio| row.calls_per_webhook.of * goal.per <= goal.of * row.calls_per_webhook.per;
    row.binary_bytes <= BINARY_BYTES_MAX && calls.into_iter().all(|(_, goal)| few_calls(goal))
}

fn line(row: &Row) -> String {
    let Ratio { of, per } = row.calls_per_webhook;
    // Two decimals, in integers.
    let hundredths = of * 100 / per.max(1);
    let micros = row.warm_cpu_per_webhook.as_micros();
    format!(
        "{:<14} {:>6} KiB {:>9} ms {:>15} µs {:>8} KiB {:>15}.{:02}",
        row.function.package(),
        row.binary_bytes / 1024,
        row.cold_cpu.as_millis(),
        micros,
        row.peak_memory_bytes / 1024,
        hundredths / 100,
        hundredths % 100,
    )
}
