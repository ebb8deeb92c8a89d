//! Simulated runs keep every promise, and the same plan gives the same run.

mod interleavings;
mod soak;

use std::fs;

use fundhook_simulator::{FaultLevel, Outcome, Plan, simulate, simulate_all};

/// How many seeds are tried with heavy faults.
const SEEDS: u64 = 20;

fn plan(seed: u64, webhooks: u64, faults: FaultLevel) -> Plan {
    Plan::new(seed, webhooks, faults, 6)
}

fn simulated(plan: &Plan) -> Outcome {
    simulate(plan, &|_| ()).expect("it begins")
}

#[test]
fn without_faults_nothing_goes_wrong() {
    let outcome = simulated(&plan(1, 300, FaultLevel::None));
    assert!(outcome.is_well(), "{outcome:?}");
    let happened: Vec<_> = outcome.counts.keys().copied().collect();
    assert_eq!(happened, ["event published", "scheduled run", "webhook accepted"]);
}

#[test]
fn with_faults_every_promise_holds() {
    let plans: Vec<Plan> = (1..=SEEDS).map(|seed| plan(seed, 400, FaultLevel::Heavy)).collect();
    let series = simulate_all(&plans, &|_| ()).expect("it begins");
    assert!(series.is_well(), "{series}");
    let outcomes = &series.worlds;
    // Every fault happened, and something was checked of every promise.
    for what in [
        "call in an outage",
        "call throttled",
        "event dropped as a repetition",
        "event published again",
        "function killed",
        "function not invoked for minutes",
        "key or secret rotated",
        "key or secret rotated at once",
        "message delivered twice",
        "message failed",
        "message redriven",
        "message that cannot be read",
        "reply late",
        "reply lost",
        "request lost",
        "row listed late",
        "scheduled run cut short",
        "webhook delayed",
        "webhook dropped",
        "webhook repeated",
        "webhook that was not signed",
    ] {
        assert!(outcomes.iter().any(|outcome| outcome.counts.contains_key(what)), "no {what}");
    }
    for outcome in outcomes {
        assert!(outcome.checked.values().all(|count| *count > 0) && outcome.checked.len() == 19, "{outcome:?}");
    }
}

#[test]
fn the_same_plan_gives_the_same_run_and_another_seed_another_one() {
    let [first, again, other] = [7, 7, 8].map(|seed| simulated(&plan(seed, 200, FaultLevel::Light)));
    assert_eq!(first, again);
    assert_ne!(first.digest, other.digest);
}

#[test]
fn many_webhooks_are_told_in_several_worlds_and_give_one_result_on_any_number_of_threads() {
    let large = plan(3, 2 * Plan::OF_WORLD_MAX + 1, FaultLevel::None);
    let worlds = large.worlds();
    assert_eq!(worlds.iter().map(|world| world.webhooks).collect::<Vec<_>>(), [13_334, 13_334, 13_333]);
    assert!(worlds.windows(2).all(|pair| pair[0].seed != pair[1].seed));
    assert_eq!(large.worlds(), worlds);
    assert_eq!(plan(3, Plan::OF_WORLD_MAX, FaultLevel::None).worlds().len(), 1);

    let plans = [3, 4, 5].map(|seed| plan(seed, 50, FaultLevel::Light));
    let series = simulate_all(&plans, &|_| ()).expect("it begins");
    assert_eq!(series.worlds, plans.each_ref().map(simulated));
    let shown = series.to_string();
    assert!(shown.starts_with("seeds 3 to 5, faults light, 15"), "{shown}");
    assert!(shown.ends_with(&format!("\nrun {}", series.digest())), "{shown}");
}

/// A plan that broke a promise while Fundhook had a mistake. Each of them keeps every promise.
#[test]
fn plans_that_once_broke_a_promise_keep_all_of_them() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans");
    let mut tried = 0;
    for file in fs::read_dir(directory).expect("plans") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a text");
        let plan: Plan = serde_json::from_str(&text).expect("a plan");
        assert_eq!(serde_json::to_string_pretty(&plan).expect("JSON") + "\n", text, "{} reads back", path.display());
        let outcome = simulated(&plan);
        assert!(outcome.is_well(), "{}: {:?}", path.display(), outcome.broken);
        assert!(outcome.sent.told < plan.webhooks, "{}: it tells a part of its lives", path.display());
        tried += 1;
    }
    assert!(tried > 0);
}
