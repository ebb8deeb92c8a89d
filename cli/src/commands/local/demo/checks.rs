//! The result of the demo, checked against the script.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use fundhook::ledger::{Ledger, Sums, TrialBalance, sums_of};
use fundhook::show::resource_line;
use fundhook::subscription::Delivery;
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_domain::{Resource, ResourceId};
use fundhook_ports::Resources as _;
use serde_json::{Value, json};

use super::script::{ACCEPTED, DROPPED, OUTCOME, SAME_COIN};
use super::{Ending, Progress, ids};

/// Prints the resources and whether each promise holds.
pub(super) async fn check(target: &Target, sent: &Progress, deliveries: &[Delivery], started: Instant) -> Ending {
    let expected: BTreeMap<ResourceId, &str> = OUTCOME
        .iter()
        .map(|(id, status)| Ok((id.parse()?, *status)))
        .collect::<Result<_, Box<dyn Error + Send + Sync>>>()?;
    let subjects = deliveries.iter().map(|delivery| delivery.text("/subject").parse());
    let published: BTreeSet<ResourceId> = subjects.collect::<Result<_, _>>()?;
    let all: Vec<ResourceId> = expected.keys().cloned().chain(published).collect::<BTreeSet<_>>().into_iter().collect();
    let resources = ResourceTable::new(&target.aws, target.output("TableName")?.to_owned()).read(&all).await?;

    println!("\nResources");
    resources.iter().for_each(|resource| println!("  {}", resource_line(resource)));

    let ledger = Ledger::of(&resources);
    println!("\nLedger");
    ledger.lines().iter().for_each(|line| println!("  {line}"));

    let events = ids(deliveries).len();
    println!(
        "\nSent {} webhooks: {} accepted ({} of them repeats), {} rejected. Published {events} events. Took {} s.",
        sent.accepted + sent.rejected,
        sent.accepted,
        sent.accepted as usize - sent.distinct.len(),
        sent.rejected,
        started.elapsed().as_secs(),
    );
    let has_status = |id: &ResourceId, status: &str| {
        let view = resources.iter().find(|resource| resource.id() == id).and_then(Resource::view);
        view.is_some_and(|view| view.status.is_some_and(|reached| reached.as_str() == status))
    };
    let checks = [
        ("every webhook got the expected response", sent.unexpected_responses == 0),
        ("every statement of a provider became exactly one event", events == sent.expected_events),
        ("the coin that two feeds reported may be credited once", credits_of(deliveries, &SAME_COIN) == 1),
        (
            "the coin that two feeds credited differently may be credited as a person decided",
            last_type(deliveries, ACCEPTED) == Some("fundhook.deposit.confirmed"),
        ),
        (
            "the dropped webhooks were reconciled, and changed nothing when they arrived late",
            DROPPED.iter().all(|dropped| is_reconciled_once(deliveries, dropped.resource)),
        ),
        (
            "the postings of all events add up to what is recorded, and the trial balance is zero",
            postings_of(deliveries) == ledger.sums() && ledger.trial_balance().iter().all(TrialBalance::is_zero),
        ),
        ("every resource has the expected status", expected.iter().all(|(id, status)| has_status(id, status))),
    ];
    for (promise, holds) in checks {
        println!("  {} {promise}", if holds { "✓" } else { "✗" });
    }
    if checks.iter().all(|(_, holds)| *holds) {
        println!(
            "\nNext: `cargo fundhook up` starts a stack that keeps running; `cargo fundhook --help` lists all commands."
        );
        Ok(ExitCode::SUCCESS)
    } else {
        println!("\nA check failed. The emulator's log in target/fundhook/logs has the functions' logs.");
        Ok(ExitCode::FAILURE)
    }
}

/// What the postings of the events add up to. An event that was delivered again is booked once.
fn postings_of(deliveries: &[Delivery]) -> Sums {
    let events: BTreeMap<&str, &Value> = deliveries.iter().map(|delivery| (delivery.id(), &delivery.event)).collect();
    sums_of(events.into_values())
}

/// The type of the last event about `resource`.
fn last_type<'a>(deliveries: &'a [Delivery], resource: &str) -> Option<&'a str> {
    let about_it = deliveries.iter().filter(|delivery| delivery.text("/subject") == resource);
    about_it.max_by_key(|delivery| delivery.text("/sequence")).map(|delivery| delivery.text("/type"))
}

/// How many events allow the platform to credit the coin that these deposits are about.
fn credits_of(deliveries: &[Delivery], deposits: &[&str]) -> usize {
    let about_the_coin = deliveries.iter().filter(|delivery| deposits.contains(&delivery.text("/subject")));
    let confirmed = about_the_coin.filter(|delivery| delivery.text("/type") == "fundhook.deposit.confirmed");
    confirmed.map(Delivery::id).collect::<BTreeSet<_>>().len()
}

/// Whether the resource has exactly one event, which is marked as reconciled.
fn is_reconciled_once(deliveries: &[Delivery], resource: &str) -> bool {
    let about_it: Vec<&Delivery> = deliveries.iter().filter(|delivery| delivery.text("/subject") == resource).collect();
    let is_marked = |delivery: &&Delivery| delivery.event.pointer("/data/reconciled") == Some(&json!(true));
    let events: BTreeSet<&str> = about_it.iter().map(|delivery| delivery.id()).collect();
    events.len() == 1 && about_it.iter().all(is_marked)
}
