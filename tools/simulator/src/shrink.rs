//! From a run that breaks a promise to the least that still breaks one.

use std::collections::BTreeSet;

use crate::plan::{Fault, Plan};
use crate::{CannotBegin, Outcome, simulate};

/// How many smaller plans are tried.
const TRIES_MAX: u32 = 300;

/// The least plan found that still breaks a promise, by leaving out faults and lives of the plan of `failed`. Calls `progress`
/// before each try with the smallest plan so far.
pub fn shrink(failed: &Outcome, progress: &dyn Fn(&Plan)) -> Result<Plan, CannotBegin> {
    let mut plan = failed.plan.clone();
    if plan.only.is_empty() {
        plan.only = (0..failed.sent.lives).collect();
    }
    let breaks = |smaller: &Plan, smallest: &Plan| {
        progress(smallest);
        Ok(!simulate(smaller, &|_| ())?.is_well())
    };
    Shrinking { plan, tries: 0, breaks }.shrunk()
}

/// Tries smaller plans.
struct Shrinking<B> {
    /// The smallest so far.
    plan: Plan,
    tries: u32,
    /// Whether the first of two plans breaks a promise. The other one is the smallest so far.
    breaks: B,
}

impl<B: Fn(&Plan, &Plan) -> Result<bool, CannotBegin>> Shrinking<B> {
    fn shrunk(mut self) -> Result<Plan, CannotBegin> {
        self.leave_out_faults()?;
        self.leave_out_lives()?;
        // Fewer lives may need fewer faults.
        self.leave_out_faults()?;
        Ok(self.plan)
    }

    /// Takes `plan` if it breaks a promise too.
    fn takes(&mut self, plan: Plan) -> Result<bool, CannotBegin> {
        if self.tries >= TRIES_MAX {
            return Ok(false);
        }
        self.tries += 1;
        let breaks = (self.breaks)(&plan, &self.plan)?;
        if breaks {
            self.plan = plan;
        }
        Ok(breaks)
    }

    fn leave_out_faults(&mut self) -> Result<(), CannotBegin> {
        for fault in Fault::ALL {
            if !self.plan.without.contains(&fault) {
                let mut smaller = self.plan.clone();
                smaller.without.insert(fault);
                self.takes(smaller)?;
            }
        }
        Ok(())
    }

    /// Leaves out half of the lives, then quarters, down to single ones.
    fn leave_out_lives(&mut self) -> Result<(), CannotBegin> {
        let mut size = self.plan.only.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.plan.only.len() {
                let left_out: BTreeSet<u64> = self.plan.only.iter().copied().skip(at).take(size).collect();
                let only: BTreeSet<u64> = self.plan.only.difference(&left_out).copied().collect();
                // A plan that names no life has all of them.
                if only.is_empty() || !self.takes(Plan { only, ..self.plan.clone() })? {
                    at += size;
                }
            }
            size /= 2;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultLevel;

    fn shrunk(lives: u64, breaks: impl Fn(&Plan) -> bool) -> Plan {
        let plan = Plan { only: (0..lives).collect(), ..Plan::new(1, 100, FaultLevel::Heavy, 1) };
        Shrinking { plan, tries: 0, breaks: |smaller: &Plan, _: &Plan| Ok(breaks(smaller)) }.shrunk().expect("a plan")
    }

    #[test]
    fn the_lives_and_the_faults_that_it_takes_are_left() {
        for needed in [vec![0], vec![99], vec![3, 70], vec![10, 11, 12, 64]] {
            let needed: BTreeSet<u64> = needed.into_iter().collect();
            let left = shrunk(100, |plan| plan.only.is_superset(&needed) && !plan.without.contains(&Fault::Killed));
            assert_eq!(left.only, needed);
            assert_eq!(left.without.len(), Fault::ALL.len() - 1);
        }
    }

    #[test]
    fn a_fault_that_only_many_lives_need_is_left_out_in_the_end() {
        let left = shrunk(50, |plan| plan.only.len() < 10 || !plan.without.contains(&Fault::Outage));
        assert_eq!((left.only.len(), left.without.len()), (1, Fault::ALL.len()));
    }

    #[test]
    fn what_needs_everything_is_not_tried_for_ever() {
        let left = shrunk(1_000, |plan| plan.only.len() == 1_000);
        assert_eq!((left.only.len(), left.without.len()), (1_000, Fault::ALL.len()));
    }
}
