//! The resulting state does not depend on the order of the webhooks.

use std::collections::BTreeSet;
use std::sync::Arc;

use fundhook_domain::{FactId, Kind, Resource, ResourceId, Status, View};
use fundhook_tests::{Platform, about, run, unique};

/// The kind of a resource, the webhooks about it in the provider's order, and its last status or its conflicting ones.
const SCENARIOS: [(Kind, [&str; 3], &str); 4] = [
    (
        Kind::Deposit,
        ["deposits.pending.6e735627.json", "deposits.submitted.json", "deposits.confirmed.json"],
        "confirmed",
    ),
    (
        Kind::Withdrawal,
        ["withdrawal.initiated.json", "withdrawal.broadcasted.json", "withdrawal.confirmed.json"],
        "confirmed",
    ),
    // The deposit is abandoned, and then the money arrives.
    (Kind::Deposit, ["deposits.pending.json", "deposits.abandoned.json", "deposits.confirmed.json"], "confirmed"),
    // The provider's statements conflict.
    (
        Kind::Deposit,
        ["deposits.on_hold.json", "deposits.confirmed.after_hold.json", "deposits.failed.json"],
        "confirmed | failed",
    ),
];

/// Sends the scenarios to a platform and returns the resources. Sends a webhook once the previous one is recorded.
async fn deliver(platform: &Platform, scenarios: &[(ResourceId, Vec<Vec<u8>>)]) -> Vec<Resource> {
    let mut listener = platform.listen().await;
    for turn in 0..3 {
        platform.send_all(scenarios.iter().map(|(_, webhooks)| webhooks[turn].as_slice())).await;
        for (id, _) in scenarios {
            platform.recorded(id, turn as u64 + 1).await;
        }
    }
    let mut resources = Vec::new();
    for (id, _) in scenarios {
        let events: BTreeSet<String> = (1..=3).map(|sequence| format!("{id}#{sequence}")).collect();
        listener.receive(events.iter()).await;
        assert_eq!(listener.ids_about(id), events.iter().map(String::as_str).collect(), "events about {id}");
        resources.push(platform.resource(id).await);
    }
    resources
}

fn facts(resource: &Resource) -> Vec<FactId> {
    resource.facts().iter().map(|fact| fact.content.id().clone()).collect()
}

fn view(resource: &Resource) -> View {
    Arc::unwrap_or_clone(resource.view().expect("the resource has facts"))
}

#[test]
fn the_same_webhooks_in_opposite_orders_give_the_same_state() {
    run(async {
        let (forward, backward) = (Platform::shared().await, &Platform::deploy(&[]).await);
        let scenario = |(kind, files, _): &(Kind, [&str; 3], &str)| {
            let id = unique(*kind);
            let webhooks: Vec<Vec<u8>> = files.iter().map(|file| about(file, id.native())).collect();
            (id, webhooks)
        };
        let scenarios: Vec<(ResourceId, Vec<Vec<u8>>)> = SCENARIOS.iter().map(scenario).collect();
        let mut reversed = scenarios.clone();
        reversed.iter_mut().for_each(|(_, webhooks)| webhooks.reverse());
        let (ahead, back) = tokio::join!(deliver(forward, &scenarios), deliver(backward, &reversed));

        for ((ahead, back), (_, files, expected)) in ahead.iter().zip(&back).zip(&SCENARIOS) {
            let mut in_order = facts(back);
            in_order.reverse();
            assert_eq!(facts(ahead), in_order, "{files:?} were recorded in opposite orders");

            let (ahead, back) = (view(ahead), view(back));
            let conflicting: Vec<&str> = ahead.conflicting().iter().map(|status| status.as_str()).collect();
            let status =
                if conflicting.is_empty() { ahead.status.map_or("", Status::as_str) } else { &conflicting.join(" | ") };
            assert_eq!(&status, expected, "{files:?}");
            // Each platform received and read the same statement for itself.
            let (evidence, reading) = (ahead.evidence.clone(), ahead.reading.clone());
            assert_eq!(View { evidence, reading, ..back }, ahead, "{files:?}");
        }
    });
}
