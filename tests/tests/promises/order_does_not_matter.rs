//! The resulting state does not depend on the order of the webhooks.

use std::collections::BTreeSet;

use fundhook_domain::{FactId, Kind, Resource, ResourceId, View};
use fundhook_tests::{Platform, about, run, unique};

/// Webhooks about one resource each, in the provider's order, and what they add up to.
const STORIES: [(Kind, [&str; 3], &str); 4] = [
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
    // Given up, and then the money came after all.
    (Kind::Deposit, ["deposits.pending.json", "deposits.abandoned.json", "deposits.confirmed.json"], "confirmed"),
    // The provider contradicts itself.
    (
        Kind::Deposit,
        ["deposits.on_hold.json", "deposits.confirmed.after_hold.json", "deposits.failed.json"],
        "confirmed | failed",
    ),
];

/// Tells a platform the stories, each statement once the one before it is recorded, and returns what it makes of them.
async fn tell(platform: &Platform, stories: &[(ResourceId, Vec<Vec<u8>>)]) -> Vec<Resource> {
    let mut listener = platform.listen().await;
    for turn in 0..3 {
        platform.send_all(stories.iter().map(|(_, webhooks)| webhooks[turn].as_slice())).await;
        for (id, _) in stories {
            platform.recorded(id, turn as u64 + 1).await;
        }
    }
    let mut resources = Vec::new();
    for (id, _) in stories {
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
    resource.view().expect("it has facts")
}

#[test]
fn the_same_webhooks_in_opposite_orders_give_the_same_state() {
    run(async {
        let (forward, backward) = (Platform::shared().await, &Platform::deploy(&[]).await);
        let story = |(kind, files, _): &(Kind, [&str; 3], &str)| {
            let id = unique(*kind);
            let webhooks: Vec<Vec<u8>> = files.iter().map(|file| about(file, id.native())).collect();
            (id, webhooks)
        };
        let stories: Vec<(ResourceId, Vec<Vec<u8>>)> = STORIES.iter().map(story).collect();
        let mut reversed = stories.clone();
        reversed.iter_mut().for_each(|(_, webhooks)| webhooks.reverse());
        let (ahead, back) = tokio::join!(tell(forward, &stories), tell(backward, &reversed));

        for ((ahead, back), (_, files, expected)) in ahead.iter().zip(&back).zip(&STORIES) {
            let mut as_heard = facts(back);
            as_heard.reverse();
            assert_eq!(facts(ahead), as_heard, "{files:?} were recorded in opposite orders");

            let (ahead, back) = (view(ahead), view(back));
            let conflicting: Vec<&str> = ahead.conflicting.iter().map(|status| status.as_str()).collect();
            let status = if conflicting.is_empty() { ahead.status.as_str() } else { &conflicting.join(" | ") };
            assert_eq!(&status, expected, "{files:?}");
            // Each platform has evidence of its own for the same statement.
            assert_eq!(View { evidence: ahead.evidence.clone(), ..back }, ahead, "{files:?}");
        }
    });
}
