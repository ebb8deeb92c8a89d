//! A recovery is a sum. Unexpected money is returned once: it does not matter which webhook families report it, in
//! which order and how often. Only settled payments count as returned.

use fundhook::subscription::Delivery;
use fundhook_domain::{Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_providers::IdKey;
use fundhook_tests::{Platform, event_ids, hash, plain_view, resource, run, samples_with, seeded, unique, uuid};
use serde_json::json;

/// For how many participants the scenario is sent, each in a random order.
const ORDERS: usize = 8;

/// Three webhooks that report one coin, and three about the payment that returns it.
const SCENARIO: [&str; 6] = [
    "zerohash/deposit_failed.json",
    "zerohash/deposit.recovery_quarantine.json",
    "connect/deposits.unexpected.recovery.json",
    "zerohash/payment.submitted.json",
    "zerohash/payment.posted.json",
    "zerohash/payment.settled.json",
];

/// How many webhooks of a scenario are sent again, at random places.
const REPEATS: usize = 3;

/// The scenario of one participant.
struct Recovery {
    /// The values in the samples, and the values that replace them in this scenario.
    own: [(&'static str, String); 5],
    /// What stands for the ids that are digests of the participant and others, and those ids.
    digests: [(&'static str, String); 2],
    webhooks: Vec<Webhook>,
    recovery: ResourceId,
    /// The resources that the webhooks are about, each with the number of different statements about it.
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
        let mut webhooks = samples_with(&SCENARIO, &own.each_ref().map(|(sample, own)| (*sample, own.as_str())));
        random.shuffle(&mut webhooks);
        for _ in 0..REPEATS {
            let again = webhooks[random.usize(..webhooks.len())].clone();
            webhooks.insert(random.usize(..=webhooks.len()), again);
        }
        let [_, _, (_, quarantined), (_, payment), (_, announced)] = &own;
        // Every local stack names resources without an id of the provider's with the public key.
        let ids = IdKey::public();
        let recovery = resource(Kind::Recovery, Provider::Zerohash, &ids.name(&[&participant, "USDC", "base"]));
        let failed = ids.name(&[&hash, &participant, "USDC.BASE", "100"]);
        let about = vec![
            (recovery.clone(), SCENARIO.len()),
            (resource(Kind::Deposit, Provider::Zerohash, &failed), 1),
            (resource(Kind::Deposit, Provider::Zerohash, quarantined), 1),
            (resource(Kind::Deposit, Provider::Connect, announced), 1),
            (resource(Kind::Withdrawal, Provider::Zerohash, payment), 3),
        ];
        let digests = [("DEPOSIT_FAILED", failed), ("the recovery", recovery.native().to_owned())];
        Self { own, digests, webhooks, recovery, about }
    }

    fn renamed(&self) -> Vec<(&str, &str)> {
        self.own.iter().chain(&self.digests).map(|(sample, own)| (own.as_str(), *sample)).collect()
    }
}

/// The amounts in an event, in whole coins.
fn sum(delivery: &Delivery) -> [&str; 4] {
    ["outstanding", "expected", "moving", "returned"].map(|name| delivery.text(&format!("/data/{name}/value")))
}

#[test]
fn a_coin_that_three_webhooks_report_is_returned_once_in_any_order() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let scenarios: Vec<Recovery> = (0..ORDERS).map(|_| Recovery::of_a_participant(&mut random)).collect();
        platform.deliver_series(scenarios.iter().map(|scenario| scenario.webhooks.as_slice())).await;

        for (id, statements) in scenarios.iter().flat_map(|scenario| &scenario.about) {
            listener.receive(event_ids(id, *statements)).await;
        }
        platform.settled().await;
        let mut views = Vec::new();
        for scenario in &scenarios {
            let mut of_scenario = Vec::new();
            for (id, statements) in &scenario.about {
                let resource = platform.resource(id).await;
                assert_eq!(resource.version(), *statements as u64, "facts about {id}");
                let ids = event_ids(id, *statements);
                assert_eq!(listener.ids_about(id), ids.iter().map(String::as_str).collect(), "events about {id}");
                of_scenario.push(plain_view(&resource, &scenario.renamed()));
            }
            views.push(of_scenario);

            let last = listener.event(&format!("{}#{}", scenario.recovery, SCENARIO.len())).await;
            assert_eq!(last.text("/data/status"), "resolved", "{}", last.event);
            assert_eq!(sum(&last), ["0", "100", "0", "100"], "outstanding, expected, moving, returned");
            assert_eq!(last.event["data"]["auth_request"]["participant_code"], json!(scenario.own[0].1));
        }
        for (view, scenario) in views.iter().zip(&scenarios) {
            assert_eq!(view, &views[0], "the views of {} and {} are equal", scenario.recovery, scenarios[0].recovery);
        }
    });
}

#[test]
fn money_does_not_count_as_returned_before_its_payment_is_settled_in_any_order() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let scenarios: Vec<Recovery> = (0..3).map(|_| Recovery::of_a_participant(&mut random)).collect();
        let settled = |webhook: &&Webhook| String::from_utf8_lossy(&webhook.body).contains(r#""settled""#);
        let chosen = |settlement: bool| -> Vec<Vec<Webhook>> {
            let of =
                |scenario: &Recovery| scenario.webhooks.iter().filter(|w| settled(w) == settlement).cloned().collect();
            scenarios.iter().map(of).collect()
        };
        platform.deliver_series(chosen(false).iter().map(Vec::as_slice)).await;
        for scenario in &scenarios {
            listener.receive(event_ids(&scenario.recovery, SCENARIO.len() - 1)).await;
            let last = listener.event(&format!("{}#{}", scenario.recovery, SCENARIO.len() - 1)).await;
            assert_eq!(last.text("/data/status"), "in_progress", "{}", last.event);
            assert_eq!(sum(&last), ["100", "100", "100", "0"], "outstanding, expected, moving, returned");
            let claims_to_be_resolved = |delivery: &&Delivery| delivery.text("/type") == "fundhook.recovery.resolved";
            let statuses = listener
                .received()
                .iter()
                .filter(|delivery| delivery.text("/subject") == scenario.recovery.to_string());
            assert_eq!(statuses.clone().find(claims_to_be_resolved), None, "a posted payment is not settled");
        }
        platform.deliver_series(chosen(true).iter().map(Vec::as_slice)).await;
        for scenario in &scenarios {
            let last = listener.event(&format!("{}#{}", scenario.recovery, SCENARIO.len())).await;
            assert_eq!(last.text("/type"), "fundhook.recovery.resolved", "{}", last.event);
            assert_eq!(last.text("/data/previous_status"), "in_progress", "{}", last.event);
        }
    });
}
