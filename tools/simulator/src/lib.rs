//! Runs the six deployed functions in one process and in virtual time, wired by the same ports as on AWS. Providers tell whole
//! lives of deposits, withdrawals, users and balances by webhooks and list them, while queues repeat and reorder, calls fail
//! before or after they take effect, and functions are killed between any two awaits. An oracle then compares the table, the
//! events and the books with what a single clean pass gives.
//!
//! Guarantees:
//!
//! - Everything follows from the [`Plan`]: a world has one thread, tokio's paused clock, and random numbers from the plan's
//!   seed. The same plan has the same [`Outcome::digest`] on every machine.
//! - A broken promise is a sentence in [`Outcome::broken`]. It names the resource or the webhook.

mod alarms;
mod books;
mod calls;
mod chance;
mod clock;
mod cloudwatch;
mod deployment;
mod functions;
pub mod interleavings;
mod lives;
mod log;
mod oracle;
mod outcome;
mod plan;
mod provider;
mod published;
mod queue;
mod series;
mod shrink;
mod signing;
pub mod soak;
mod stream;
mod table;
mod topic;
mod world;

pub use outcome::{Outcome, Sent};
pub use plan::{Fault, FaultLevel, Plan};
pub use series::{Series, simulate_all};
pub use shrink::shrink;

/// Why a simulation cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("the simulation cannot begin: {what}")]
pub struct CannotBegin {
    what: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl CannotBegin {
    fn because(what: &'static str) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self { what, source }
    }
}

/// Runs the plan to its end, and checks every promise. Calls `progress` with the number of webhooks that were told, about a
/// hundred times in all.
///
/// It must not be called from within a tokio runtime: it has one of its own, with a clock of its own.
pub fn simulate(plan: &Plan, progress: &dyn Fn(u64)) -> Result<Outcome, CannotBegin> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| CannotBegin::because("no runtime")(error.into()))?;
    runtime.block_on(world::run(plan, progress))
}
