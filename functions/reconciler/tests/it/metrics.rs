//! What a run reports to the alarms.

use serde_json::Value;

use crate::support::deposit::deposit;
use crate::support::{NOON, World, at, feed, hours, minutes};

/// The values of the metric `name` in order, each with the member `label` of its line.
fn told(world: &World, name: &str, label: &str) -> Vec<(u64, String)> {
    let of_line = |line: &Value| Some((line[name].as_u64()?, line[label].as_str().unwrap_or("-").to_owned()));
    world.metrics.lines().iter().filter_map(of_line).collect()
}

#[tokio::test]
async fn the_lag_of_the_list_that_lags_most_is_reported_with_its_name() {
    let world = World::of(&["connect", "connect/acme"]);
    world.reconcile().await;
    world.provider.now().unanswered.insert(feed("connect/acme"));
    world.clock.pass(hours(3));
    world.run().await.expect_err("one list cannot be read");
    let lag = told(&world, "ReconciliationLagSeconds", "feed");
    assert_eq!(lag.last(), Some(&(3 * 3600, "connect/acme".to_owned())), "{lag:?}");
    assert_eq!(lag.first().map(|(seconds, _)| *seconds), Some(0), "both had been read");
    let totals = told(&world, "ControlTotalsLagSeconds", "feed");
    assert_eq!(totals.len(), lag.len());
    assert_ne!(totals.last(), lag.last(), "it is another figure: totals lag since the last hour that was compared");
}

#[tokio::test]
async fn while_a_list_was_never_read_its_provider_reports_no_lag_so_that_the_alarms_ring() {
    let world = World::of(&["connect", "connect/acme"]);
    world.provider.now().unanswered.insert(feed("connect/acme"));
    world.run().await.expect_err("one list cannot be read");
    assert_eq!(told(&world, "ReconciliationLagSeconds", "feed"), []);
    assert_eq!(told(&world, "ControlTotalsLagSeconds", "feed"), []);
    world.provider.now().unanswered.clear();
    world.reconcile().await;
    assert_eq!(told(&world, "ReconciliationLagSeconds", "feed").len(), 1);
}

#[tokio::test]
async fn what_a_list_has_and_the_table_has_not_is_counted_by_its_kind() {
    let world = World::new();
    world.reconcile().await;
    for name in ["one", "two"] {
        world.list(&deposit(name, at(NOON).minus(minutes(30))), true);
    }
    world.clock.pass(minutes(15));
    world.reconcile().await;
    let counted = told(&world, "ReconciliationDiscrepancies", "discrepancy");
    assert_eq!(counted, [(2, "missing".to_owned())]);
}
