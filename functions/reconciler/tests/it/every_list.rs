//! What holds of every list: each is read from its own watermark, and whatever happens, nothing in it is lost or counted
//! twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_domain::{ListKind, Timestamp};
use fundhook_ports::fakes::{Reply, Run, Steps};
use fundhook_ports::{Disposition, ListPage};

use crate::support::item::{Item, item};
use crate::support::{Ledger, World, at, days, feed, hours, minutes, rows_twice};

/// A world in which one list has three unread pages of five rows, dated `span` apart.
async fn filled(list: ListKind, span: Duration) -> (World, Vec<Item>) {
    let world = World::of_all_lists();
    world.provider.now().page_size = 5;
    world.reconcile().await;
    // The hour of the first run is not totalled.
    world.clock.pass(hours(1) + span * 15 + minutes(16));
    let begins = at(crate::support::NOON).plus(hours(1));
    let all: Vec<Item> = (0..15).map(|nth| item(list, &format!("m-{nth:02}"), begins.plus(span * nth))).collect();
    all.iter().for_each(|item| world.list_item(item));
    world.provider.take_calls();
    (world, all)
}

fn lost(world: &World, all: &[Item]) -> Vec<String> {
    all.iter().filter(|item| world.status_of(&item.resource()) != "confirmed").map(|item| item.id.clone()).collect()
}

/// How often each event was published.
fn published(world: &World) -> BTreeMap<String, usize> {
    let mut published = BTreeMap::new();
    for event in &world.table.resources.now().published {
        *published.entry(event.id.clone()).or_default() += 1;
    }
    published
}

fn assert_published_once(world: &World, case: &str) {
    assert!(published(world).values().all(|times| *times == 1), "{case}: {:?}", published(world));
}

/// The requests for this list since the last call.
fn requests(world: &World, list: ListKind) -> usize {
    world.provider.take_calls().iter().filter(|call| call.list.kind() == list).count()
}

#[tokio::test]
async fn every_page_of_every_list_is_read_and_each_row_becomes_one_event() {
    for list in ListKind::ALL {
        let (world, all) = filled(list, minutes(2)).await;
        assert_eq!(world.reconcile().await.queued, 15, "{list}");
        assert_eq!(lost(&world, &all), Vec::<String>::new(), "{list}");
        assert_eq!(requests(&world, list), 3, "{list}");
        assert_published_once(&world, list.as_str());
        let is_reconciled = || world.table.resources.now().published.iter().all(|event| event.data.reconciled);
        assert!(is_reconciled(), "{list}");
        world.clock.pass(minutes(15));
        assert_eq!(world.reconcile().await.queued, 0, "{list}, read again");
    }
}

#[tokio::test]
async fn a_row_and_its_webhook_are_one_event_in_any_order() {
    for list in ListKind::ALL {
        for webhook_first in [true, false] {
            let world = World::of_all_lists();
            let one = item(list, "one", at(crate::support::NOON).minus(hours(1)));
            let send = || world.receive(one.webhook(one.at.plus(minutes(1))));
            if webhook_first {
                send();
            }
            world.list_item(&one);
            let case = format!("{list}, webhook first: {webhook_first}");
            assert_eq!(world.reconcile().await.queued, u64::from(!webhook_first), "{case}");
            if !webhook_first {
                send();
            }
            world.run_for(hours(3)).await;
            assert_eq!(world.status_of(&one.resource()), "confirmed", "{case}");
            let events = world.published(&one.resource());
            assert_eq!(events.len(), 1, "{case}: {events:?}");
        }
    }
}

#[tokio::test]
async fn lists_do_not_stop_each_other() {
    for down in ListKind::ALL {
        let world = World::of_all_lists();
        let all = ListKind::ALL.map(|list| item(list, &format!("of-{list}"), at(crate::support::NOON).minus(hours(1))));
        all.iter().for_each(|item| world.list_item(item));
        world.provider.now().unanswered.insert(down.provider().into());
        assert!(world.run().await.is_err(), "{down}");
        world.process_queues();
        let others: Vec<Item> = all.iter().filter(|item| item.list.provider() != down.provider()).cloned().collect();
        assert_eq!(lost(&world, &others), Vec::<String>::new(), "{down}");
        assert_eq!(lost(&world, &all).len(), all.len() - others.len(), "{down}");

        world.provider.now().unanswered.clear();
        world.clock.pass(minutes(15));
        world.reconcile().await;
        assert_eq!(lost(&world, &all), Vec::<String>::new(), "{down}");
    }
}

