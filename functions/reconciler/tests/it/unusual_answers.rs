//! Whatever the provider answers, nothing is lost: the watermark moves only past what was read.

use std::collections::BTreeSet;

use fundhook_domain::Timestamp;
use fundhook_ports::ListQuery;
use reconciler::{ListReadError, ReconcileError};

use crate::support::deposit::{TestDeposit, deposit};
use crate::support::provider::{ProviderRow, Reply};
use crate::support::{World, at, days, feed, hours, minutes};

/// A world whose list has three pages of five that were not read yet, dated `span` apart.
async fn filled(span: std::time::Duration) -> (World, Vec<TestDeposit>) {
    let world = World::new();
    world.provider.state.lock().page_size = 5;
    world.reconcile().await;
    world.clock.pass(span * 15 + minutes(16));
    let begins = at(crate::support::NOON);
    let all: Vec<TestDeposit> = (0..15).map(|nth| deposit(&format!("m-{nth:02}"), begins.plus(span * nth))).collect();
    all.iter().for_each(|deposit| world.list(deposit, true));
    world.provider.take_calls();
    (world, all)
}

fn lost(world: &World, all: &[TestDeposit]) -> Vec<String> {
    all.iter().filter(|deposit| world.status(deposit) != "confirmed").map(|deposit| deposit.id.clone()).collect()
}

/// Which pages were asked for since the last time.
fn pages(world: &World) -> Vec<u32> {
    let number = |query| match query {
        ListQuery::Dated { page, .. } => Some(page),
        ListQuery::Id(_) => None,
    };
    world.provider.take_calls().into_iter().filter_map(|call| number(call.query)).collect()
}

fn published_once(world: &World) -> bool {
    let contents = world.table.contents.lock();
    let ids: BTreeSet<&String> = contents.published.iter().map(|event| &event.id).collect();
    ids.len() == contents.published.len()
}

/// Rows that are dated in the last minutes of what is read, so that they come in front of what was listed before.
fn in_front(world: &World, count: u64) -> Vec<ProviderRow> {
    let newest = world.clock.now().minus(minutes(15));
    let nth =
        |nth: u64| deposit(&format!("front-{nth}"), newest.minus(std::time::Duration::from_secs(nth + 1))).row(true);
    (0..count).map(nth).collect()
}

#[tokio::test]
async fn after_a_page_that_could_not_be_read_the_next_run_goes_on_with_it() {
    // What an answer over HTTP is taken for is the client's matter: see the tests of connect-api.
    for (name, turn) in [
        ("a failure that may pass", Reply::Fails("no answer in time")),
        ("a failure that asking again would not mend", Reply::FailsForGood("HTML in place of JSON")),
    ] {
        for failing in 0..3_u32 {
            let (world, all) = filled(minutes(2)).await;
            let before = world.watermark("connect").read_until;
            let turns = (0..failing).map(|_| Reply::Normal).chain([turn.clone()]);
            world.provider.set_replies(turns);
            let failed = world.run().await.expect_err(name);
            assert!(matches!(failed, ReconcileError::List(_, ListReadError::Port(_))), "{name}: {failed:?}");
            world.process_queues();
            let watermark = world.watermark("connect");
            assert_eq!(watermark.read_until, before, "{name}: the watermark does not move past what was not read");
            assert_eq!(watermark.window.map(|window| window.next_page), (failing > 0).then_some(failing + 1));
            assert_eq!(lost(&world, &all).len(), [15, 10, 5][failing as usize], "{name}: what was read is recorded");
            let asked: Vec<u32> = (1..=failing + 1).collect();
            assert_eq!(pages(&world), asked, "{name}: and the provider is not asked again in this run");

            world.clock.pass(minutes(15));
            world.reconcile().await;
            assert_eq!(pages(&world), (failing + 1..=3).collect::<Vec<u32>>(), "{name}");
            assert!(lost(&world, &all).is_empty() && published_once(&world), "{name} at page {}", failing + 1);
        }
    }
}

