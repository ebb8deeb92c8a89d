//! A coin that two lists have, each under an id of its own, is credited once, whichever of its webhooks are dropped.
//!
//! To repeat a test run, set `FUNDHOOK_TEST_SEED` to the seed that it printed.

use std::collections::BTreeMap;

use fundhook_domain::{Feed, ListId, ListKind, Provider, Timestamp};
use fundhook_ports::fakes::ApiRow;
use serde_json::json;

use crate::support::deposit::{TestDeposit, deposit, webhook};
use crate::support::{World, at, hours, minutes, seeded};

const COINS: usize = 40;
const DROPPED_PERCENT: u32 = 30;

/// A coin as Connect or zerohash's conversion reports it, and as zerohash's state of the deposit reports it.
struct Coin {
    converted: TestDeposit,
    states: Vec<(&'static str, Timestamp)>,
    /// Of each webhook whether the provider drops it, those of `converted` first.
    drops: Vec<bool>,
}

impl Coin {
    fn any(rng: &mut fastrand::Rng, nth: usize, feeds: &[&str]) -> Self {
        let arrives = at(crate::support::NOON).plus(hours(1)).plus(minutes(rng.u64(1..300)));
        let feed = feeds[nth % feeds.len()];
        let converted = deposit(&format!("{feed}-{nth}"), arrives).of(feed);
        let amount = format!("{}.{:06}", rng.u64(1..10_000), rng.u64(1..1_000_000));
        let converted = TestDeposit { account: format!("CUST{:02}", rng.u32(..20)), amount, ..converted };
        let settles = arrives.plus(minutes(rng.u64(1..90)));
        let states = vec![("initial", arrives), ("completed", settles)];
        // Of the first coins, no webhook arrives.
        let drops = (0..4).map(|_| nth < 4 || rng.u32(..100) < DROPPED_PERCENT).collect();
        Self { converted, states, drops }
    }

    fn state_id(&self) -> String {
        format!("state-of-{}", self.converted.id)
    }

    fn state_webhook(&self, state: &str, at: Timestamp) -> String {
        let TestDeposit { account, hash, amount, address, coin, .. } = &self.converted;
        let body = json!({
            "deposit_id": self.state_id(), "participant_code": account, "transaction_hash": hash, "state": state,
            "asset": coin.2, "amount": amount, "received_address": address, "timestamp": at.unix_seconds(),
        });
        webhook(&Provider::Zerohash.into(), &body.to_string(), at)
    }

    fn state_row(&self, state: &str, at: Timestamp) -> ApiRow {
        let TestDeposit { account, hash, amount, address, coin, .. } = &self.converted;
        let row = json!({
            "depositId": self.state_id(), "participantCode": account, "transactionHash": hash, "state": state,
            "asset": coin.2, "amount": amount, "receivedAddress": address,
            "history": [{ "toState": state, "timestamp": at }],
        });
        ApiRow { at: self.converted.at, id: self.state_id(), json: row.to_string() }
    }

    /// The list of what is converted.
    fn converted_list(&self) -> ListId {
        let feed = &self.converted.feed;
        let kind = match feed.provider() {
            Provider::Connect => ListKind::ConnectTransactions,
            Provider::Zerohash | Provider::Striga => ListKind::FundTransactions,
        };
        ListId::new(feed, kind)
    }

    /// The webhooks, each with its time and whether it is dropped.
    fn webhooks(&self) -> Vec<(Timestamp, bool, String)> {
        let (deposit, (_, settles)) = (&self.converted, self.states[1]);
        let converted = match deposit.feed.provider() {
            Provider::Connect => vec![("submitted", deposit.at), ("confirmed", settles)],
            Provider::Zerohash | Provider::Striga => vec![("held", deposit.at), ("confirmed", settles)],
        };
        let converted = converted.into_iter().map(|(status, at)| (at, deposit.webhook(status, at)));
        let states = self.states.iter().map(|(state, at)| (*at, self.state_webhook(state, *at)));
        let all = converted.chain(states).zip(&self.drops);
        all.map(|((at, message), is_dropped)| (at, *is_dropped, message)).collect()
    }
}

async fn world_of(coins: &[Coin], crediting: Option<&str>, is_late: bool, rng: &mut fastrand::Rng) -> World {
    let mut world = World::of_all_lists();
    if let Some(families) = crediting {
        world.crediting(families);
    }
    (world.settings.overdue.deposit, world.settings.overdue.withdrawal) = (hours(3), hours(3));
    world.reconcile().await;
    let (mut then, mut dropped) = (world.clock.now(), Vec::new());
    let states: ListId = ListId::new(&Feed::from(Provider::Zerohash), ListKind::Deposits);
    while then < at("2025-10-08T03:00:00Z") {
        world.clock.pass(minutes(15));
        let now = world.clock.now();
        let mut messages = Vec::new();
        for coin in coins {
            for (state, at) in coin.states.iter().filter(|(_, at)| (then..now).contains(at)) {
                world.provider.list_row(&states, coin.state_row(state, *at));
                if *state == "completed" {
                    world.provider.list_row(&coin.converted_list(), coin.converted.row_since(true, *at));
                }
            }
            for (_, is_dropped, message) in coin.webhooks().into_iter().filter(|(at, ..)| (then..now).contains(at)) {
                if is_dropped { dropped.push(message) } else { messages.push(message) }
            }
        }
        rng.shuffle(&mut messages);
        messages.into_iter().for_each(|message| world.receive(message));
        world.reconcile().await;
        then = now;
    }
    if is_late {
        rng.shuffle(&mut dropped);
        dropped.into_iter().for_each(|message| world.receive(message));
    }
    world.run_for(hours(4)).await;
    world
}

/// How much each user was credited by the postings of the published events, in millionths.
fn credited(world: &World) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for event in &world.table.resources.now().published {
        let event = serde_json::to_value(event).expect("an event");
        for posting in event["data"]["postings"].as_array().into_iter().flatten() {
            let text = |name: &str| posting[name].as_str().expect("a text");
            let Some(user) = text("ledger_account").strip_prefix("customer:") else {
                continue;
            };
            let millionths = millionths(text("value"));
            let signed = if text("direction") == "credit" { millionths } else { -millionths };
            *sums.entry(user.to_owned()).or_default() += signed;
        }
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

fn millionths(amount: &str) -> i128 {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}{fraction:0<6}").parse().expect("at most six digits after the point")
}

#[tokio::test]
async fn a_coin_on_two_lists_is_credited_once_whichever_of_its_webhooks_are_dropped() {
    let mut rng = seeded();
    // A conversion credits another asset than the coin's. If both were credited, the two reports would contradict each other.
    for (feeds, crediting) in [(&["connect", "zerohash"][..], Some("connect,fund")), (&["connect"], None)] {
        let coins: Vec<Coin> = (0..COINS).map(|nth| Coin::any(&mut rng, nth, feeds)).collect();
        let mut owed: BTreeMap<String, i128> = BTreeMap::new();
        for coin in &coins {
            *owed.entry(coin.converted.account.clone()).or_default() += millionths(&coin.converted.amount);
        }
        for is_late in [false, true] {
            let world = world_of(&coins, crediting, is_late, &mut rng).await;
            let drops = if is_late { "arrive late" } else { "never arrive" };
            assert_eq!(credited(&world), owed, "of {feeds:?}; the dropped webhooks {drops}");
            let published = &world.table.resources.now().published;
            let confirmed = published.iter().filter(|event| event.event_type == "fundhook.deposit.confirmed").count();
            assert_eq!(confirmed, COINS, "of {feeds:?}, one event for each coin; the dropped webhooks {drops}");
        }
    }
}
