//! Several worlds, on all cores.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use sha2::{Digest as _, Sha256};

use crate::outcome::{self, Outcome, Sent};
use crate::plan::Plan;
use crate::{CannotBegin, simulate};

/// What several simulations found, in the order of their plans. It is the same for the same plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What was simulated: each plan with all its worlds.
    pub plans: Vec<Plan>,
    /// The outcome of each world.
    pub worlds: Vec<Outcome>,
}

/// Simulates the [worlds](Plan::worlds) of these plans, on as many threads as there are cores. Calls `progress` now and then with
/// the number of webhooks that were told.
pub fn simulate_all(plans: &[Plan], progress: &(dyn Fn(u64) + Sync)) -> Result<Series, CannotBegin> {
    let worlds: Vec<Plan> = plans.iter().flat_map(Plan::worlds).collect();
    let (next, told) = (AtomicUsize::new(0), AtomicU64::new(0));
    let outcomes: Vec<Mutex<Option<Result<Outcome, CannotBegin>>>> = worlds.iter().map(|_| Mutex::default()).collect();
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (Some(plan), Some(outcome)) = (worlds.get(number), outcomes.get(number)) else {
                return;
            };
            let of_world = AtomicU64::new(0);
            let simulated = simulate(plan, &|now| {
                let new = now.saturating_sub(of_world.swap(now, Ordering::Relaxed));
                progress(told.fetch_add(new, Ordering::Relaxed) + new);
            });
            *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(simulated);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(worlds.len());
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let outcomes = outcomes.into_iter().filter_map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(Series { plans: plans.to_vec(), worlds: outcomes.collect::<Result<_, _>>()? })
}

impl Series {
    /// Whether every promise held in every world.
    pub fn is_well(&self) -> bool {
        self.worlds.iter().all(Outcome::is_well)
    }

    /// The first world in which a promise did not hold.
    pub fn first_failed(&self) -> Option<&Outcome> {
        self.worlds.iter().find(|world| !world.is_well())
    }

    /// What was sent, recorded and published in all worlds.
    pub fn sent(&self) -> Sent {
        self.worlds.iter().fold(Sent::default(), |sum, world| sum + world.sent)
    }

    /// The digest of everything that happened: 64 hex digits. That of one world is its own.
    pub fn digest(&self) -> String {
        match self.worlds.as_slice() {
            [world] => world.digest.clone(),
            worlds => {
                let digests = worlds.iter().map(|world| world.digest.as_str());
                hex::encode(Sha256::digest(digests.collect::<Vec<_>>().join("\n")))
            }
        }
    }

    fn sums(&self, of: fn(&Outcome) -> &BTreeMap<&'static str, u64>) -> BTreeMap<&'static str, u64> {
        let mut sums = BTreeMap::new();
        for (what, count) in self.worlds.iter().flat_map(of) {
            *sums.entry(*what).or_default() += count;
        }
        sums
    }
}

/// The seeds of these plans.
fn seeds(plans: &[Plan]) -> String {
    match plans {
        [first, .., last] => format!("seeds {} to {}", first.seed, last.seed),
        [only] => format!("seed {}", only.seed),
        [] => "no seed".to_owned(),
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sent { told, lives: _, resources, facts, events } = self.sent();
        let (faults, hours) = self.plans.first().map(|plan| (plan.faults.as_str(), plan.hours)).unwrap_or_default();
        writeln!(
            f,
            "{}, faults {faults}, {told} webhooks within {hours} h: {resources} resources, {facts} facts, {events} events",
            seeds(&self.plans)
        )?;
        if self.worlds.len() > self.plans.len() {
            writeln!(f, "in {} worlds of at most {} webhooks", self.worlds.len(), Plan::OF_WORLD_MAX)?;
        }
        outcome::write_counts(f, &self.sums(|world| &world.counts), &self.sums(|world| &world.checked))?;
        let broken = self.worlds.iter().flat_map(|world| {
            let of_world = if self.worlds.len() > 1 { format!("seed {}: ", world.plan.seed) } else { String::new() };
            world.broken.iter().map(move |sentence| format!("{of_world}{sentence}"))
        });
        outcome::write_broken(f, &broken.collect::<Vec<_>>())?;
        write!(f, "\nrun {}", self.digest())
    }
}