#[tokio::test]
async fn odd_pages_lose_nothing() {
    // How many pages are asked for where the first, the second, the third is odd: one that others are said to follow is
    // not the last.
    for (name, turn, asked) in [
        ("an empty page", Reply::Empty, [3, 3, 3]),
        ("more pages said than there are", Reply::PageCount(7), [3, 3, 4]),
        ("each row twice", Reply::RowsTwice, [3, 3, 3]),
    ] {
        for (odd, asked) in asked.into_iter().enumerate() {
            let (world, all) = filled(minutes(2)).await;
            world.provider.set_replies((0..odd).map(|_| Reply::Normal).chain([turn.clone()]));
            world.reconcile().await;
            assert_eq!(pages(&world).len(), asked, "{name} at {odd}");
            world.clock.pass(minutes(15));
            world.reconcile().await;
            assert_eq!(lost(&world, &all), Vec::<String>::new(), "{name} at {odd}");
            assert!(published_once(&world), "{name} at {odd}");
            assert!(world.watermark("connect").window.is_none());
        }
    }
}

#[tokio::test]
async fn where_a_list_has_fewer_pages_than_it_had_the_reading_ends() {
    let (world, all) = filled(minutes(2)).await;
    world.provider.set_replies([Reply::Normal, Reply::AfterEmptying]);
    assert!(world.reconcile().await.complete);
    assert_eq!((pages(&world), world.watermark("connect").window), (vec![1, 2], None));
    assert_eq!(lost(&world, &all).len(), 10, "what is not listed any more is nobody's to heal");
}

#[tokio::test]
async fn a_page_that_was_empty_by_mistake_is_found_when_its_hours_are_added_up() {
    for odd in 0..3 {
        // Half an hour apart: most lie further back than the overlap by then.
        let (world, all) = filled(minutes(30)).await;
        world.provider.set_replies((0..odd).map(|_| Reply::Normal).chain([Reply::Empty]));
        world.reconcile().await;
        world.clock.pass(minutes(15));
        world.run_for(hours(6)).await;
        // The hour of the first run is not added up: what was published before there were receipts would not.
        let left: Vec<TestDeposit> =
            all.iter().filter(|deposit| deposit.at >= at("2025-10-07T13:00:00Z")).cloned().collect();
        assert_eq!(lost(&world, &left), Vec::<String>::new(), "page {}", odd + 1);
    }
}

#[tokio::test]
async fn rows_that_come_in_front_while_the_list_is_read_hide_none() {
    for filters_by_date in [true, false] {
        for (before_page, count) in [(1, 1), (1, 5), (1, 12), (2, 1), (2, 7)] {
            let (world, all) = filled(minutes(2)).await;
            world.provider.state.lock().filters_by_date = filters_by_date;
            let honest = (0..before_page).map(|_| Reply::Normal);
            world.provider.set_replies(honest.chain([Reply::AfterListing(in_front(&world, count))]));
            world.reconcile().await;
            assert_eq!(lost(&world, &all), Vec::<String>::new(), "{count} before page {before_page}");

            world.clock.pass(minutes(15));
            world.reconcile().await;
            let front: Vec<TestDeposit> =
                (0..count).map(|nth| deposit(&format!("front-{nth}"), at(crate::support::NOON))).collect();
            assert_eq!(lost(&world, &front), Vec::<String>::new(), "{count} before page {before_page}");
            assert!(published_once(&world));
        }
    }
}

#[tokio::test]
async fn the_same_between_a_run_that_stopped_and_the_next() {
    for filters_by_date in [true, false] {
        for (failing, count) in [(1, 3), (2, 3), (1, 11)] {
            let (world, all) = filled(minutes(2)).await;
            world.provider.state.lock().filters_by_date = filters_by_date;
            world.provider.set_replies((0..failing).map(|_| Reply::Normal).chain([Reply::Fails("it is down")]));
            assert!(world.run().await.is_err());
            world.process_queues();
            let front = in_front(&world, count);
            front.iter().for_each(|row| world.provider.list(&feed("connect"), row.clone()));
            for _ in 0..2 {
                world.clock.pass(minutes(15));
                world.reconcile().await;
            }
            let in_front: Vec<TestDeposit> = front.iter().map(|row| deposit(&row.id, row.at)).collect();
            assert_eq!(lost(&world, &[all, in_front].concat()), Vec::<String>::new(), "{count} at {failing}");
        }
    }
}

