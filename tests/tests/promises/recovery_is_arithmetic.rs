//! A recovery is arithmetic over time. Unexpected money is returned once: it does not matter which webhook families report
//! it, in which order and how often. Only settled payments count as returned, and only for what had arrived before.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook::subscription::Delivery;
use fundhook_domain::{DecimalValue, Kind, Provider, ResourceId, Timestamp};
use fundhook_local_stack::sending::Webhook;
use fundhook_providers::IdKey;
use fundhook_runtime::now;
use fundhook_tests::{
    Listener, Platform, Queue, event_ids, hash, plain_view, resource, run, samples_with, seeded, unique, uuid,
};
use serde_json::{Value, json};

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
        let recovery = resource(Kind::Recovery, Provider::Zerohash, &ids.name(&[&participant, "USDC"]));
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
            let (mut of_scenario, mut booked) = (Vec::new(), BTreeMap::new());
            for (id, statements) in &scenario.about {
                let resource = platform.resource(id).await;
                let stated = resource.facts().iter().filter(|fact| fact.statement().is_some()).count();
                assert_eq!(stated, *statements, "statements about {id}");
                let ids = event_ids(id, *statements);
                assert_eq!(listener.ids_about(id), ids.iter().map(String::as_str).collect(), "events about {id}");
                let books = resource.view().expect("a view").books(id);
                for (asset, account, value) in books.balances() {
                    // Connect and zerohash are two feeds of one provider.
                    let account = account.to_string().split(':').next().unwrap_or_default().to_owned();
                    let sum: &mut DecimalValue =
                        booked.entry((account, asset.to_owned())).or_insert_with(DecimalValue::zero);
                    *sum = sum.clone() + value;
                }
                // Which of the three deposits books the coin depends on which was reported first.
                let mut view = plain_view(&resource, &scenario.renamed());
                view.as_object_mut().expect("an object").remove("booked_by");
                of_scenario.push(view);
            }
            views.push(of_scenario);

            let last = listener.event(&format!("{}#{}", scenario.recovery, SCENARIO.len())).await;
            assert_eq!(last.text("/data/status"), "resolved", "{}", last.event);
            assert_eq!(sum(&last), ["0", "100", "0", "100"], "outstanding, expected, moving, returned");
            assert_eq!(last.event["data"]["auth_request"]["body"]["account"]["reference_id"], json!(scenario.own[0].1));
            booked.retain(|_, sum| *sum != DecimalValue::zero());
            // What arrived was returned, and the network's fee came out of it.
            let booked: Vec<String> =
                booked.iter().map(|((account, asset), sum)| format!("{account} {sum} {asset}")).collect();
            assert_eq!(booked, ["fees -0.001 USDC", "provider 0.001 USDC"]);
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

/// A user of zerohash, with deposits and payments of that user alone.
struct User {
    participant: String,
}

impl User {
    fn new() -> Self {
        Self { participant: format!("CUST-{:016x}", fastrand::u64(..)) }
    }

    /// The recovery in this asset. Every local stack names resources without an id of the provider's with the public key.
    fn recovery(&self, asset: &str) -> ResourceId {
        resource(Kind::Recovery, Provider::Zerohash, &IdKey::public().name(&[&self.participant, asset]))
    }

    /// A deposit outside the authorised flow, without a date.
    fn failed(&self, asset: &str, quantity: &str) -> Webhook {
        zerohash(&json!({
            "participant_code": self.participant, "asset": asset, "quantity": quantity, "transaction_id": hash(),
            "success": false,
        }))
    }

    /// The same with a date.
    fn quarantined(&self, asset: &str, amount: &str, at: Timestamp) -> Webhook {
        zerohash(&json!({
            "deposit_id": uuid(), "account_id": "", "participant_code": self.participant,
            "transaction_hash": hash(), "state": "recovery_quarantine", "asset": asset, "amount": amount,
            "source_address": "0x102a51d1956dB23CfA722b62007F9a6616f028A2",
            "received_address": "0xC221DD431068BE5Ec9BF9E193476e790ac1dCB3d", "timestamp": at.unix_seconds(),
        }))
    }

