//! Every interleaving of a few processes keeps every promise.
//!
//! Larger bounds: `cargo test -p fundhook-simulator --test it interleavings -- --ignored --nocapture`. Each test prints
//! what it explored.

use std::time::Instant;

use fundhook_simulator::interleavings::{Bounds, Configuration, Explored, explore};

const ANY: u32 = Bounds::ANY;

/// Explores the configuration with at most so many preemptions and faults, and prints what was explored.
fn explored(name: &str, configuration: &Configuration, preemptions: u32, faults: u32) -> Explored {
    let begun = Instant::now();
    let explored = match explore(configuration, Bounds { preemptions, faults }) {
        Ok(explored) => explored,
        Err(broken) => unreachable!("{name}, {preemptions} preemptions, {faults} faults: {broken}"),
    };
    let Explored { runs, states, ends, steps, moments } = explored;
    let preemptions = if preemptions == ANY { "any".to_owned() } else { preemptions.to_string() };
    eprintln!(
        "{name}; {preemptions} preemptions, {faults} faults: {runs} runs, {states} states, {ends} ends, {steps} steps, \
         {moments} moments in {:?}",
        begun.elapsed()
    );
    explored
}

#[test]
fn the_claim_protocol_holds_in_every_order() {
    for (name, configuration, faults, states_min) in [
        ("a coin of two feeds", Configuration::a_coin_of_two_feeds(), 3, 2_000),
        ("a coin in conflict", Configuration::a_coin_in_conflict(), 3, 9_000),
        ("a coin that fails", Configuration::a_coin_that_fails(), 3, 3_000),
        ("a coin without a transaction", Configuration::a_coin_without_a_transaction(), 3, 9_000),
        ("a coin to return", Configuration::a_coin_to_return(), 0, 1_000),
    ] {
        let explored = explored(name, &configuration, ANY, faults);
        assert!(explored.states > states_min && explored.ends > 1, "{name}: {explored:?}");
    }
}

#[test]
fn the_watermark_protocol_holds_in_every_order() {
    for (preemptions, faults, states_min) in [(ANY, 0, 20_000), (1, 1, 50_000)] {
        let explored = explored("a list", &Configuration::a_list_of_two_pages(), preemptions, faults);
        assert!(explored.states > states_min && explored.ends > 1, "{explored:?}");
    }
}

#[test]
fn a_coin_that_two_feeds_credit_is_credited_once_in_every_order() {
    for (preemptions, faults, states_min) in [(ANY, 0, 20_000), (2, 1, 200_000)] {
        let configuration = Configuration::everything_about_a_credited_coin();
        let explored = explored("a credited coin", &configuration, preemptions, faults);
        assert!(explored.states > states_min && explored.ends > 1, "{explored:?}");
    }
}

#[test]
fn a_coin_that_one_feed_credits_and_another_one_quarantines_is_in_conflict_in_every_order() {
    for (preemptions, faults, states_min) in [(3, 0, 200_000), (0, 1, 30_000)] {
        let configuration = Configuration::everything_about_a_coin_in_conflict();
        let explored = explored("a quarantined coin", &configuration, preemptions, faults);
        assert!(explored.states > states_min && explored.ends > 1, "{explored:?}");
    }
}

#[test]
fn steps_that_nobody_notices_need_no_place_among_the_others() {
    for (name, configuration, preemptions, faults) in [
        ("a coin in conflict", Configuration::a_coin_in_conflict(), ANY, 1),
        ("a coin without a transaction", Configuration::a_coin_without_a_transaction(), ANY, 1),
        ("a credited coin", Configuration::everything_about_a_credited_coin(), 1, 0),
        ("a credited coin", Configuration::everything_about_a_credited_coin(), 0, 1),
    ] {
        let short = explored(name, &configuration, preemptions, faults);
        let long = explored(name, &configuration.step_by_step(), preemptions, faults);
        assert!(long.states > short.states, "{name}: {short:?}, {long:?}");
        assert_eq!((short.ends, short.moments), (long.ends, long.moments), "{name}");
    }
}

#[test]
#[ignore = "it takes minutes"]
fn a_coin_to_return_is_credited_at_most_once_in_every_order_with_any_three_faults() {
    explored("a coin to return", &Configuration::a_coin_to_return(), ANY, 3);
}

#[test]
#[ignore = "it takes minutes"]
fn the_watermark_protocol_holds_in_every_order_with_any_fault() {
    explored("a list", &Configuration::a_list_of_two_pages(), ANY, 1);
}

#[test]
#[ignore = "it takes minutes"]
fn a_coin_that_two_feeds_credit_is_credited_once_in_every_order_with_any_fault() {
    explored("a credited coin", &Configuration::everything_about_a_credited_coin(), ANY, 1);
}

#[test]
#[ignore = "it takes minutes"]
fn a_coin_that_one_feed_credits_and_another_one_quarantines_is_in_conflict_after_any_fault() {
    explored("a quarantined coin", &Configuration::everything_about_a_coin_in_conflict(), 2, 1);
}
