//! Each statement has its effect once, although providers and queues repeat messages and functions crash.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fundhook::subscription::Delivery;
use fundhook_domain::{Kind, NewFact, Provider, ResourceId, Status};
use fundhook_local_stack::Function;
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{
    Coin, Platform, Queue, WITHIN, about, changed, event_ids, interruptions, kill, run, seeded, unique,
};
use futures_util::future::join_all;
use serde_json::json;

/// Files about one resource, in the provider's order, and the statuses that they report.
const LIVES: [(Kind, [&str; 3], [&str; 3]); 4] = [
    (Kind::Deposit, DEPOSIT, ["pending", "submitted", "confirmed"]),
    (Kind::Deposit, DEPOSIT, ["pending", "submitted", "confirmed"]),
    (
        Kind::Deposit,
        ["deposits.pending.json", "deposits.on_hold.json", "deposits.confirmed.after_hold.json"],
        ["pending", "held", "confirmed"],
    ),
    (
        Kind::Withdrawal,
        ["withdrawal.initiated.json", "withdrawal.broadcasted.json", "withdrawal.confirmed.json"],
        ["initiated", "broadcast", "confirmed"],
    ),
];

const DEPOSIT: [&str; 3] = ["deposits.pending.6e735627.json", "deposits.submitted.json", "deposits.confirmed.json"];

/// Checks that events with the same id are equal.
fn assert_repetitions_are_equal(received: &[Delivery]) {
    let mut by_id: BTreeMap<&str, &Delivery> = BTreeMap::new();
    for delivery in received {
        let first = by_id.entry(delivery.id()).or_insert(delivery);
        assert_eq!(*first, delivery, "{} was published with different content", delivery.id());
    }
}

#[test]
fn webhooks_delivered_three_times_in_any_order_have_their_effects_once() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let lives = LIVES.map(|(kind, files, statuses)| (unique(kind), files, statuses));
        let mut webhooks: Vec<Vec<u8>> = Vec::new();
        for (id, files, _) in &lives {
            webhooks.extend(files.iter().flat_map(|file| vec![about(file, id.native()); 3]));
        }
        seeded().shuffle(&mut webhooks);
        platform.send_all(webhooks.iter().map(Vec::as_slice)).await;

        for (id, files, statuses) in &lives {
            listener.receive(event_ids(id, files.len())).await;
            // The queues are empty, so the resource is complete.
            platform.settled().await;
            let resource = platform.resource(id).await;
            assert_eq!(resource.version(), files.len() as u64, "facts about {id}");
            let view = resource.view().expect("it has facts");
            assert_eq!(view.status.map(Status::as_str), Some(statuses[2]), "{id}");
            let history: Vec<&str> = view.history.iter().filter_map(|entry| entry.status.as_deref()).collect();
            assert_eq!(history, statuses, "{id}");
            assert_eq!(listener.ids_about(id), event_ids(id, files.len()).iter().map(String::as_str).collect());
        }
        assert_repetitions_are_equal(listener.received());
    });
}

#[test]
fn concurrent_statements_about_one_deposit_are_all_recorded() {
    run(async {
        const STATEMENTS: usize = 12;
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let deposit = unique(Kind::Deposit);
        let mut messages = Vec::new();
        for second in 0..STATEMENTS {
            let updated = json!(format!("2025-10-03T21:30:{second:02}Z"));
            let body = changed("deposits.submitted.json", deposit.native(), &[("/deposit/updated_at", updated)]);
            let statement = platform.statements(&Webhook::new(Provider::Connect, body)).await.remove(0);
            messages.push(NewFact::from(statement).to_message().expect("JSON"));
        }
        // Send each message in its own call, so that several updaters read the same version and all but one conflict.
        join_all(messages.chunks(1).map(|message| platform.put(Queue::Transfers, message))).await;

        listener.receive(event_ids(&deposit, STATEMENTS)).await;
        assert_eq!(platform.resource(&deposit).await.version(), STATEMENTS as u64);
        assert_eq!(listener.ids_about(&deposit).len(), STATEMENTS);
    });
}

/// The functions that crash in the next test, and how often each must be killed while it works.
const CRASHING: [Function; 3] = [Function::FanOut, Function::StateUpdater, Function::Publisher];
const HITS: usize = 2;

/// The deposits and coins of one round, with three webhooks each.
const DEPOSITS: usize = 10;
const COINS: usize = 4;