#[tokio::test]
async fn one_list_that_fails_leaves_the_others_of_its_provider() {
    let world = World::of_all_lists();
    let all = ListKind::ALL.map(|list| item(list, &format!("of-{list}"), at(crate::support::NOON).minus(hours(1))));
    all.iter().for_each(|item| world.list_item(item));
    world.provider.set_replies([Reply::Fails(Disposition::DeadLetter)]);
    assert!(world.run().await.is_err());
    world.process_queues();
    assert_eq!(lost(&world, &all).len(), 1, "the list that was read first");
}

#[tokio::test]
async fn a_page_that_could_not_be_read_is_read_by_the_next_run() {
    for list in ListKind::ALL {
        for failing in 0..3 {
            let (world, all) = filled(list, minutes(2)).await;
            let before = world.watermark_of(&all[0].list()).read_until;
            answer_this_list_first(&world, list);
            world.provider.set_replies((0..failing).map(|_| Reply::Honest).chain([Reply::Fails(Disposition::Retry)]));
            assert!(world.run().await.is_err(), "{list}");
            world.process_queues();
            assert_eq!(
                world.watermark_of(&all[0].list()).read_until,
                before,
                "{list}: it stays before the unread page"
            );
            assert_eq!(lost(&world, &all).len(), [15, 10, 5][failing], "{list}: what was read is recorded");
            world.clock.pass(minutes(15));
            world.reconcile().await;
            assert_eq!(lost(&world, &all), Vec::<String>::new(), "{list} at page {}", failing + 1);
            assert_published_once(&world, list.as_str());
        }
    }
}

/// Lets only this list be read, so that a test decides the replies to its pages.
fn answer_this_list_first(world: &World, list: ListKind) {
    // The run begins with another list every 15 minutes.
    let lists = ListKind::ALL.len();
    for _ in 0..lists {
        let first = first_list(world);
        if first == list {
            return;
        }
        world.clock.pass(minutes(15));
    }
    unreachable!("each run begins with another list");
}

/// The list that a run reads first now.
fn first_list(world: &World) -> ListKind {
    let mut lists = ListKind::ALL;
    fundhook_credentials::rotate_by_run(&mut lists, world.clock.now(), Duration::from_secs(900));
    lists[0]
}

/// The page without its rows.
fn without_rows(page: ListPage) -> ListPage {
    ListPage { rows: Vec::new(), ..page }
}

