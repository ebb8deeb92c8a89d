//! A subscriber credits each user with exactly the net of each confirmed deposit. All other promises serve this one.
//!
//! The test deploys the subscriber in examples/ next to Fundhook, from the subscriber's own template.

use std::collections::BTreeMap;

use aws_sdk_sns::types::MessageAttributeValue;
use fundhook::subscription::Delivery;
use fundhook_domain::{DecimalValue, Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{
    Coin, Listener, Platform, Subscriber, changed, event_ids, eventually, hash, resource, run, samples_with, seeded,
    unique, uuid,
};
use serde_json::json;

/// The number of users. Each user has every kind of deposit.
const USERS: usize = 3;

/// The webhooks about one user, and the user's expected balances.
#[derive(Default)]
struct User {
    /// Sent first: failures of deposits that are confirmed later.
    first: Vec<Webhook>,
    webhooks: Vec<Webhook>,
    /// Sent last: failures of deposits that were credited.
    last: Vec<Webhook>,
    /// Each resource with its number of statements and its expected final entry.
    about: Vec<(ResourceId, usize, Option<&'static str>)>,
    /// The three deposits of one coin, each with the balance that it would be credited to.
    coin: Vec<(ResourceId, String)>,
    balances: BTreeMap<String, DecimalValue>,
}

const LIFE: [&str; 3] = ["deposits.pending.6e735627.json", "deposits.submitted.json", "deposits.confirmed.json"];

impl User {
    fn with_every_kind_of_deposit(account: &str, random: &mut fastrand::Rng) -> Self {
        let mut user = Self::default();
        for _ in 0..2 {
            let (deposit, amount) = (unique(Kind::Deposit), amount(random));
            user.webhooks.extend(LIFE.map(|file| connect_webhook(file, &deposit, account, &amount)));
            user.expect_entry(&deposit, LIFE.len(), "credited", &format!("-#{account}#BTC#bitcoin"), &amount);
        }
        user.add_converted_deposit(account);
        user.add_deposit_in_smallest_units(account);
        user.add_coin_that_two_webhook_families_report(account);
        user.add_deposits_that_are_not_credited(account);
        user.add_contradicted_deposits(account, &amount(random));
        user
    }

    fn expect_entry(
        &mut self,
        deposit: &ResourceId,
        statements: usize,
        state: &'static str,
        balance: &str,
        amount: &str,
    ) {
        self.about.push((deposit.clone(), statements, Some(state)));
        self.expect_net(balance, amount);
    }

    fn expect_net(&mut self, balance: &str, amount: &str) {
        let balance = self.balances.entry(balance.to_owned()).or_insert_with(DecimalValue::zero);
        *balance = balance.clone() + &amount.parse().expect("a decimal number");
    }

    /// Adds a deposit of 500 USDC. zerohash exchanges them for dollars, and the user bears a fee of 5.
    fn add_converted_deposit(&mut self, account: &str) {
        let (native, hash) = (uuid(), hash());
        let own = [
            ("0b7e4f7a-3c55-4d0e-9a41-7d7f8f3b2c61", native.as_str()),
            ("2c6b8d0e4f1a3c5d7e9b0f2a4c6e8d0b1f3a5c7e9d0b2f4a6c8e0d1b3f5a7c9e", &hash),
            ("CUST01", account),
        ];
        self.webhooks.extend(samples_with(&["zerohash/fund.fee.json"], &own));
        let deposit = resource(Kind::Deposit, Provider::Zerohash, &native);
        self.expect_entry(&deposit, 1, "credited", &format!("-#{account}#USD#-"), "495");
    }

    /// Adds a deposit of 0.2 POL. Striga reports the amount in wei, and the credit states it in whole coins.
    fn add_deposit_in_smallest_units(&mut self, account: &str) {
        let (native, hash) = (uuid(), hash());
        let own = [
            ("deaabb1b-50ec-4f2c-b30b-889d03826b64", native.as_str()),
            ("7dc24b5316767f4269bbba3e9fb01a4af8af14d5e46e867d47dde3055cbbb262", &hash),
            ("104894c7-95fc-4dde-97dd-cb25b2587b91", account),
        ];
        self.webhooks.extend(samples_with(&["striga/deposit.pending.json", "striga/deposit.confirmed.json"], &own));
        let deposit = resource(Kind::Deposit, Provider::Striga, &native);
        self.expect_entry(&deposit, 2, "credited", &format!("-#{account}#POL#polygon-amoy"), "0.2");
    }

    /// Adds two deposits of one coin. The subscriber credits the deposit that is recorded first.
    fn add_coin_that_two_webhook_families_report(&mut self, account: &str) {
        let coin = Coin::of(account);
        self.webhooks.extend(coin.webhooks);
        self.about.extend(coin.deposits.clone().map(|deposit| (deposit, 1, None)));
        let in_kind = format!("-#{account}#USDC#base");
        self.coin = coin.deposits.into_iter().map(|deposit| (deposit, in_kind.clone())).collect();
    }

    /// Expects the credit of the coin's deposit that is confirmed. The other one is a duplicate.
    async fn expect_coin(&mut self, listener: &mut Listener<'_>) {
        let mut confirmed = Vec::new();
        for (deposit, balance) in self.coin.clone() {
            match listener.event(&format!("{deposit}#1")).await.text("/type") {
                "fundhook.deposit.confirmed" => confirmed.push(balance),
                other => assert_eq!(other, "fundhook.deposit.duplicate", "{deposit}"),
            }
        }
        assert_eq!(confirmed.len(), 1, "{confirmed:?}");
        self.expect_net(&confirmed[0], "75");
    }

    fn add_deposits_that_are_not_credited(&mut self, account: &str) {
        for file in
            ["deposits.pending.json", "deposits.on_hold.json", "deposits.failed.json", "deposits.abandoned.json"]
        {
            let deposit = unique(Kind::Deposit);
            self.webhooks.push(connect_webhook(file, &deposit, account, "1000"));
            self.about.push((deposit, 1, None));
        }
    }

    /// Adds two deposits. The first fails before its confirmation and is not credited. The second fails after its
    /// credit and needs review.
    fn add_contradicted_deposits(&mut self, account: &str, amount: &str) {
        let [before, after] = [unique(Kind::Deposit), unique(Kind::Deposit)];
        self.first.push(connect_webhook("deposits.failed.json", &before, account, "1000"));
        self.webhooks.push(connect_webhook("deposits.confirmed.json", &before, account, "1000"));
        self.about.push((before, 2, Some("held")));
        self.webhooks.push(connect_webhook("deposits.confirmed.json", &after, account, amount));
        self.last.push(connect_webhook("deposits.failed.json", &after, account, amount));
        self.expect_entry(&after, 1, "disputed", &format!("-#{account}#BTC#bitcoin"), amount);
    }
}

/// A Connect webhook about a deposit of `amount` for the user `account`.
fn connect_webhook(file: &str, deposit: &ResourceId, account: &str, amount: &str) -> Webhook {
    let changes = [
        ("/account/reference_id", json!(account)),
        ("/deposit/amount", json!(amount)),
        // Where the two differ, the deposit is held.
        ("/deposit/transaction/value", json!(amount)),
    ];
    Webhook::new(Provider::Connect, changed(file, deposit.native(), &changes))
}

/// A random amount of at most 12 digits, because the emulator rounds sums to 28 digits.
fn amount(random: &mut fastrand::Rng) -> String {
    format!("{}.{:08}", random.u32(1..1000), random.u32(1..100_000_000))
}

/// Publishes an event again. A topic with at-least-once delivery may do the same.
async fn publish_again(platform: &Platform, delivery: &Delivery) {
    let publish = platform.clients().sns.publish().topic_arn(platform.output("TopicArn"));
    let publish = delivery.attributes.iter().fold(publish, |publish, (name, value)| {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        publish.message_attributes(name, value.expect("an attribute with a type is valid"))
    });
    publish.message(delivery.event.to_string()).send().await.expect("the topic accepts the event");
}

#[test]
fn each_balance_is_the_sum_of_what_may_be_credited_to_the_account() {
    run(async {
        let platform = &Platform::deploy(&[]).await;
        let subscriber = Subscriber::deploy(platform).await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let accounts: Vec<String> = (0..USERS).map(|_| format!("USER-{:016x}", fastrand::u64(..))).collect();
        let mut users: Vec<User> =
            accounts.iter().map(|account| User::with_every_kind_of_deposit(account, &mut random)).collect();

        let first: Vec<Webhook> = users.iter().flat_map(|user| user.first.clone()).collect();
        platform.deliver(&first).await;
        for (id, ..) in users.iter().flat_map(|user| &user.about).filter(|(.., state)| *state == Some("held")) {
            platform.recorded(id, 1).await;
        }
        // Send the webhooks in random order, and a third of them twice.
        let mut webhooks: Vec<Webhook> = users.iter().flat_map(|user| user.webhooks.clone()).collect();
        random.shuffle(&mut webhooks);
        webhooks.extend_from_within(..webhooks.len() / 3);
        random.shuffle(&mut webhooks);
        platform.deliver(&webhooks).await;
        for (id, statements, _) in users.iter().flat_map(|user| &user.about) {
            listener.receive(event_ids(id, *statements)).await;
        }
        for user in &mut users {
            user.expect_coin(&mut listener).await;
        }
        let expected: BTreeMap<String, DecimalValue> = users.iter().flat_map(|user| user.balances.clone()).collect();
        // The topic repeats half of the events in another order.
        let mut received = listener.received().to_vec();
        random.shuffle(&mut received);
        for delivery in &received[..received.len() / 2] {
            publish_again(platform, delivery).await;
        }
        eventually("all deposits are credited", async || subscriber.balances().await, |balances| *balances == expected)
            .await;
        assert_eq!(subscriber.settled().await, 0, "dead letters");
        assert_eq!(subscriber.balances().await, expected, "no deposit is credited twice");

        let last: Vec<Webhook> = users.iter().flat_map(|user| user.last.clone()).collect();
        platform.deliver(&last).await;
        for (id, ..) in users.iter().flat_map(|user| &user.about).filter(|(.., state)| *state == Some("disputed")) {
            let delivery = listener.event(&format!("{id}#2")).await;
            assert_eq!(delivery.text("/type"), "fundhook.deposit.conflicting", "{}", delivery.event);
        }
        for delivery in &received[received.len() / 2..] {
            publish_again(platform, delivery).await;
        }
        assert_eq!(subscriber.settled().await, 0, "dead letters");
        assert_eq!(subscriber.balances().await, expected, "no credit is reversed automatically");
        assert_entries(&subscriber, &users).await;
    });
}

/// Checks the final entry of each deposit.
async fn assert_entries(subscriber: &Subscriber<'_>, users: &[User]) {
    let mut entries = subscriber.entries().await;
    for (id, _, state) in users.iter().flat_map(|user| &user.about) {
        if state.is_some() {
            assert_eq!(entries.remove(&id.to_string()).as_deref(), *state, "{id}");
        }
    }
    // One deposit of each user's coin is credited and the other is held. Other deposits have no entry.
    let mut states: Vec<String> = entries.into_values().collect();
    states.sort_unstable();
    let of_coins: Vec<&str> = ["credited", "held"].repeat(users.len());
    let mut of_coins: Vec<String> = of_coins.into_iter().map(str::to_owned).collect();
    of_coins.sort_unstable();
    assert_eq!(states, of_coins);
}