/// Kills the functions in turn at random times. Stops when each function was killed often enough while it worked, when
/// `done` returns true, or at the deadline. Returns how often each function was killed while it worked.
async fn crash(
    platform: &Platform,
    random: &mut fastrand::Rng,
    deadline: Instant,
    done: impl AsyncFn() -> bool,
) -> [usize; CRASHING.len()] {
    loop {
        let mut hits = [0; CRASHING.len()];
        for (function, hits) in CRASHING.into_iter().zip(&mut hits) {
            *hits = interruptions(platform, function).await;
            if *hits < HITS {
                kill(platform, function);
            }
            // A fast machine is hit after a short pause. A slow one needs a long pause to start the process again.
            let longest = *random.choice(&[100, 400, 1600]).expect("pauses");
            tokio::time::sleep(Duration::from_millis(random.u64(20..longest))).await;
        }
        if was_hit(hits) || done().await || Instant::now() > deadline {
            return hits;
        }
    }
}

fn was_hit(hits: [usize; CRASHING.len()]) -> bool {
    hits.iter().all(|hits| *hits >= HITS)
}

/// Checks that one of the coin's deposits is confirmed and that the other is its duplicate.
fn assert_credited_once(coin: &Coin, received: &[Delivery]) {
    let event_of = |id: &ResourceId| received.iter().find(|delivery| delivery.text("/subject") == id.to_string());
    let events: Vec<&Delivery> = coin.deposits.iter().filter_map(event_of).collect();
    let is_confirmed = |delivery: &&&Delivery| delivery.text("/type") == "fundhook.deposit.confirmed";
    let confirmed: Vec<&str> = events.iter().filter(is_confirmed).map(|delivery| delivery.text("/subject")).collect();
    let owners: Vec<&str> = events.iter().map(|delivery| delivery.text("/data/duplicate_of")).collect();
    let duplicates: Vec<&str> = owners.into_iter().filter(|owner| !owner.is_empty()).collect();
    assert_eq!(confirmed.len(), 1, "{events:#?}");
    assert_eq!(duplicates, [confirmed[0]], "{events:#?}");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "finds the functions' processes through /proc")]
fn killed_functions_neither_lose_nor_repeat_an_effect() {
    run(async {
        let platform = &Platform::deploy(&[]).await;
        platform.redeliver_after(2).await;
        // A message may be interrupted more than five times, which is the template's limit of attempts.
        platform.forgive(100).await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let (mut deposits, mut coins): (Vec<ResourceId>, Vec<Coin>) = (Vec::new(), Vec::new());
        let mut hits = [0; CRASHING.len()];
        let deadline = Instant::now() + WITHIN;
        while !was_hit(hits) && Instant::now() < deadline {
            let new_deposits: Vec<ResourceId> = (0..DEPOSITS).map(|_| unique(Kind::Deposit)).collect();
            let announced: Vec<Coin> = (0..COINS).map(|_| Coin::of("CUST01")).collect();
            let bodies = new_deposits.iter().flat_map(|id| DEPOSIT.map(|file| about(file, id.native())));
            let mut webhooks: Vec<Webhook> = bodies.map(|body| Webhook::new(Provider::Connect, body)).collect();
            webhooks.extend(announced.iter().flat_map(|coin| coin.webhooks.clone()));
            random.shuffle(&mut webhooks);
            let is_through = async || {
                let last = new_deposits.last().expect("a round has deposits");
                platform.resource(last).await.version() == DEPOSIT.len() as u64
            };
            let crash = crash(platform, &mut random, deadline, is_through);
            ((), hits) = tokio::join!(platform.deliver(&webhooks), crash);
            deposits.extend(new_deposits);
            coins.extend(announced);
        }
        assert!(
            was_hit(hits),
            "each of {CRASHING:?} must be killed {HITS} times while it works, but was {hits:?} times; otherwise the \
             test proves nothing"
        );

        // Expected: three events per deposit, and one event per deposit of a coin.
        let of_coins = coins.iter().flat_map(|coin| coin.deposits.iter().map(|id| (id, 1)));
        let facts_of: Vec<(&ResourceId, usize)> =
            deposits.iter().map(|id| (id, DEPOSIT.len())).chain(of_coins).collect();
        for (id, statements) in &facts_of {
            listener.receive(event_ids(id, *statements)).await;
        }
        platform.settled().await;
        for (id, statements) in &facts_of {
            let resource = platform.resource(id).await;
            let recorded = resource.facts().iter().filter(|fact| fact.statement().is_some());
            assert_eq!(recorded.count(), *statements, "statements about {id}");
            assert_eq!(resource.view().and_then(|view| view.status).map(Status::as_str), Some("confirmed"), "{id}");
        }
        let expected: BTreeSet<String> =
            facts_of.iter().flat_map(|(id, statements)| event_ids(id, *statements)).collect();
        let received: BTreeSet<&str> = listener.received().iter().map(Delivery::id).collect();
        assert_eq!(received, expected.iter().map(String::as_str).collect(), "one event for each statement");
        assert_repetitions_are_equal(listener.received());
        for coin in &coins {
            assert_credited_once(coin, listener.received());
        }
        for queue in Queue::ALL {
            assert_eq!(platform.dead_letters(queue).await, 0, "dead letters of the {queue:?} queue");
        }
    });
}
