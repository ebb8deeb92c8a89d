//! What a soak is told to send, and what its oracle says of a stack that does not keep its promises.

use std::time::Duration;

use fundhook_domain::{Resource, Timestamp};
use fundhook_providers::ReadingSettings;
use fundhook_simulator::soak::{Sending, Soak, SoakWebhook};
use serde_json::json;

fn soak(seed: u64) -> Soak {
    Soak::new(seed, 1_000, ReadingSettings::default())
}

fn begins() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().expect("a time")
}

/// The webhooks of some lives.
fn webhooks(soak: &mut Soak, lives: usize) -> Vec<SoakWebhook> {
    (0..lives).flat_map(|_| soak.draw(begins())).collect()
}

fn broken(soak: &Soak, resources: Vec<Resource>) -> Vec<String> {
    soak.check(resources, Vec::new()).broken
}

#[test]
fn a_twentieth_is_dropped_a_tenth_is_repeated_and_every_life_is_short() {
    let all = webhooks(&mut soak(1), 2_000);
    let count = |sending: Sending| all.iter().filter(|webhook| webhook.sending == sending).count() * 100 / all.len();
    assert!((4..=6).contains(&count(Sending::Dropped)), "{}", count(Sending::Dropped));
    assert!((8..=11).contains(&count(Sending::Repeated)), "{}", count(Sending::Repeated));
    let last = all.iter().map(|webhook| webhook.at).max().expect("there are some");
    assert!(last.since(begins()) < Duration::from_secs(90), "{last}");
}

#[test]
fn the_same_seed_gives_the_same_webhooks() {
    assert_eq!(webhooks(&mut soak(1), 100), webhooks(&mut soak(1), 100));
    assert_ne!(webhooks(&mut soak(1), 100), webhooks(&mut soak(2), 100));
}

#[test]
fn an_accepted_webhook_that_is_not_in_the_archive_is_a_broken_promise() {
    let mut soak = soak(1);
    assert!(broken(&soak, Vec::new()).is_empty(), "nothing was sent yet");
    let first = webhooks(&mut soak, 1).swap_remove(0);
    soak.accepted(&first.body);
    let broken = broken(&soak, Vec::new());
    assert!(broken.iter().any(|sentence| sentence.contains("was accepted and not queued")), "{broken:?}");
}

#[test]
fn what_is_recorded_and_in_no_webhook_is_a_broken_promise() {
    let made_up = Resource::unknown("deposit#connect#1".parse().expect("an id"));
    let broken = broken(&soak(1), vec![made_up]);
    assert_eq!(broken, ["deposit#connect#1 is recorded, and no queued webhook is about it"]);
}

#[test]
fn an_event_that_is_received_again_must_be_the_same() {
    let event = |account: &str| {
        let posting = json!({ "ledger_account": account, "direction": "debit", "value": "1.5", "asset": "USDC" });
        let data = json!({ "resource": "deposit#connect#1", "postings": [posting] });
        json!({ "id": "deposit#connect#1#1", "sequence": "0000000001", "data": data }).to_string()
    };
    let mut soak = soak(1);
    for _ in 0..2 {
        soak.received(&event("customer:CUST01")).expect("an event");
    }
    assert!(broken(&soak, Vec::new()).is_empty(), "a repetition is allowed");
    soak.received(&event("customer:CUST02")).expect("an event");
    assert_eq!(broken(&soak, Vec::new()), ["event deposit#connect#1#1 was published with two contents"]);
    assert!(soak.received("{}").is_err(), "an event names its resource");
}
