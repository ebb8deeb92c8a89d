//! A subscriber that books the postings of all events, and nothing else, has the right balances. All other promises serve
//! this one.
//!
//! The test deploys the subscriber in examples/ next to Fundhook, from the subscriber's own template.

use aws_sdk_sns::types::MessageAttributeValue;
use fundhook::ledger::{Ledger, Sums, TrialBalance};
use fundhook::subscription::Delivery;
use fundhook_domain::{DecimalValue, Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{
    Coin, Platform, Subscriber, changed, event_ids, eventually, hash, resource, run, samples_with, seeded, unique, uuid,
};
use serde_json::json;

/// The number of users. Each user has every kind of movement.
const USERS: usize = 3;

/// The webhooks about one user.
#[derive(Default)]
struct User {
    account: String,
    webhooks: Vec<Webhook>,
    /// Sent last: failures of deposits that were credited.
    last: Vec<Webhook>,
    /// Each resource with its number of different statements before the last webhooks.
    about: Vec<(ResourceId, usize)>,
    /// A deposit that is credited and then contradicted. A person accepts it in the end.
    contradicted: Option<ResourceId>,
    /// A deposit that is credited and then contradicted. A person rejects it in the end.
    rejected: Option<ResourceId>,
    /// What the user has in the end, by asset.
    expected: Vec<(&'static str, DecimalValue)>,
}

const LIFE: [&str; 3] = ["deposits.pending.6e735627.json", "deposits.submitted.json", "deposits.confirmed.json"];

impl User {
    fn with_every_kind_of_movement(account: &str, random: &mut fastrand::Rng) -> Self {
        let mut user = Self { account: account.to_owned(), ..Self::default() };
        let amounts: [String; 4] = std::array::from_fn(|_| amount(random));
        for amount in &amounts[..2] {
            let deposit = unique(Kind::Deposit);
            user.webhooks.extend(LIFE.map(|file| connect_webhook(file, &deposit, account, amount)));
            user.about.push((deposit, LIFE.len()));
        }
        let contradicted = user.contradicted(&amounts[2]);
        user.rejected = Some(user.contradicted(&amounts[3]));
        user.contradicted = Some(contradicted);
        user.add_converted_deposit();
        user.add_deposit_and_withdrawal_in_smallest_units();
        user.add_coin_that_two_webhook_families_report();
        user.add_deposits_that_are_not_credited();
        user.add_return_of_an_unexpected_deposit();
        let number = |text: &str| text.parse::<DecimalValue>().expect("a decimal number");
        let bitcoins = amounts[..3].iter().fold(DecimalValue::zero(), |sum, amount| sum + &number(amount));
        // 0.2 POL arrived, and 0.01 left with its fee.
        user.expected = vec![
            ("BTC", bitcoins),
            ("USD", number("495")),
            ("POL", number("0.19")),
            // The coin that two families report, once.
            ("USDC", number("75")),
        ];
        user
    }

    fn add(&mut self, files: &[&str], own: &[(&str, &str)]) {
        self.webhooks.extend(samples_with(files, own));
    }

    /// Adds a deposit of 500 USDC. zerohash exchanges them for dollars, and the user bears a fee of 5.
    fn add_converted_deposit(&mut self) {
        let (native, hash, account) = (uuid(), hash(), self.account.clone());
        let own = [
            ("0b7e4f7a-3c55-4d0e-9a41-7d7f8f3b2c61", native.as_str()),
            ("2c6b8d0e4f1a3c5d7e9b0f2a4c6e8d0b1f3a5c7e9d0b2f4a6c8e0d1b3f5a7c9e", &hash),
            ("CUST01", &account),
        ];
        self.add(&["zerohash/fund.fee.json"], &own);
        self.about.push((resource(Kind::Deposit, Provider::Zerohash, &native), 1));
    }

    /// Adds a deposit of 0.2 POL, and a withdrawal of 0.01 of them, whose fee is a resource of its own. Striga states wei.
    fn add_deposit_and_withdrawal_in_smallest_units(&mut self) {
        let (deposit, withdrawal, hash, account) = (uuid(), uuid(), hash(), self.account.clone());
        let owner = ("104894c7-95fc-4dde-97dd-cb25b2587b91", account.as_str());
        let own = [
            ("deaabb1b-50ec-4f2c-b30b-889d03826b64", deposit.as_str()),
            ("7dc24b5316767f4269bbba3e9fb01a4af8af14d5e46e867d47dde3055cbbb262", &hash),
            owner,
        ];
        self.add(&["striga/deposit.pending.json", "striga/deposit.confirmed.json"], &own);
        let files = ["striga/withdrawal.initiated.json", "striga/network_fee.json", "striga/withdrawal.confirmed.json"];
        self.add(&files, &[("d646143f-85af-4197-88ac-a84e46002205", withdrawal.as_str()), owner]);
        self.about.extend([
            (resource(Kind::Deposit, Provider::Striga, &deposit), 2),
            (resource(Kind::Withdrawal, Provider::Striga, &withdrawal), 3),
            (resource(Kind::Fee, Provider::Striga, &format!("{withdrawal}:network")), 1),
        ]);
    }

    /// Adds two deposits of one coin. The one that is recorded first is credited.
    fn add_coin_that_two_webhook_families_report(&mut self) {
        let coin = Coin::of(&self.account);
        self.webhooks.extend(coin.webhooks);
        self.about.extend(coin.deposits.map(|deposit| (deposit, 1)));
    }

    fn add_deposits_that_are_not_credited(&mut self) {
        for file in
            ["deposits.pending.json", "deposits.on_hold.json", "deposits.failed.json", "deposits.abandoned.json"]
        {
            let deposit = unique(Kind::Deposit);
            self.webhooks.push(connect_webhook(file, &deposit, &self.account, "1000"));
            self.about.push((deposit, 1));
        }
    }

    /// Adds 100 USDC that arrived outside the authorised flow and went back.
    fn add_return_of_an_unexpected_deposit(&mut self) {
        let (deposit, payment, hash, account) = (uuid(), uuid(), hash(), self.account.clone());
        let own = [
            ("eecb7555-039b-4e01-83c7-3634c28fee58", deposit.as_str()),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff", &hash),
            ("b752503c-1c42-4dfe-ad1d-7b39da5db59c", &payment),
            ("CUST01", &account),
        ];
        let payments = ["submitted", "posted", "settled"].map(|status| format!("zerohash/payment.{status}.json"));
        let files = ["zerohash/deposit.recovery_quarantine.json", &payments[0], &payments[1], &payments[2]];
        self.add(&files, &own);
        self.about.extend([
            (resource(Kind::Deposit, Provider::Zerohash, &deposit), 1),
            (resource(Kind::Withdrawal, Provider::Zerohash, &payment), 3),
        ]);
    }

    /// Adds a deposit that fails after it was credited.
    fn contradicted(&mut self, amount: &str) -> ResourceId {
        let deposit = unique(Kind::Deposit);
        self.webhooks.push(connect_webhook("deposits.confirmed.json", &deposit, &self.account, amount));
        self.last.push(connect_webhook("deposits.failed.json", &deposit, &self.account, amount));
        self.about.push((deposit.clone(), 1));
        deposit
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

/// What Fundhook's own table adds up to.
async fn recorded(platform: &Platform) -> Ledger {
    let ids: Vec<ResourceId> =
        platform.stored_resources().await.iter().map(|id| id.parse().expect("a resource")).collect();
    Ledger::of(&platform.resources(&ids).await)
}

/// Waits until the subscriber's balances are those of Fundhook's table, and checks its trial balance.
async fn assert_same_books(platform: &Platform, subscriber: &Subscriber<'_>) -> Sums {
    let ledger = recorded(platform).await;
    assert!(ledger.trial_balance().iter().all(TrialBalance::is_zero), "{:?}", ledger.trial_balance());
    let expected = ledger.sums();
    let booked = async || subscriber.balances().await;
    eventually("the subscriber has booked all events", booked, |balances| *balances == expected).await;
    assert_eq!(subscriber.settled().await, 0, "dead letters");
    assert_eq!(subscriber.balances().await, expected, "no event is booked twice");
    let printed = subscriber.asked(&["trial-balance"]).await;
    assert!(printed.ends_with("the trial balance is zero\n"), "{printed}");
    expected
}

fn balance(sums: &Sums, account: &str, asset: &str) -> DecimalValue {
    let sum = sums.get(&(None, format!("customer:{account}"), asset.to_owned()));
    DecimalValue::zero() - sum.unwrap_or(&DecimalValue::zero())
}

#[test]
fn the_postings_of_all_events_add_up_to_the_right_balances_in_any_order() {
    run(async {
        let platform = &Platform::deploy(&[]).await;
        let subscriber = Subscriber::deploy(platform).await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let users: Vec<User> = (0..USERS)
            .map(|_| User::with_every_kind_of_movement(&format!("USER-{:016x}", fastrand::u64(..)), &mut random))
            .collect();

        // The webhooks in random order, and a third of them twice.
        let mut webhooks: Vec<Webhook> = users.iter().flat_map(|user| user.webhooks.clone()).collect();
        random.shuffle(&mut webhooks);
        webhooks.extend_from_within(..webhooks.len() / 3);
        random.shuffle(&mut webhooks);
        platform.deliver(&webhooks).await;
        for (id, statements) in users.iter().flat_map(|user| &user.about) {
            listener.receive(event_ids(id, *statements)).await;
        }
        // The topic repeats half of the events in another order.
        let mut received = listener.received().to_vec();
        random.shuffle(&mut received);
        for delivery in &received[..received.len() / 2] {
            publish_again(platform, delivery).await;
        }
        assert_same_books(platform, &subscriber).await;

        // Some deposits conflict: their money is held.
        let last: Vec<Webhook> = users.iter().flat_map(|user| user.last.clone()).collect();
        platform.deliver(&last).await;
        for user in &users {
            for id in [&user.contradicted, &user.rejected].into_iter().flatten() {
                let delivery = listener.event(&format!("{id}#2")).await;
                assert_eq!(delivery.text("/type"), "fundhook.deposit.conflicting", "{}", delivery.event);
            }
        }
        assert_same_books(platform, &subscriber).await;

        // A person decides: one of them is credited again, and the other is not.
        for user in &users {
            for (id, choice) in [(&user.contradicted, "accept"), (&user.rejected, "reject")] {
                let id = id.as_ref().expect("a contradicted deposit");
                let decide = json!({ "resource": id, "choice": choice, "by": "alice", "reason": "asked the provider" });
                platform.reconcile(&json!({ "decide": decide })).await;
                listener.event(&format!("{id}#3")).await;
            }
        }
        for delivery in &received[received.len() / 2..] {
            publish_again(platform, delivery).await;
        }
        let books = assert_same_books(platform, &subscriber).await;
        for user in &users {
            for (asset, expected) in &user.expected {
                assert_eq!(balance(&books, &user.account, asset), *expected, "{asset} of {}", user.account);
            }
            let statement = subscriber.asked(&["statement", &user.account]).await;
            for (asset, expected) in &user.expected {
                assert!(statement.contains(&format!("balance: {expected} credit {asset}\n")), "{asset} in {statement}");
            }
        }
    });
}
