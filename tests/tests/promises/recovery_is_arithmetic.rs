//! A recovery is a sum: unexpected money is returned once, whichever family reports it and in whatever order and number,
//! and only settled payments count as returned.

use fundhook::subscription::Delivery;
use fundhook_domain::{Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Platform, event_ids, hash, plain_view, resource, run, samples_with, seeded, unique, uuid};
use serde_json::json;

/// How many participants have their story told, each in an order of its own.
const ORDERS: usize = 8;

/// Three announcements of one coin, and a payment that returns it.
const STORY: [&str; 6] = [
    "zerohash/deposit_failed.json",
    "zerohash/deposit.recovery_quarantine.json",
    "connect/deposits.unexpected.recovery.json",
    "zerohash/payment.submitted.json",
    "zerohash/payment.posted.json",
    "zerohash/payment.settled.json",
];

/// How many of them are told once more, at any time.
const REPEATS: usize = 3;

/// The story of one participant.
struct Recovery {
    /// What the samples have, and what stands there in this story.
    own: [(&'static str, String); 5],
    webhooks: Vec<Webhook>,
    recovery: ResourceId,
    /// The resources that the story is about, and how many different statements about each it holds.
    about: Vec<(ResourceId, usize)>,
}

impl Recovery {
    fn of_a_participant(random: &mut fastrand::Rng) -> Self {
        let (participant, hash) = (format!("CUST-{:016x}", fastrand::u64(..)), hash());
        let own = [
            ("CUST01", participant.clone()),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff", hash.clone()),
            ("eecb7555-039b-4e01-83c7-3634c28fee58", uuid()),
            ("b752503c-1c42-4dfe-ad1d-7b39da5db59c", uuid()),
            ("1c4c31e6-957b-49eb-b98c-defa5b5bcdce", unique(Kind::Deposit).native().to_owned()),
        ];
        let mut webhooks = samples_with(&STORY, &own.each_ref().map(|(sample, own)| (*sample, own.as_str())));
        random.shuffle(&mut webhooks);
        for _ in 0..REPEATS {
            let again = webhooks[random.usize(..webhooks.len())].clone();
            webhooks.insert(random.usize(..=webhooks.len()), again);
        }
        let [_, _, (_, quarantined), (_, payment), (_, announced)] = &own;
        let recovery = resource(Kind::Recovery, Provider::Zerohash, &format!("{participant}:USDC:base"));
        let failed = format!("{hash}:{participant}:USDC.BASE:100");
        let about = vec![
            (recovery.clone(), STORY.len()),
            (resource(Kind::Deposit, Provider::Zerohash, &failed), 1),
            (resource(Kind::Deposit, Provider::Zerohash, quarantined), 1),
            (resource(Kind::Deposit, Provider::Connect, announced), 1),
            (resource(Kind::Withdrawal, Provider::Zerohash, payment), 3),
        ];
        Self { own, webhooks, recovery, about }
    }

    fn renamed(&self) -> Vec<(&str, &str)> {
        self.own.iter().map(|(sample, own)| (own.as_str(), *sample)).collect()
    }
}

/// What an event says of the sum, in whole coins.
fn sum(delivery: &Delivery) -> [&str; 4] {
    ["outstanding", "expected", "moving", "returned"].map(|name| delivery.text(&format!("/data/{name}/value")))
}

#[test]
fn a_coin_that_three_webhooks_announce_is_returned_once_in_whatever_order_that_is_told() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let stories: Vec<Recovery> = (0..ORDERS).map(|_| Recovery::of_a_participant(&mut random)).collect();
        platform.deliver_series(stories.iter().map(|story| story.webhooks.as_slice())).await;

        for (id, statements) in stories.iter().flat_map(|story| &story.about) {
            listener.receive(event_ids(id, *statements)).await;
        }
        platform.settled().await;
        let mut views = Vec::new();
        for story in &stories {
            let mut of_story = Vec::new();
            for (id, statements) in &story.about {
                let resource = platform.resource(id).await;
                assert_eq!(resource.version(), *statements as u64, "facts about {id}");
                let ids = event_ids(id, *statements);
                assert_eq!(listener.ids_about(id), ids.iter().map(String::as_str).collect(), "events about {id}");
                of_story.push(plain_view(&resource, &story.renamed()));
            }
            views.push(of_story);

            let last = listener.event(&format!("{}#{}", story.recovery, STORY.len())).await;
            assert_eq!(last.text("/data/status"), "resolved", "{}", last.event);
            assert_eq!(sum(&last), ["0", "100", "0", "100"], "outstanding, expected, moving, returned");
            assert_eq!(last.event["data"]["auth_request"]["participant_code"], json!(story.own[0].1));
        }
        for (view, story) in views.iter().zip(&stories) {
            assert_eq!(view, &views[0], "of {} and of {}", story.recovery, stories[0].recovery);
        }
    });
}

#[test]
fn money_on_its_way_back_is_not_there_yet_whenever_that_is_told() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let stories: Vec<Recovery> = (0..3).map(|_| Recovery::of_a_participant(&mut random)).collect();
        let settled = |webhook: &&Webhook| String::from_utf8_lossy(&webhook.body).contains(r#""settled""#);
        let chosen = |settlement: bool| -> Vec<Vec<Webhook>> {
            let of = |story: &Recovery| story.webhooks.iter().filter(|w| settled(w) == settlement).cloned().collect();
            stories.iter().map(of).collect()
        };
        platform.deliver_series(chosen(false).iter().map(Vec::as_slice)).await;
        for story in &stories {
            listener.receive(event_ids(&story.recovery, STORY.len() - 1)).await;
            let last = listener.event(&format!("{}#{}", story.recovery, STORY.len() - 1)).await;
            assert_eq!(last.text("/data/status"), "in_progress", "{}", last.event);
            assert_eq!(sum(&last), ["100", "100", "100", "0"], "outstanding, expected, moving, returned");
            let claims_to_be_resolved = |delivery: &&Delivery| delivery.text("/type") == "fundhook.recovery.resolved";
            let said =
                listener.received().iter().filter(|delivery| delivery.text("/subject") == story.recovery.to_string());
            assert_eq!(said.clone().find(claims_to_be_resolved), None, "what is posted is not settled");
        }
        platform.deliver_series(chosen(true).iter().map(Vec::as_slice)).await;
        for story in &stories {
            let last = listener.event(&format!("{}#{}", story.recovery, STORY.len())).await;
            assert_eq!(last.text("/type"), "fundhook.recovery.resolved", "{}", last.event);
            assert_eq!(last.text("/data/previous_status"), "in_progress", "{}", last.event);
        }
    });
}
