//! `bench`: the size and cost of the functions.

use std::process::ExitCode;

use clap::Args;
use fundhook_bench::{FunctionCost, Ratio, measure};
use fundhook_local_stack::{CargoOutput, Function, Profile, Workspace, build};

use super::{Ending, progress};

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many invocations of each function are measured
    #[arg(long, default_value_t = 200, value_name = "N")]
    rounds: usize,
}

/// The limit for a stripped binary.
const BINARY_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// The limit of AWS calls per webhook.
const CALL_GOALS: &[(Function, Ratio)] = &[
    (Function::Receiver, Ratio { of: 1, per: 1 }),
    (Function::FanOut, Ratio { of: 3, per: 10 }),
    (Function::StateUpdater, Ratio { of: 2, per: 10 }),
    (Function::Publisher, Ratio { of: 1, per: 10 }),
];

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let workspace = Workspace::find()?;
    progress("Building the functions in release mode; the first build takes minutes");
    let binaries = build(&workspace, &Function::programs(), Profile::Release, CargoOutput::Shown).await?;
    progress("Measuring");
    let costs = measure(&binaries, &workspace.root().join("events/connect"), arguments.rounds).await?;

    println!(
        "{:<14} {:>10} {:>12} {:>18} {:>12} {:>18}",
        "function", "binary", "cold CPU", "warm CPU/webhook", "peak memory", "AWS calls/webhook"
    );
    let mut reached = true;
    for cost in &costs {
        let fits = meets_goals(cost);
        reached &= fits;
        println!("{}  {}", line(cost), if fits { "✓" } else { "✗" });
    }
    println!(
        "\n{} webhooks per invocation (receiver: 1), {} invocations per function. Goals: binary at most 8 MiB; AWS calls per \
         webhook at most 1 (receiver), 0.3 (fan-out), 0.2 (state-updater), 0.1 (publisher).",
        costs.iter().map(|cost| cost.webhooks_per_invocation).max().unwrap_or(1),
        arguments.rounds,
    );
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn meets_goals(cost: &FunctionCost) -> bool {
    let calls = CALL_GOALS.iter().filter(|(function, _)| *function == cost.function);
    let few_calls = |goal: &Ratio| cost.calls_per_webhook.of * goal.per <= goal.of * cost.calls_per_webhook.per;
    cost.binary_bytes <= BINARY_BYTES_MAX && calls.into_iter().all(|(_, goal)| few_calls(goal))
}

fn line(cost: &FunctionCost) -> String {
    let Ratio { of, per } = cost.calls_per_webhook;
    // Two decimals, in integers.
    let hundredths = of * 100 / per.max(1);
    let micros = cost.warm_cpu_per_webhook.as_micros();
    format!(
        "{:<14} {:>6} KiB {:>9} ms {:>15} µs {:>8} KiB {:>15}.{:02}",
        cost.function.package(),
        cost.binary_bytes / 1024,
        cost.cold_cpu.as_millis(),
        micros,
        cost.peak_memory_bytes / 1024,
        hundredths / 100,
        hundredths % 100,
    )
}
