//! Tries every schedule of a configuration within its bounds, depth first. A state that was reached before with as much
//! left to spend is not explored again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::configurations::Configuration;
use super::handlers::Handlers;
use super::promises::{self, Summary};
use super::state::Computed;
use super::system::{Action, Bounds, System};

/// More steps than any schedule has: one that has more never ends.
const STEPS_MAX: usize = 1_000;

/// What was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many schedules were tried, each to its end or to a state that was reached before.
    pub runs: u64,
    /// How many different states were reached.
    pub states: usize,
    /// In how many of them nothing was left to do.
    pub ends: usize,
    /// The most steps of a schedule.
    pub steps: usize,
    /// How many moments of the handlers were computed.
    pub moments: usize,
}

/// A broken promise, and the schedule that breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What is broken, as a sentence.
    pub promise: String,
    /// The steps, in order.
    pub schedule: Vec<String>,
    /// The number of the schedule among those that were tried.
    pub run: u64,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, in the schedule number {}:", self.promise, self.run)?;
        self.schedule.iter().try_for_each(|step| writeln!(f, "  {step}"))
    }
}

/// A state on the way, and what may happen next in it.
struct Step {
    system: System,
    actions: Vec<Action>,
    taken: usize,
}

/// The states that were reached, each with what was left to spend.
#[derive(Default)]
struct Reached {
    left: BTreeMap<u64, Vec<Bounds>>,
    /// Those in which nothing is left to do.
    ends: BTreeSet<u64>,
}

impl Reached {
    /// Whether nothing new can follow: the state was reached before with at least as much left.
    fn knows(&mut self, state: u64, left: Bounds) -> bool {
        let known = self.left.entry(state).or_default();
        if known.iter().any(|known| known.cover(&left)) {
            return true;
        }
        known.retain(|known| !left.cover(known));
        known.push(left);
        false
    }
}

struct Explorer<'a> {
    configuration: &'a Configuration,
    handlers: Handlers,
    computed: Computed,
    reached: Reached,
    way: Vec<Step>,
    /// What clean passes give, by the rows that were queued.
    clean: BTreeMap<Vec<String>, Vec<Summary>>,
    /// The broken promises of tables in the end, by their digests and the rows that were queued.
    ends: BTreeMap<(u64, Vec<String>), Option<String>>,
    explored: Explored,
}

/// Tries every schedule of the configuration within these bounds, until one breaks a promise.
pub fn explore(configuration: &Configuration, bounds: Bounds) -> Result<Explored, Box<Broken>> {
    let explored = Explored { runs: 1, states: 0, ends: 0, steps: 0, moments: 0 };
    let mut explorer = Explorer {
        configuration,
        handlers: configuration.handlers(),
        computed: configuration.computed(),
        reached: Reached::default(),
        way: Vec::new(),
        clean: BTreeMap::new(),
        ends: BTreeMap::new(),
        explored,
    };
    let all = explorer.all(configuration.begin(bounds));
    let Explorer { reached: Reached { left, ends }, handlers, explored, .. } = &explorer;
    let explored = Explored { states: left.len(), ends: ends.len(), moments: handlers.moments(), ..*explored };
    all.map(|()| explored).map_err(|promise| explorer.broken(promise))
}

impl Explorer<'_> {
    /// Tries everything that may follow from `begin`. Stops at a broken promise, with the way to it.
    fn all(&mut self, begin: System) -> Result<(), String> {
        self.enter(begin)?;
        while let Some(step) = self.way.last_mut() {
            let Some(action) = step.actions.get(step.taken).copied() else {
                self.way.pop();
                continue;
            };
            step.taken += 1;
            let is_another_way = step.taken > 1;
            let mut system = step.system.clone();
            self.explored.runs += u64::from(is_another_way);
            system.act(action, &mut self.handlers, &mut self.computed);
            let broken = std::mem::take(&mut self.computed.broken);
            if let Some(promise) = broken.into_iter().chain(std::mem::take(&mut self.handlers.broken)).next() {
                return Err(promise);
            }
            self.enter(system)?;
        }
        Ok(())
    }

    /// Goes on from a state, unless it was reached before.
    fn enter(&mut self, system: System) -> Result<(), String> {
        let state = system.digest();
        if self.reached.knows(state, system.left) {
            return Ok(());
        }
        let actions = system.actions(&self.handlers);
        if actions.is_empty() {
            self.reached.ends.insert(state);
            return self.in_the_end(&system).map_or(Ok(()), Err);
        }
        self.way.push(Step { system, actions, taken: 0 });
        self.explored.steps = self.explored.steps.max(self.way.len());
        if self.way.len() < STEPS_MAX { Ok(()) } else { Err("a schedule never ends".to_owned()) }
    }

    /// What is broken when nothing is left to do.
    fn in_the_end(&mut self, system: &System) -> Option<String> {
        let (state, configuration) = (&system.state, self.configuration);
        let skipped = state.rows.iter().find(|row| configuration.must_queue() && !state.queued.contains(&row.id));
        if let Some(row) = skipped {
            return Some(format!("the row {} was never queued", row.id));
        }
        if configuration.must_queue() {
            // No updater records what was queued.
            return None;
        }
        let table = state.table.items();
        let queued: Vec<String> = state.queued.iter().cloned().collect();
        let of_table = self.ends.entry((state.table.digest(), queued.clone())).or_insert_with(|| {
            let clean = || configuration.clean_passes(&state.rows, &state.queued);
            let clean = self.clean.entry(queued).or_insert_with(clean);
            promises::of_table_in_the_end(table, clean).into_iter().next()
        });
        of_table.clone().or_else(|| {
            let has_publishers = configuration.has_publishers();
            let broken = has_publishers.then(|| promises::of_published_in_the_end(table, &state.published));
            broken.into_iter().flatten().next()
        })
    }

    /// The broken promise, with the schedule in words.
    fn broken(&self, promise: String) -> Box<Broken> {
        let described = |step: &Step| {
            let action = step.taken.checked_sub(1).and_then(|taken| step.actions.get(taken))?;
            Some(step.system.described(*action, &self.handlers))
        };
        Box::new(Broken { promise, schedule: self.way.iter().filter_map(described).collect(), run: self.explored.runs })
    }
}
