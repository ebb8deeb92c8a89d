//! What holds of every list: each is read from its own watermark, and whatever happens, nothing in it is lost or counted
//! twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_domain::{Direction, LedgerAccount, ListId, ListKind, Posting, Timestamp};
use fundhook_ports::fakes::{Reply, Steps};
use fundhook_ports::{Disposition, ListPage};
use fundhook_reconciliation::Watermark;
use serde_json::json;

use crate::support::deposit::deposit;
use crate::support::item::{Item, item};
use crate::support::steps::{completed, paused_at_each, stopped_at_each};
use crate::support::{Ledger, World, at, days, feed, hours, minutes, rows_twice};

/// Lets so much time pass that a list which is read whole is due again.
fn wait_for(world: &World, list: ListKind) {
    world.clock.pass(if list.is_dated() { minutes(15) } else { days(1) });
}

/// Totals the hours in which a list was read; a list that has no totals is read again.
async fn read_again(world: &World, list: ListKind) {
    if list.is_dated() {
        return world.run_for(hours(6)).await;
    }
    world.clock.pass(days(1));
    world.reconcile().await;
}

/// A world in which one list has three unread pages of five rows, dated `span` apart.
async fn filled(list: ListKind, span: Duration) -> (World, Vec<Item>) {
    let world = World::of_all_lists();
    world.provider.now().page_size = 5;
    world.reconcile().await;
    // The hour of the first run is not totalled.
    world.clock.pass(hours(1) + span * 15 + minutes(1));
    wait_for(&world, list);
    let begins = at(crate::support::NOON).plus(hours(1));
    let all: Vec<Item> = (0..15).map(|nth| item(list, &format!("m-{nth:02}"), begins.plus(span * nth))).collect();
    all.iter().for_each(|item| world.list_item(item));
    world.provider.take_calls();
    (world, all)
}

fn lost(world: &World, all: &[Item]) -> Vec<String> {
    all.iter().filter(|item| world.status_of(&item.resource()) != item.end()).map(|item| item.id.clone()).collect()
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
        wait_for(&world, list);
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
            assert_eq!(world.status_of(&one.resource()), one.end(), "{case}");
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
            let honest = (0..failing).map(|_| Reply::Honest);
            world.provider.set_replies_of(&all[0].list(), honest.chain([Reply::Fails(Disposition::Retry)]));
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

/// Items that are newer than all others, and old enough to be read.
fn in_front(world: &World, list: ListKind, count: u64) -> Vec<Item> {
    let newest = world.clock.now().minus(minutes(15));
    (0..count).map(|nth| item(list, &format!("front-{nth}"), newest.minus(Duration::from_secs(nth + 1)))).collect()
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
                let honest = (0..unusual).map(|_| Reply::Honest);
                world.provider.set_replies_of(&all[0].list(), honest.chain([reply.clone()]));
                world.reconcile().await;
                read_again(&world, list).await;
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
                world.provider.now().ignores_dates = ignores_dates;
                let front = in_front(&world, list, count);
                let honest = (0..before_page).map(|_| Reply::Honest);
                let rows = front.iter().map(Item::row).collect();
                // Rows are added to the list that is asked for: the first one.
                world.provider.set_replies_of(&all[0].list(), honest.chain([Reply::AfterListing(rows)]));
                world.reconcile().await;
                let case = format!("{list}, {count} before page {before_page}, ignores dates: {ignores_dates}");
                assert_eq!(lost(&world, &all), Vec::<String>::new(), "{case}");
                wait_for(&world, list);
                world.reconcile().await;
                assert_eq!(lost(&world, &front), Vec::<String>::new(), "{case}");
                assert_published_once(&world, &case);
            }
        }
    }
}

#[tokio::test]
async fn reading_ends_when_a_list_has_become_shorter() {
    for list in ListKind::ALL {
        let (world, all) = filled(list, minutes(2)).await;
        world.provider.set_replies_of(&all[0].list(), [Reply::Honest, Reply::AfterEmptying]);
        assert!(world.reconcile().await.complete, "{list}");
        assert_eq!((requests(&world, list), world.watermark_of(&all[0].list()).window), (2, None), "{list}");
        assert_eq!(lost(&world, &all).len(), 10, "{list}: rows that are no longer listed cannot be queued");
    }
}

