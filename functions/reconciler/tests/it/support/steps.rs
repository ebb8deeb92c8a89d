//! Runs that stop or pause at each of their steps: one before and one after each call to a port.

use fundhook_ports::fakes::{Run, Steps};

use super::World;

/// Executes what waits for nothing. A tokio runtime would make it wait at times, so that others get their turn.
pub(crate) fn completed<T>(future: impl Future<Output = T>) -> T {
    Run::of(&Steps::passing(), future).finish()
}

/// For each of these steps, a run in a new world crashes there, and another one gets an error there. `check` gets the world, and
/// what happened.
pub(crate) fn stopped_at_each(steps: &[String], begin: impl Fn() -> World, check: impl Fn(&World, &str)) {
    for (step, name) in steps.iter().enumerate() {
        let (world, reached) = (begin(), Steps::default());
        let reconciler = world.reconciler_with(&reached);
        let mut run = Run::of(&reached, reconciler.handle(world.deadline()));
        assert!(run.pass(step).is_none(), "it crashes {name}");
        drop(run);
        check(&world, &format!("crashed {name} (step {step})"));

        let (world, reached) = (begin(), Steps::failing_at(step));
        // A run can succeed despite some errors.
        let _ended = Run::of(&reached, world.reconciler_with(&reached).handle(world.deadline())).finish();
        check(&world, &format!("failed {name} (step {step})"));
    }
}

/// For each of these steps, a run in a new world pauses there while another one begins and ends.
pub(crate) fn paused_at_each(steps: &[String], begin: impl Fn() -> World, check: impl Fn(&World, &str)) {
    for (step, name) in steps.iter().enumerate() {
        let (world, reached) = (begin(), Steps::default());
        let reconciler = world.reconciler_with(&reached);
        let mut one = Run::of(&reached, reconciler.handle(world.deadline()));
        assert!(one.pass(step).is_none(), "it pauses {name}");
        let other = completed(world.run());
        let one = one.finish();
        assert!(one.is_ok() || other.is_ok(), "one of them succeeds: {name} (step {step})");
        check(&world, &format!("paused {name} (step {step})"));
    }
}
