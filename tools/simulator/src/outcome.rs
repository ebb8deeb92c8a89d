//! What a simulation found.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Add;

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

impl Add for Sent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            told: self.told + other.told,
            lives: self.lives + other.lives,
            resources: self.resources + other.resources,
            facts: self.facts + other.facts,
            events: self.events + other.events,
        }
    }
}

/// Writes how often each thing happened and each promise was checked.
pub(crate) fn write_counts(
    f: &mut fmt::Formatter<'_>,
    counts: &BTreeMap<&'static str, u64>,
    checked: &BTreeMap<&'static str, u64>,
) -> fmt::Result {
    for (title, counts) in [("what happened", counts), ("what was checked", checked)] {
        writeln!(f, "\n{title}")?;
        for (what, count) in counts {
            writeln!(f, "  {count:>12}  {what}")?;
        }
    }
    Ok(())
}

/// Writes the promises that did not hold.
pub(crate) fn write_broken(f: &mut fmt::Formatter<'_>, broken: &[String]) -> fmt::Result {
    if !broken.is_empty() {
        writeln!(f, "\n{} broken promises", broken.len())?;
    }
    for sentence in broken.iter().take(SHOWN_MAX) {
        writeln!(f, "  ✗ {sentence}")?;
    }
    Ok(())
}
