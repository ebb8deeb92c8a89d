//! Runs that stop or fail before and after each call.

use fundhook_ports::fakes::{Fake, KeySetTable, Run, Stepped, Steps};
use fundhook_ports::{KeySets, PortError};

use crate::{at, feed};

async fn two_calls(table: &Stepped<Fake<KeySetTable>>) -> Result<(), PortError> {
    table.load(&feed("connect")).await?;
    table.back_off_until(&feed("connect"), at(1)).await
}

#[test]
fn a_run_stops_at_each_step_and_a_dropped_run_does_nothing_more() {
    for (passed, loads, is_noted, ends) in
        [(0, 0, false, false), (1, 1, false, false), (2, 1, false, false), (3, 1, true, false), (4, 1, true, true)]
    {
        let (table, steps) = (Fake::<KeySetTable>::default(), Steps::default());
        let stepped = Stepped(table.clone(), steps.clone());
        let mut run = Run::of(&steps, two_calls(&stepped));
        assert_eq!(run.pass(passed).is_some(), ends, "{passed} steps");
        drop(run);
        let table = table.now();
        assert_eq!((table.loads, table.not_before.is_some()), (loads, is_noted), "{passed} steps");
    }
}

#[test]
fn a_call_that_fails_after_it_took_effect_has_taken_effect() {
    for (step, is_noted) in [(0, false), (1, false), (2, false), (3, true)] {
        let (table, steps) = (Fake::<KeySetTable>::default(), Steps::failing_at(step));
        let stepped = Stepped(table.clone(), steps.clone());
        Run::of(&steps, two_calls(&stepped)).finish().expect_err("one step fails");
        assert_eq!(table.now().not_before.is_some(), is_noted, "{:?}", steps.reached());
        assert_eq!(steps.reached().len(), step + 1);
    }
}
