//! A coin that several webhook families report is credited once.

use fundhook_domain::{Kind, NewFact, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Coin, Listener, Platform, Queue, resource, run, seeded, uuid};
use futures_util::future::join_all;

/// How many coins are reported through the HTTP API.
const COINS: usize = 8;

/// How many coins are reported by statements that are recorded concurrently.
const COINS_AT_ONCE: usize = 6;

/// Waits until all deposits of the coin are published. Asserts that exactly one of them is credited and that the others
/// name it. Returns it.
async fn credited_once(platform: &Platform, listener: &mut Listener<'_>, coin: &Coin) -> ResourceId {
    let mut confirmed = Vec::new();
    let mut duplicates = Vec::new();
    for deposit in &coin.deposits {
        let delivery = listener.event(&format!("{deposit}#1")).await;
        match delivery.text("/type") {
            "fundhook.deposit.confirmed" => confirmed.push(deposit.clone()),
            "fundhook.deposit.duplicate" => duplicates.push(delivery.clone()),
            other => assert_eq!(other, "", "{deposit} is neither confirmed nor a duplicate"),
        }
    }
    assert_eq!((confirmed.len(), duplicates.len()), (1, 1), "{confirmed:?} are credited");
    let owner = confirmed.remove(0);
    for duplicate in &duplicates {
        assert_eq!(duplicate.text("/data/duplicate_of"), owner.to_string(), "{}", duplicate.event);
    }
    for deposit in &coin.deposits {
        let view = platform.resource(deposit).await.view().expect("a view");
        let expected = (*deposit != owner).then(|| owner.clone());
        assert_eq!((view.is_credited(), view.duplicate_of.clone()), (*deposit == owner, expected), "{deposit}");
    }
    owner
}

#[test]
fn a_coin_that_two_feeds_report_in_two_spellings_at_the_same_time_is_credited_once() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let coins: Vec<Coin> = (0..COINS).map(|_| Coin::of("CUST01")).collect();
        let mut webhooks: Vec<Webhook> = coins.iter().flat_map(|coin| coin.webhooks.clone()).collect();
        // Each webhook is sent twice.
        webhooks.extend(webhooks.clone());
        random.shuffle(&mut webhooks);
        platform.deliver(&webhooks).await;
        for coin in &coins {
            credited_once(platform, &mut listener, coin).await;
        }
    });
}

#[test]
fn a_coin_whose_two_statements_are_recorded_concurrently_is_credited_once() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let coins: Vec<Coin> = (0..COINS_AT_ONCE).map(|_| Coin::of("CUST01")).collect();
        let mut messages = Vec::new();
        for webhook in coins.iter().flat_map(|coin| &coin.webhooks) {
            messages.push(NewFact::from(platform.statements(webhook).await.remove(0)).to_message().expect("JSON"));
        }
        // One call for each message, so that several updaters claim the same coin.
        join_all(messages.chunks(1).map(|message| platform.put(Queue::Transfers, message))).await;
        for coin in &coins {
            credited_once(platform, &mut listener, coin).await;
        }
    });
}

#[test]
fn two_deposits_of_one_webhook_family_in_one_transaction_are_both_credited_and_another_family_adds_nothing() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let coin = Coin::of("CUST01");
        let [connect, status] = &coin.webhooks;
        // The same transaction, address and asset, with another id and another amount.
        let native = uuid();
        let text = String::from_utf8(status.body.clone()).expect("text");
        let second = text.replace(coin.deposits[1].native(), &native).replace(r#"": "75""#, r#"": "60""#);
        let second = Webhook { body: second.into_bytes(), ..status.clone() };
        let two = [coin.deposits[1].clone(), resource(Kind::Deposit, Provider::Zerohash, &native)];

        platform.deliver(&[status.clone(), second]).await;
        for (deposit, value) in two.iter().zip(["75", "60"]) {
            let delivery = listener.event(&format!("{deposit}#1")).await;
            assert_eq!(delivery.text("/type"), "fundhook.deposit.confirmed", "{}", delivery.event);
            assert_eq!(delivery.text("/data/amount/value"), value);
        }
        platform.deliver(std::slice::from_ref(connect)).await;
        let delivery = listener.event(&format!("{}#1", coin.deposits[0])).await;
        assert_eq!(delivery.text("/type"), "fundhook.deposit.duplicate", "{}", delivery.event);
        assert_eq!(delivery.text("/data/duplicate_of"), two[0].to_string(), "the amount decides");
    });
}

#[test]
fn a_deposit_claims_its_coin_when_it_is_confirmed_and_not_before() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let coin = Coin::of("CUST01");
        let [connect, completed] = &coin.webhooks;
        // The deposit is on chain with the same hash, but not credited yet. zerohash calls this `confirmed`.
        let submitted = String::from_utf8(completed.body.clone()).expect("text").replace("completed", "confirmed");
        let submitted = Webhook { body: submitted.into_bytes(), ..completed.clone() };
        let [owner, late] = &coin.deposits;
        for (webhook, event, expected) in [
            (&submitted, format!("{late}#1"), "fundhook.deposit.submitted"),
            (connect, format!("{owner}#1"), "fundhook.deposit.confirmed"),
            (completed, format!("{late}#2"), "fundhook.deposit.duplicate"),
        ] {
            platform.deliver(std::slice::from_ref(webhook)).await;
            assert_eq!(listener.event(&event).await.text("/type"), expected, "{event}");
        }
    });
}