#[tokio::test]
async fn a_row_that_leaves_its_place_while_the_list_is_read_hides_none_for_long() {
    for before_page in 1..3 {
        let (world, all) = filled(minutes(30)).await;
        world.provider.set_replies((0..before_page).map(|_| Reply::Normal).chain([Reply::Fails("it is down")]));
        assert!(world.run().await.is_err());
        world.process_queues();
        // The newest is dated anew: all behind it move up by one, the first of the next page to a page that was read.
        world.list(&all[14].clone().arriving(world.clock.now()), true);
        world.clock.pass(minutes(15));
        world.reconcile().await;
        assert_eq!(lost(&world, &all).len(), 1, "the one that moved is not on the pages that are left");
        world.run_for(hours(6)).await;
        assert_eq!(lost(&world, &all), Vec::<String>::new(), "before page {before_page}");
        assert!(published_once(&world));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_the_page_is_read() {
    for refused in 0..3 {
        let (world, all) = filled(minutes(2)).await;
        world.provider.set_replies((0..refused).map(|_| Reply::Normal).chain([Reply::Unauthorized]));
        world.reconcile().await;
        assert!(lost(&world, &all).is_empty());
        let tokens: Vec<String> = world.provider.take_calls().into_iter().map(|call| call.token).collect();
        assert_eq!(tokens.len(), 4);
        assert_eq!(tokens.iter().filter(|token| *token == "first-of-connect").count(), refused + 1);
        assert_eq!(world.provider.state.lock().granted, 1);
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_even_tried() {
    let (world, all) = filled(minutes(2)).await;
    world.clock.pass(days(3650));
    all.iter().for_each(|deposit| world.list(&deposit.clone().arriving(world.clock.now().minus(hours(1))), true));
    world.reconcile().await;
    assert!(lost(&world, &all).is_empty());
    assert!(world.provider.take_calls().iter().all(|call| call.token == "granted-1"));
    assert_eq!(world.provider.state.lock().granted, 1);
}

#[tokio::test]
async fn a_provider_that_refuses_every_token_is_told_of_and_is_asked_for_few() {
    let (world, all) = filled(minutes(2)).await;
    let before = world.watermark("connect").read_until;
    {
        let mut state = world.provider.state.lock();
        state.accepts.clear();
        state.accepts_granted = false;
    }
    for run in 1..=5 {
        let failed = world.run().await.expect_err("it accepts no token");
        assert!(matches!(failed, ReconcileError::List(_, ListReadError::Unauthorized(_))), "{failed:?}");
        assert_eq!(world.provider.state.lock().granted, run, "one new token a run, and no storm");
        assert!(world.provider.take_calls().len() <= 2);
        world.clock.pass(minutes(15));
    }
    assert_eq!(world.watermark("connect").read_until, before);
    world.provider.state.lock().accepts_granted = true;
    world.reconcile().await;
    assert_eq!(lost(&world, &all), Vec::<String>::new());
}

#[tokio::test]
async fn days_without_an_answer_are_read_when_it_answers_again() {
    let world = World::new();
    world.reconcile().await;
    let dates = || (1..=60_u64).map(|hour| at(crate::support::NOON).plus(hours(hour)));
    let all: Vec<TestDeposit> =
        dates().zip(0..).map(|(at, nth): (Timestamp, u32)| deposit(&format!("m-{nth}"), at)).collect();
    all.iter().for_each(|deposit| world.list(deposit, true));
    world.provider.state.lock().down.insert(feed("connect"));
    for _ in 0..62 {
        world.clock.pass(hours(1));
        assert!(world.run().await.is_err());
    }
    world.provider.state.lock().down.clear();
    world.reconcile().await;
    assert!(lost(&world, &all).is_empty() && published_once(&world));
    world.run_for(hours(8)).await;
    let contents = world.table.contents.lock();
    assert!(contents.reports.len() > 60, "and each hour is added up: {}", contents.reports.len());
    for report in contents.reports.values() {
        let holds = report.lines.iter().all(fundhook_reconciliation::ControlTotalsLine::holds);
        assert!(holds && report.discrepancies.is_empty(), "only when what was queued has arrived: {report:#?}");
    }
}
