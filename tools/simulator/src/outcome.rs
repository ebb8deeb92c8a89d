//! What a simulation found.

use std::collections::BTreeMap;
use std::fmt;

use crate::plan::Plan;

/// How many broken promises are shown.
const SHOWN_MAX: usize = 20;

/// What the providers sent, and what is recorded and published of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Webhooks that the providers told.
    pub told: u64,
    /// Lives that the plan has, told or not.
    pub lives: u64,
    /// Deposits, withdrawals, users and other things that the webhooks are about.
    pub resources: u64,
    /// Facts that are recorded about them.
    pub facts: u64,
    /// Events that were published, without repetitions.
    pub events: u64,
}

/// What a simulation found. It is the same for the same plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was simulated.
    pub plan: Plan,
    /// What was sent, recorded and published.
    pub sent: Sent,
    /// How often each thing happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// How often each promise was checked.
    pub checked: BTreeMap<&'static str, u64>,
    /// The promises that did not hold, each as a sentence.
    pub broken: Vec<String>,
    /// The digest of everything that happened: 64 hex digits.
    pub digest: String,
}

impl Outcome {
    /// Whether every promise held.
    pub fn is_well(&self) -> bool {
        self.broken.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, sent, counts, checked, broken, digest } = self;
        let Sent { told, lives: _, resources, facts, events } = sent;
        writeln!(
            f,
            "seed {}, faults {}, {told} webhooks within {} h: {resources} resources, {facts} facts, {events} events",
            plan.seed, plan.faults, plan.hours
        )?;
        writeln!(f, "\nwhat happened")?;
        for (what, count) in counts {
            writeln!(f, "  {count:>12}  {what}")?;
        }
        writeln!(f, "\nwhat was checked")?;
        for (what, count) in checked {
            writeln!(f, "  {count:>12}  {what}")?;
        }
        if !broken.is_empty() {
            writeln!(f, "\n{} broken promises", broken.len())?;
        }
        for sentence in broken.iter().take(SHOWN_MAX) {
            writeln!(f, "  ✗ {sentence}")?;
        }
        write!(f, "\nrun {digest}")
    }
}