#[tokio::test]
async fn unusual_pages_lose_nothing() {
    for list in ListKind::ALL {
        for (name, reply) in [
            ("an empty page", Reply::Changed(without_rows)),
            ("a last page that is not", Reply::NotTheLast),
            ("each row twice", Reply::Changed(rows_twice)),
        ] {
            for unusual in 0..3 {
                let (world, all) = filled(list, minutes(2)).await;
                answer_this_list_first(&world, list);
                world.provider.set_replies((0..unusual).map(|_| Reply::Honest).chain([reply.clone()]));
                world.reconcile().await;
                world.run_for(hours(6)).await;
                let case = format!("{list}, {name} at {unusual}");
                assert_eq!(lost(&world, &all), Vec::<String>::new(), "{case}");
                assert_published_once(&world, &case);
                assert!(world.watermark_of(&all[0].list()).window.is_none(), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn rows_that_are_added_while_a_list_is_read_hide_no_others() {
    for list in ListKind::ALL {
        for ignores_dates in [false, true] {
            for (before_page, count) in [(1, 1), (1, 5), (1, 12), (2, 1), (2, 7)] {
                let (world, all) = filled(list, minutes(2)).await;
                answer_this_list_first(&world, list);
                world.provider.now().ignores_dates = ignores_dates;
                let newest = world.clock.now().minus(minutes(15));
                let front = |nth: u64| item(list, &format!("front-{nth}"), newest.minus(Duration::from_secs(nth + 1)));
                let front: Vec<Item> = (0..count).map(front).collect();
                let honest = (0..before_page).map(|_| Reply::Honest);
                let rows = front.iter().map(Item::row).collect();
                // Rows are added to the list that is asked for: the first one.
                world.provider.set_replies(honest.chain([Reply::AfterListing(rows)]));
                world.reconcile().await;
                let case = format!("{list}, {count} before page {before_page}, ignores dates: {ignores_dates}");
                assert_eq!(lost(&world, &all), Vec::<String>::new(), "{case}");
                world.clock.pass(minutes(15));
                world.reconcile().await;
                assert_eq!(lost(&world, &front), Vec::<String>::new(), "{case}");
                assert_published_once(&world, &case);
            }
        }
    }
}

#[tokio::test]
async fn a_row_that_is_listed_days_late_is_found_when_its_hour_is_totalled_again() {
    for list in ListKind::ALL {
        let world = World::of_all_lists();
        world.run_for(hours(2)).await;
        let late = item(list, "late", world.clock.now().minus(minutes(30)));
        world.run_for(days(1)).await;
        world.list_item(&late);
        world.run_for(days(3)).await;
        assert_eq!(lost(&world, &[late]), Vec::<String>::new(), "{list}");
    }
}

/// Executes what waits for nothing.
fn completed<T>(future: impl Future<Output = T>) -> T {
    Run::of(&Steps::passing(), future).finish()
}

/// A world in which a run finds something in every list: rows on two pages, some of them behind what was recorded.
fn busy_world() -> World {
    completed(async {
        let world = World::of_all_lists();
        world.reconcile().await;
        world.clock.pass(hours(2));
        world.provider.now().page_size = 2;
        for list in ListKind::ALL {
            for nth in 0..3 {
                let one = item(list, &format!("{list}-{nth}"), world.clock.now().minus(minutes(20 + nth)));
                world.list_item(&one);
                if nth == 0 {
                    world.receive(one.webhook(one.at));
                }
            }
        }
        world
    })
}

#[derive(Debug, PartialEq)]
struct FinalState {
    ledger: Ledger,
    published: BTreeMap<String, usize>,
    read: BTreeMap<String, (Timestamp, bool)>,
}

fn end(world: &World) -> FinalState {
    world.process_queues();
    for _ in 0..3 {
        world.clock.pass(minutes(75));
        completed(world.reconcile());
    }
    let contents = world.table.contents.now();
    let read = contents.watermarks.iter().map(|(list, it)| (list.to_string(), (it.read_until, it.window.is_none())));
    FinalState { ledger: world.ledger(), published: published(world), read: read.collect() }
}

#[test]
fn wherever_a_run_over_all_lists_stops_the_next_one_reaches_the_right_state() {
    let (world, steps) = (busy_world(), Steps::passing());
    completed(world.reconciler_with(&steps).handle(world.deadline())).expect("a run");
    let expected = end(&world);
    assert!(expected.published.values().all(|times| *times == 1), "{:?}", expected.published);
    assert_eq!(expected.read.len(), ListKind::ALL.len());
    let reached: BTreeSet<String> = steps.reached().into_iter().collect();
    for list in ListKind::ALL {
        let list = fundhook_domain::ListId::new(&feed("zerohash"), list);
        assert!(reached.contains(&format!("before reading {list}")), "{list}: {reached:?}");
    }
    for (step, name) in steps.reached().iter().enumerate() {
        let (world, reached) = (busy_world(), Steps::default());
        let reconciler = world.reconciler_with(&reached);
        let mut run = Run::of(&reached, reconciler.handle(world.deadline()));
        assert!(run.pass(step).is_none(), "it crashes {name}");
        drop(run);
        assert_eq!(end(&world), expected, "crashed {name} (step {step})");

        let (world, reached) = (busy_world(), Steps::failing_at(step));
        let _ended = Run::of(&reached, world.reconciler_with(&reached).handle(world.deadline())).finish();
        assert_eq!(end(&world), expected, "failed {name} (step {step})");
    }
}