    /// A settled payment that returns money, with these members in place of the usual ones.
    fn returned(&self, total: &str, at: Timestamp, changes: &Value) -> Webhook {
        let mut body = json!({
            "payment_details": {
                "withdrawal_request_id": uuid(), "trade_id": "", "on_chain_transaction_id": hash(),
                "network_fee_notional": "", "network_fee_quantity": "", "destination_address": "0xC221DD43",
            },
            "asset": "USDC", "network": "ETH", "payment_type": "auth_withdrawal",
            "external_account_id": "2cc93b20-ee43-4877-8cdc-863e61829015", "participant_code": self.participant,
            "quantity": "", "status": "settled", "created_at": at, "updated_at": at, "total": total,
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            match name.as_str() {
                "network_fee_quantity" => body["payment_details"][name] = value.clone(),
                _ => body[name] = value.clone(),
            }
        }
        zerohash(&body)
    }
}

fn zerohash(body: &Value) -> Webhook {
    Webhook::new(Provider::Zerohash, body.to_string().into_bytes())
}

/// Delivers webhooks one after the other, and returns the types of the recovery's events and the data of the last one.
async fn told(listener: &mut Listener<'_>, recovery: &ResourceId, webhooks: &[Webhook]) -> (Vec<String>, Value) {
    let platform = Platform::shared().await;
    for (webhook, recorded) in webhooks.iter().zip(1..) {
        platform.deliver(std::slice::from_ref(webhook)).await;
        platform.recorded(recovery, recorded).await;
    }
    listener.receive(event_ids(recovery, webhooks.len())).await;
    let (mut types, mut last) = (Vec::new(), Value::Null);
    for number in 1..=webhooks.len() {
        let delivery = listener.event(&format!("{recovery}#{number}")).await;
        types.push(delivery.text("/type").trim_start_matches("fundhook.recovery.").to_owned());
        last = delivery.event["data"].clone();
    }
    (types, last)
}

/// An hour after now: after everything that is sent without a date.
fn later() -> Timestamp {
    now().plus(Duration::from_secs(3600))
}

#[test]
fn a_payment_of_a_deposit_never_seen_is_a_surplus_and_never_offsets_a_later_deposit() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let (user, a_month_ago) = (User::new(), now().minus(Duration::from_secs(30 * 86_400)));
        let recovery = user.recovery("USDC");
        let webhooks = [user.returned("100", a_month_ago, &Value::Null), user.failed("USDC.ETH", "100")];
        let (types, last) = told(&mut listener, &recovery, &webhooks).await;
        assert_eq!(types, ["surplus", "required"]);
        assert_eq!((&last["status"], &last["outstanding"]["value"]), (&json!("required"), &json!("100")));
        assert_eq!(last["surplus"]["value"], json!("100"));
        assert_eq!(last["auth_request"]["body"]["account"]["reference_id"], json!(user.participant));
        let review = platform.found_by("open", "open", "recovery").await;
        assert!(review.contains(&recovery), "{recovery} awaits the return of the deposit");
    });
}

#[test]
fn one_recovery_per_user_and_asset_whatever_network_a_webhook_names() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        for (asset, network) in [("USDC", "ETH"), ("usdc.eth", ""), ("USDC.BASE", "BASE")] {
            let user = User::new();
            let webhooks = [user.failed(asset, "100"), user.returned("100", later(), &json!({ "network": network }))];
            let (types, last) = told(&mut listener, &user.recovery("USDC"), &webhooks).await;
            assert_eq!(types, ["required", "resolved"], "{asset} and {network}");
            assert_eq!(last["outstanding"]["value"], json!("0"), "{asset} and {network}");
        }
    });
}

#[test]
fn a_payment_returns_its_quantity_and_the_networks_fee() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        for total in ["", "0", "100"] {
            let user = User::new();
            let parts = json!({ "quantity": "99.999", "network_fee_quantity": ".001" });
            let payment = user.returned(total, later(), &parts);
            let withdrawal = platform.statements(&payment).await.remove(0).resource;
            let webhooks = [user.failed("USDC.ETH", "100"), payment];
            let (types, last) = told(&mut listener, &user.recovery("USDC"), &webhooks).await;
            assert_eq!(
                (types, &last["returned"]["value"]),
                (vec!["required".into(), "resolved".into()], &json!("100"))
            );
            let event = listener.event(&format!("{withdrawal}#1")).await;
            assert_eq!(event.text("/data/total/value"), "100", "{total:?}: {}", event.event);
        }
    });
}

#[test]
fn hundreds_of_deposits_to_one_user_are_each_recorded_and_published() {
    /// More than one item held, and more than one event lists.
    const DEPOSITS: usize = 345;
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let user = User::new();
        let recovery = user.recovery("USDC");
        let first = now().minus(Duration::from_secs(86_400));
        let arrivals = (0..DEPOSITS as u64).map(|number| first.plus(Duration::from_secs(number)));
        let webhooks: Vec<Webhook> = arrivals.map(|at| user.quarantined("USDC.BASE", "0.01", at)).collect();
        platform.deliver_series(webhooks.chunks(5)).await;
        platform.deliver(&[user.returned("3.45", later(), &Value::Null)]).await;
        let resource = platform.recorded(&recovery, DEPOSITS as u64 + 1).await;
        assert!(resource.pages() > 0, "the oldest facts are on pages");
        listener.receive(event_ids(&recovery, DEPOSITS + 1)).await;
        let last = listener.event(&format!("{recovery}#{}", DEPOSITS + 1)).await;
        assert_eq!(sum(&last), ["0", "3.45", "0", "3.45"], "outstanding, expected, moving, returned");
        assert_eq!(last.event["data"]["deposits_omitted"], json!(DEPOSITS - 100));
        assert_eq!(platform.dead_letters(Queue::Transfers).await, 0, "no neighbour suffered");
    });
}
