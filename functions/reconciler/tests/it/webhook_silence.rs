//! A feed whose webhooks do not come although its lists show that money moves is reported; a quiet or a healthy one is not.

use std::time::Duration;

use fundhook_domain::ListKind;

use crate::support::item::item;
use crate::support::{World, feed, hours, minutes};

/// The values of the metric `name`, each with the feed that its line names.
fn reported(world: &World, name: &str) -> Vec<(u64, String)> {
    let lines = world.metrics.lines();
    let of_line = lines.iter().filter_map(|line| Some((line[name].as_u64()?, line["feed"].as_str()?.to_owned())));
    of_line.collect()
}

/// The last silence that was reported of a feed, in seconds.
fn silence(world: &World, of: &str) -> u64 {
    let of_feed = reported(world, "SilenceSeconds").into_iter().filter(|(_, feed)| feed == of);
    of_feed.map(|(seconds, _)| seconds).next_back().expect("it is reported")
}

/// Every 15 minutes for `duration`, one deposit or payment reaches its end in each of `lists`, and a run follows. Its webhook
/// is received unless it is dropped.
async fn busy_for(world: &World, duration: Duration, lists: &[ListKind], is_dropped: bool) {
    let until = world.clock.now().plus(duration);
    while world.clock.now() < until {
        world.clock.pass(minutes(15));
        let now = world.clock.now();
        for list in lists {
            let one = item(*list, &format!("{list}-{}", now.unix_seconds()), now);
            world.list_item(&one);
            if !is_dropped {
                world.receive(one.webhook(now));
            }
        }
        world.reconcile().await;
    }
}

#[tokio::test]
async fn a_busy_feed_whose_webhooks_are_all_dropped_is_silent_since_the_first_of_them() {
    for list in ListKind::ALL.into_iter().filter(|list| list.is_dated()) {
        let world = World::of_all_lists();
        world.reconcile().await;
        busy_for(&world, hours(2), &[list], false).await;
        let of = list.provider().as_str();
        assert_eq!(silence(&world, of), 0, "{list}: its webhooks come");

        busy_for(&world, hours(3), &[list], true).await;
        // The first dropped one was sent after 15 minutes.
        assert_eq!(silence(&world, of), 3 * 3600 - 900, "{list}: its webhooks do not come");
        let age = reported(&world, "LastWebhookAgeSeconds").pop();
        assert_eq!(age, Some((3 * 3600, of.to_owned())), "{list}: of the other provider none was received yet");
        let other = if of == "connect" { "zerohash" } else { "connect" };
        assert_eq!(silence(&world, other), 0, "{list}: the other provider lists nothing");

        busy_for(&world, minutes(45), &[list], false).await;
        assert_eq!(silence(&world, of), 0, "{list}: they come again");
    }
}

#[tokio::test]
async fn a_feed_that_lists_nothing_or_little_is_not_silent() {
    let world = World::of_all_lists();
    world.reconcile().await;
    for quiet in 0..5 {
        // At most four rows within a day.
        world.run_for(hours(7)).await;
        busy_for(&world, minutes(15), &[ListKind::ConnectTransactions], true).await;
        assert_eq!(silence(&world, "connect"), 0, "after {quiet}");
    }
    assert!(reported(&world, "SilenceSeconds").iter().all(|(seconds, _)| *seconds == 0));
}

#[tokio::test]
async fn webhooks_about_one_list_show_that_the_feed_is_not_silent() {
    let world = World::of_all_lists();
    world.reconcile().await;
    for _ in 0..16 {
        busy_for(&world, minutes(15), &[ListKind::FundTransactions], false).await;
        // No webhook tells what this list contains.
        busy_for(&world, minutes(15), &[ListKind::Payments], true).await;
    }
    assert!(reported(&world, "SilenceSeconds").iter().all(|(seconds, _)| *seconds == 0));
}

#[tokio::test]
async fn rows_from_before_the_first_run_and_rows_of_a_feed_without_webhooks_do_not_count() {
    for has_webhooks in [true, false] {
        let mut world = World::of_all_lists();
        if !has_webhooks {
            world.settings.feeds.remove(&feed("zerohash"));
        }
        for nth in 0..20 {
            let at = world.clock.now().minus(hours(nth + 1));
            world.list_item(&item(ListKind::FundTransactions, &format!("old-{nth}"), at));
        }
        world.run_for(hours(2)).await;
        assert!(reported(&world, "SilenceSeconds").iter().all(|(seconds, _)| *seconds == 0));
        assert_eq!(reported(&world, "ListedRows"), [], "they are from before the first run");

        busy_for(&world, hours(3), &[ListKind::FundTransactions], true).await;
        let silent = reported(&world, "SilenceSeconds").iter().any(|(seconds, _)| *seconds > 3600);
        assert_eq!(silent, has_webhooks);
    }
}

#[tokio::test]
async fn each_row_is_counted_once_and_those_without_a_webhook_beside_it() {
    let world = World::of_all_lists();
    world.reconcile().await;
    busy_for(&world, hours(1), &[ListKind::FundTransactions, ListKind::Payments], false).await;
    busy_for(&world, hours(1), &[ListKind::FundTransactions, ListKind::Payments], true).await;
    world.run_for(hours(2)).await;
    let sum = |name| reported(&world, name).iter().map(|(count, _)| count).sum::<u64>();
    assert_eq!((sum("ListedRows"), sum("RowsWithoutWebhook")), (16, 8));
    let dimensions = |name: &str| {
        let lines = world.metrics.lines();
        let line = lines.iter().find(|line| line[name].is_u64()).expect("it is emitted").clone();
        line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].to_string()
    };
    assert_eq!(dimensions("ListedRows"), r#"[["stack","provider"]]"#);
    assert_eq!(dimensions("SilenceSeconds"), r#"[["stack","provider"]]"#);
}

#[tokio::test]
async fn the_silent_organization_is_named_beside_a_healthy_one() {
    let world = World::of(&["connect", "connect/acme"]);
    world.reconcile().await;
    for nth in 0..16 {
        world.clock.pass(minutes(15));
        let now = world.clock.now();
        for of in ["connect", "connect/acme"] {
            let one = crate::support::deposit::deposit(&format!("{nth}-{of}"), now).of(of);
            world.list(&one, true);
            if of == "connect" {
                world.send_webhook(&one, "confirmed");
            }
        }
        world.reconcile().await;
    }
    let last = reported(&world, "SilenceSeconds").pop();
    assert_eq!(last, Some((4 * 3600 - 900, "connect/acme".to_owned())));
}
