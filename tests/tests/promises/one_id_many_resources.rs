//! Striga gives one `id` to a withdrawal, to its network fee, to the refund of that fee and to both legs of an
//! application fee. They are separate resources that name the related ones. The order of the webhooks does not matter.

use std::collections::BTreeSet;

use fundhook::subscription::Delivery;
use fundhook_domain::{Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Platform, event_ids, plain_view, resource, run, samples_with, seeded, uuid};
use serde_json::Value;

/// In how many orders each scenario is sent.
const ORDERS: usize = 4;

/// How many webhooks of a scenario are sent again.
const REPEATS: usize = 2;

/// The ids that the samples give to withdrawals and to an application fee.
const CONFIRMED: &str = "d646143f-85af-4197-88ac-a84e46002205";
const FAILED: &str = "ee9e8733-3e1a-4ced-9bb3-7600b64d2a69";
const APPLICATION_FEE: &str = "20a7cc2a-98d9-458d-b8ac-c390b1418609";

/// The samples are about two withdrawals. These changes make them one, with the initial values of the confirmed one.
const AS_ONE: [(&str, &str); 6] = [
    ("22310983910888449318", "9363699999622000"),
    ("22536559696857019513", "636300000378000"),
    ("2022-11-30T16:21:15.187Z", "2024-09-10T12:10:19.628Z"),
    ("2022-11-30T16:21:15.441Z", "2024-09-10T12:10:20.441Z"),
    ("7cb14c21eb7283745ba629d5dc8e6c7d", "244337fcf5b13ff40f7780bdd3e66d30"),
    ("50febc83-6118-419e-82e1-886f8c7ffd59", "104894c7-95fc-4dde-97dd-cb25b2587b91"),
];

/// The webhooks about one id, and the expected resources.
struct Scenario {
    files: &'static [&'static str],
    changes: &'static [(&'static str, &'static str)],
    ids: &'static [&'static str],
    /// The suffix of the resource's id, its kind, the number of statements about it, and its last status.
    resources: &'static [(&'static str, Kind, usize, &'static str)],
    /// The pairs of resources that name each other.
    related: &'static [(usize, usize)],
}

const SCENARIOS: [Scenario; 2] = [
    Scenario {
        files: &[
            "striga/withdrawal.initiated.json",
            "striga/network_fee.json",
            "striga/withdrawal.failed.json",
            "striga/fee_refund.json",
            "striga/application_fee.debit.json",
            "striga/application_fee.credit.json",
        ],
        changes: &AS_ONE,
        ids: &[CONFIRMED, FAILED, APPLICATION_FEE],
        resources: &[
            ("", Kind::Withdrawal, 4, "failed"),
            (":network", Kind::Fee, 2, "refunded"),
            (":application:debit", Kind::Fee, 1, "charged"),
            (":application:credit", Kind::Fee, 1, "charged"),
        ],
        related: &[(0, 1), (2, 3)],
    },
    Scenario {
        files: &[
            "striga/withdrawal.initiated.json",
            "striga/network_fee.json",
            "striga/withdrawal.pending.json",
            "striga/withdrawal.confirmed.json",
        ],
        changes: &[],
        ids: &[CONFIRMED],
        resources: &[("", Kind::Withdrawal, 4, "confirmed"), (":network", Kind::Fee, 1, "charged")],
        related: &[(0, 1)],
    },
];

/// A scenario with a new id and in a random order.
struct ScenarioRun {
    scenario: &'static Scenario,
    id: String,
    webhooks: Vec<Webhook>,
    resources: Vec<ResourceId>,
}

impl ScenarioRun {
    fn in_random_order(scenario: &'static Scenario, random: &mut fastrand::Rng) -> Self {
        let id = uuid();
        let own: Vec<(&str, &str)> = scenario.ids.iter().map(|sample| (*sample, id.as_str())).collect();
        let mut webhooks = samples_with(scenario.files, &[scenario.changes, &own].concat());
        random.shuffle(&mut webhooks);
        for _ in 0..REPEATS {
            let again = webhooks[random.usize(..webhooks.len())].clone();
            webhooks.insert(random.usize(..=webhooks.len()), again);
        }
        let named = |(behind, kind, ..): &(&str, Kind, usize, &str)| {
            resource(*kind, Provider::Striga, &format!("{id}{behind}"))
        };
        let resources = scenario.resources.iter().map(named).collect();
        Self { scenario, id, webhooks, resources }
    }

    /// Its resources, each with the number of statements about it.
    fn about(&self) -> impl Iterator<Item = (&ResourceId, usize)> {
        self.resources.iter().zip(self.scenario.resources).map(|(id, (_, _, statements, _))| (id, *statements))
    }
}

#[test]
fn resources_that_share_an_id_are_separate_and_name_each_other_in_any_order() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let chosen = SCENARIOS.iter().flat_map(|scenario| [scenario; ORDERS]);
        let sent: Vec<ScenarioRun> =
            chosen.map(|scenario| ScenarioRun::in_random_order(scenario, &mut random)).collect();
        platform.deliver_series(sent.iter().map(|run| run.webhooks.as_slice())).await;

        for (id, statements) in sent.iter().flat_map(ScenarioRun::about) {
            listener.receive(event_ids(id, statements)).await;
        }
        platform.settled().await;
        let mut views: Vec<Vec<Value>> = Vec::new();
        for sent in &sent {
            let mut of_scenario = Vec::new();
            for (id, statements) in sent.about() {
                let resource = platform.resource(id).await;
                assert_eq!(resource.version(), statements as u64, "facts about {id}");
                let ids = event_ids(id, statements);
                assert_eq!(listener.ids_about(id), ids.iter().map(String::as_str).collect(), "events about {id}");
                of_scenario.push(plain_view(&resource, &[(&sent.id, "the id")]));
            }
            views.push(of_scenario);
            let mut last = Vec::new();
            for (id, statements) in sent.about() {
                last.push(listener.event(&format!("{id}#{statements}")).await);
            }
            assert_last_events(sent, &last);
        }
        for of_scenario in views.chunks(ORDERS) {
            for view in of_scenario {
                assert_eq!(view, &of_scenario[0]);
            }
        }
    });
}

/// Checks the last event about each resource of a scenario.
fn assert_last_events(sent: &ScenarioRun, events: &[Delivery]) {
    for (event, (_, _, _, status)) in events.iter().zip(sent.scenario.resources) {
        assert_eq!(event.text("/data/status"), *status, "{}", event.event);
    }
    for (one, other) in sent.scenario.related {
        for (event, related) in [(&events[*one], &sent.resources[*other]), (&events[*other], &sent.resources[*one])] {
            let named: BTreeSet<&str> =
                event.event["data"]["related"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            assert_eq!(named, BTreeSet::from([related.to_string().as_str()]), "{}", event.event);
        }
    }
    // Each amount is exact, in whole coins: 0.009363699999622 + 0.000636300000378.
    let withdrawal = &events[0];
    let amounts = ["amount", "fee", "total"].map(|name| withdrawal.text(&format!("/data/{name}/major")).to_owned());
    assert_eq!(amounts, ["0.009363699999622", "0.000636300000378", "0.01"], "{}", withdrawal.event);
}