#[tokio::test]
async fn rows_of_a_page_that_was_wrongly_empty_are_found_although_they_lie_further_back_than_the_overlap() {
    for list in ListKind::ALL {
        for unusual in 0..3 {
            let (world, all) = filled(list, minutes(30)).await;
            let honest = (0..unusual).map(|_| Reply::Honest);
            world.provider.set_replies_of(&all[0].list(), honest.chain([Reply::Changed(without_rows)]));
            world.reconcile().await;
            read_again(&world, list).await;
            assert_eq!(lost(&world, &all), Vec::<String>::new(), "{list}, page {}", unusual + 1);
        }
    }
}

#[tokio::test]
async fn rows_that_are_added_between_a_stopped_run_and_the_next_hide_no_others() {
    for list in ListKind::ALL {
        for ignores_dates in [false, true] {
            for (failing, count) in [(1, 3), (2, 3), (1, 11)] {
                let (world, all) = filled(list, minutes(2)).await;
                world.provider.now().ignores_dates = ignores_dates;
                let honest = (0..failing).map(|_| Reply::Honest);
                world.provider.set_replies_of(&all[0].list(), honest.chain([Reply::Fails(Disposition::Retry)]));
                assert!(world.run().await.is_err(), "{list}");
                world.process_queues();
                let front = in_front(&world, list, count);
                front.iter().for_each(|item| world.list_item(item));
                world.clock.pass(minutes(15));
                world.reconcile().await;
                wait_for(&world, list);
                world.reconcile().await;
                let case = format!("{list}, {count} at {failing}");
                assert_eq!(lost(&world, &[all, front].concat()), Vec::<String>::new(), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_row_that_changes_its_place_while_a_list_is_read_hides_another_for_some_hours_only() {
    for list in ListKind::ALL {
        for before_page in 1..3 {
            let (world, all) = filled(list, minutes(30)).await;
            let honest = (0..before_page).map(|_| Reply::Honest);
            world.provider.set_replies_of(&all[0].list(), honest.chain([Reply::Fails(Disposition::Retry)]));
            assert!(world.run().await.is_err(), "{list}");
            world.process_queues();
            // The newest row gets a new date. All others move up by one, and the first row of the next page moves to a page
            // that was already read.
            world.list_item(&Item { at: world.clock.now(), ..all[14].clone() });
            world.clock.pass(minutes(15));
            world.reconcile().await;
            // A list that is read whole has the row still, as its first one.
            let hidden = usize::from(list.is_dated());
            assert_eq!(lost(&world, &all).len(), hidden, "{list}: the row that moved is not on the remaining pages");
            read_again(&world, list).await;
            assert_eq!(lost(&world, &all), Vec::<String>::new(), "{list}, before page {before_page}");
        }
    }
}

#[tokio::test]
async fn days_without_an_answer_are_read_when_the_provider_answers_again() {
    for list in ListKind::ALL {
        let world = World::of_all_lists();
        world.reconcile().await;
        let dates = (1..=60_u64).map(|hour| at(crate::support::NOON).plus(hours(hour)));
        let all: Vec<Item> = dates.zip(0..).map(|(at, nth): (_, u32)| item(list, &format!("m-{nth}"), at)).collect();
        all.iter().for_each(|item| world.list_item(item));
        world.provider.now().unanswered.insert(feed(list.provider().as_str()));
        for _ in 0..62 {
            world.clock.pass(hours(1));
            assert!(world.run().await.is_err(), "{list}");
        }
        world.provider.now().unanswered.clear();
        world.reconcile().await;
        assert_eq!(lost(&world, &all), Vec::<String>::new(), "{list}");
        assert_published_once(&world, list.as_str());
        world.run_for(hours(8)).await;
        let contents = world.table.contents.now();
        let reports: Vec<_> = contents.reports.values().filter(|report| report.list == list).collect();
        assert_eq!(reports.len() > 60, list.is_dated(), "{list}: every hour is totalled: {}", reports.len());
        for report in reports {
            let holds = report.lines.iter().all(fundhook_reconciliation::ControlTotalsLine::holds);
            assert!(
                holds && report.discrepancies.is_empty(),
                "{list}: an hour is totalled only after its queued rows are recorded: {report:#?}"
            );
        }
    }
}

/// The webhook which denies that the money of this item moved.
fn denied(item: &Item) -> String {
    let fund = "Travel Rule-based account match failed";
    match item.list {
        ListKind::ConnectTransactions => deposit(&item.id, item.at).webhook("failed", item.at),
        ListKind::FundTransactions => item.webhook_with(&[("success", json!(false)), ("status_reason", json!(fund))]),
        ListKind::Deposits => item.webhook_with(&[("state", json!("recovery_quarantine"))]),
        ListKind::Payments => item.webhook_with(&[("status", json!("failed"))]),
        ListKind::BankPayments => item.webhook_with(&[("payment_status", json!("rejected"))]),
        ListKind::Participants | ListKind::ExternalAccounts | ListKind::Accounts => {
            unreachable!("no money moves in {}", item.list)
        }
    }
}

#[tokio::test]
async fn a_list_that_tells_what_a_webhook_denies_never_credits_by_itself() {
    for list in ListKind::ALL.into_iter().filter(|list| list.is_dated()) {
        let world = World::of_all_lists();
        let one = item(list, "one", at(crate::support::NOON).minus(hours(1)));
        world.receive(denied(&one));
        // What conflicts is booked as held, which is to the customer's disadvantage.
        let credited = || {
            let resource = world.resource(&one.resource());
            let postings = resource.view().expect("it is recorded").books(resource.id()).postings();
            let is_credited = |it: &&Posting| {
                it.direction == Direction::Credit && matches!(it.ledger_account, LedgerAccount::Customer(_))
            };
            postings.iter().filter(is_credited).cloned().collect::<Vec<_>>()
        };
        let (status, booked) = (world.status_of(&one.resource()), credited());
        assert_ne!(status, "confirmed", "{list}");
        world.list_item(&one);
        world.run_for(days(4)).await;
        assert_eq!(credited(), booked, "{list}: {:?}", world.published(&one.resource()));
        let events = world.published(&one.resource());
        let is_told = events.iter().filter(|event| event.ends_with(".conflicting")).count();
        assert_eq!(is_told, 1, "{list}: a person has to decide: {events:?}");
        assert!(events.iter().all(|event| !event.ends_with(".confirmed")), "{list}: {events:?}");
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

/// A world in which a run finds something in every list: rows on two pages, some of them behind what was recorded.
fn busy_world() -> World {
    completed(async {
        let world = World::of_all_lists();
        world.reconcile().await;
        world.clock.pass(hours(2));
        // As if they had never been read, so that they are due.
        world.table.contents.now().watermarks.retain(|list, _| list.kind().is_dated());
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
    read: BTreeMap<String, (Option<Timestamp>, bool)>,
}

fn end(world: &World) -> FinalState {
    world.process_queues();
    for _ in 0..3 {
        world.clock.pass(minutes(75));
        completed(world.reconcile());
    }
    let contents = world.table.contents.now();
    // How far a list was read that is read whole depends on the run that read it.
    let read_until = |list: &ListId, it: &Watermark| list.kind().is_dated().then_some(it.read_until);
    let read =
        contents.watermarks.iter().map(|(list, it)| (list.to_string(), (read_until(list, it), it.window.is_none())));
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
        let list = ListId::new(&feed("zerohash"), list);
        assert!(reached.contains(&format!("before reading {list}")), "{list}: {reached:?}");
    }
    stopped_at_each(&steps.reached(), busy_world, |world, what| assert_eq!(end(world), expected, "{what}"));
}

#[test]
fn another_run_over_all_lists_may_begin_and_end_while_one_pauses_at_any_step() {
    let (world, steps) = (busy_world(), Steps::passing());
    completed(world.reconciler_with(&steps).handle(world.deadline())).expect("a run");
    let expected = end(&world);
    paused_at_each(&steps.reached(), busy_world, |world, what| assert_eq!(end(world), expected, "{what}"));
}
