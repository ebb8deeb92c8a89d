//! `soak`: the functions' own binaries on a local stack, under webhooks for minutes, while their processes are killed.

mod counts;
mod drain;
mod killer;
mod provider;
mod stored;
mod usage;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use fundhook::stack_settings::StackSettings;
use fundhook::subscription::Subscription;
use fundhook::target::Target;
use fundhook_local_stack::session::{Platform, Session};
use fundhook_local_stack::{Account, CargoOutput, Function, reconciler};
use fundhook_simulator::soak::Soak;
use serde_json::json;
use tokio::time::{Instant, sleep};

use self::counts::Counts;
use self::provider::Providers;
use self::usage::{Minutes, watch};
use super::{Ending, progress};

pub(crate) const HELP: &str = "\
Start a local stack as `demo` does, and send it the simulator's webhooks by signed HTTP requests. 10% are sent again after \
they were accepted, and 5% are never sent. What is not answered with 200 is sent again with growing pauses. Every few \
seconds, a random process of a function is killed, if possible at work; the emulator starts another one. The sandbox lists \
what the webhooks are about, and the reconciler runs every minute.

Then the queues drain, dead letters are redriven, and the promises are checked with the simulator's oracle. The command \
ends with 1 if one does not hold.

On a system without /proc, no process is killed, and neither memory nor file handles are shown.";

/// How often the reconciler runs. On AWS, it is every 15 minutes.
const RECONCILED_EVERY: Duration = Duration::from_secs(60);

/// How long a message stays hidden that a killed function received: shorter than the template's minute, so that the end is
/// not a long wait.
const HIDDEN_SECONDS: &str = "15";

#[derive(Args)]
pub(crate) struct Arguments {
    /// For how many minutes the providers send webhooks
    #[arg(long, default_value_t = 5, value_name = "M", value_parser = clap::value_parser!(u64).range(1..=1_440))]
    minutes: u64,
    /// What the webhooks are drawn from; a new one if it is not given
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many webhooks there are each second, without repetitions
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    rate: u64,
}

/// What the parts of a soak share.
struct Shared {
    soak: Mutex<Soak>,
    counts: Counts,
}

impl Shared {
    fn soak(&self) -> MutexGuard<'_, Soak> {
        self.soak.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { minutes, seed, rate } = arguments;
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let session = Session::start(CargoOutput::Shown, &progress).await?;
    progress("Deploying infra/template.yaml to the emulator");
    let platform = session.platform(Account::default(), &[]).await?;
    let target = Target::of(&platform.deployment)?;
    drain::hide_for(&target, HIDDEN_SECONDS).await?;
    let subscription = Subscription::open(&target.aws, target.output("TopicArn")?).await?;
    let refreshed = platform.deployment.invoke(Function::Refresher, &json!({})).await?;
    if refreshed.failed {
        return Err(format!("the refresher failed: {}", refreshed.payload).into());
    }
    let reading = StackSettings::of(&target).await?.reading;
    let soak = Mutex::new(Soak::new(seed, minutes * 60 * rate, reading));
    let shared = Arc::new(Shared { soak, counts: Counts::default() });

    progress(&format!("Sending webhooks for {minutes} minutes, {rate} each second, with seed {seed}"));
    let listener = tokio::spawn(listen(subscription, Arc::clone(&shared)));
    let until = Instant::now() + Duration::from_secs(60 * minutes);
    let providers = Arc::new(Providers::of(&platform, &shared));
    let (sent, (), (), usage) = tokio::join!(
        providers.send_until(until, rate),
        killer::kill_until(until, session.emulator(), &shared.counts),
        reconcile_until(until, &platform, &shared.counts),
        watch(minutes, &session, &platform.deployment, &shared.counts),
    );
    sent?;
    progress("Draining");
    drain::drain(&target, &platform.deployment, &shared).await?;
    listener.abort();

    let (resources, archive) = (stored::resources(&target).await?, stored::archive(&target).await?);
    let findings = shared.soak().check(resources, archive);
    println!("{}\n{}\n{findings}", shared.counts, Minutes(&usage));
    if findings.broken.is_empty() {
        println!("\n✓ every promise holds (seed {seed})");
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nThe log of the emulator and the functions is {}", session.emulator().log().display());
    Ok(ExitCode::FAILURE)
}

/// Receives events, for ever.
async fn listen(subscription: Subscription, shared: Arc<Shared>) {
    loop {
        match subscription.next().await {
            Ok(deliveries) => {
                for delivery in deliveries {
                    let mut soak = shared.soak();
                    if let Err(error) = soak.received(&delivery.body) {
                        soak.broke(error.to_string());
                    }
                }
            }
            Err(error) => {
                progress(&format!("cannot receive events, trying again: {error}"));
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Runs the reconciler again and again. A run that is killed fails, and the next one does its work.
async fn reconcile_until(until: Instant, platform: &Platform, counts: &Counts) {
    loop {
        let next = Instant::now() + RECONCILED_EVERY;
        match reconciler::run(&platform.deployment).await {
            Ok(run) => counts.rows_queued.add(run.queued),
            Err(_) => counts.runs_failed.add(1),
        }
        if next >= until {
            return;
        }
        tokio::time::sleep_until(next).await;
    }
}
