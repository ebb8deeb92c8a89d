//! Whatever the provider answers, nothing is lost: the watermark moves only past what was read.

use std::collections::BTreeSet;

use fundhook_ports::fakes::Reply;
use fundhook_ports::{Disposition, ListPage, ListQuery};
use reconciler::{ListReadError, ReconcileError};
use secrecy::ExposeSecret as _;

use crate::support::deposit::{TestDeposit, deposit};
use crate::support::{World, at, days, feed, hours, minutes, number, rows_twice};

/// A world whose list has three unread pages of five rows, dated `span` apart.
async fn filled(span: std::time::Duration) -> (World, Vec<TestDeposit>) {
    let world = World::new();
    world.provider.now().page_size = 5;
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

/// The pages that were requested since the last call.
fn pages(world: &World) -> Vec<u32> {
    let number = |query| match query {
        ListQuery::Dated { page, .. } | ListQuery::Whole { page } => Some(number(&page)),
        ListQuery::Id(_) => None,
    };
    world.provider.take_calls().into_iter().filter_map(|call| number(call.query)).collect()
}

/// The page without its rows.
fn without_rows(page: ListPage) -> ListPage {
    ListPage { rows: Vec::new(), ..page }
}

fn published_once(world: &World) -> bool {
    let table = world.table.resources.now();
    let ids: BTreeSet<&String> = table.published.iter().map(|event| &event.id).collect();
    ids.len() == table.published.len()
}

/// Rows that are dated in the last minutes of the window, so that they precede the rows that were listed before.
#[tokio::test]
async fn a_page_that_could_not_be_read_is_read_by_the_next_run() {
    // How an HTTP answer is classified is tested in connect-api.
    for (name, reply) in [
        ("a failure that may pass", Reply::Fails(Disposition::Retry)),
        ("a failure that a retry does not fix", Reply::Fails(Disposition::DeadLetter)),
    ] {
        for failing in 0..3_u32 {
            let (world, all) = filled(minutes(2)).await;
            let before = world.watermark("connect").read_until;
            let replies = (0..failing).map(|_| Reply::Honest).chain([reply.clone()]);
            world.provider.set_replies(replies);
            let failed = world.run().await.expect_err(name);
            assert!(matches!(failed, ReconcileError::List(_, ListReadError::Port(_))), "{name}: {failed:?}");
            world.process_queues();
            let watermark = world.watermark("connect");
            assert_eq!(watermark.read_until, before, "{name}: the watermark stays before the unread page");
            assert_eq!(watermark.window.map(|window| number(&window.next_page)), (failing > 0).then_some(failing + 1));
            assert_eq!(lost(&world, &all).len(), [15, 10, 5][failing as usize], "{name}: what was read is recorded");
            let asked: Vec<u32> = (1..=failing + 1).collect();
            assert_eq!(pages(&world), asked, "{name}: the provider is not asked again in this run");

            world.clock.pass(minutes(15));
            world.reconcile().await;
            assert_eq!(pages(&world), (failing + 1..=3).collect::<Vec<u32>>(), "{name}");
            assert!(lost(&world, &all).is_empty() && published_once(&world), "{name} at page {}", failing + 1);
        }
    }
}

#[tokio::test]
async fn unusual_pages_lose_nothing() {
    // How many pages are requested if the first, second or third is unusual. An empty page is not the last one while
    // the count of pages says that others follow.
    for (name, reply, asked) in [
        ("an empty page", Reply::Changed(without_rows), [3, 3, 3]),
        ("a count of pages that is too high", Reply::NotTheLast, [3, 3, 4]),
        ("each row twice", Reply::Changed(rows_twice), [3, 3, 3]),
    ] {
        for (unusual, asked) in asked.into_iter().enumerate() {
            let (world, all) = filled(minutes(2)).await;
            world.provider.set_replies((0..unusual).map(|_| Reply::Honest).chain([reply.clone()]));
            world.reconcile().await;
            assert_eq!(pages(&world).len(), asked, "{name} at {unusual}");
            world.clock.pass(minutes(15));
            world.reconcile().await;
            assert_eq!(lost(&world, &all), Vec::<String>::new(), "{name} at {unusual}");
            assert!(published_once(&world), "{name} at {unusual}");
            assert!(world.watermark("connect").window.is_none());
        }
    }
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once_and_the_page_is_read() {
    for refused in 0..3 {
        let (world, all) = filled(minutes(2)).await;
        world.provider.set_replies((0..refused).map(|_| Reply::Honest).chain([Reply::Unauthorized]));
        world.reconcile().await;
        assert!(lost(&world, &all).is_empty());
        let tokens: Vec<String> = world.provider.take_calls().into_iter().map(|call| call.token).collect();
        assert_eq!(tokens.len(), 4);
        assert_eq!(tokens.iter().filter(|token| **token == tokens[0]).count(), refused + 1);
        assert_eq!(world.tokens.requests(), 1);
    }
}

#[tokio::test]
async fn an_expired_token_is_not_tried() {
    let (world, all) = filled(minutes(2)).await;
    world.clock.pass(days(3650));
    all.iter().for_each(|deposit| world.list(&deposit.clone().arriving(world.clock.now().minus(hours(1))), true));
    world.reconcile().await;
    assert!(lost(&world, &all).is_empty());
    let new = world.tokens.now().stored[&feed("connect")].access_token.clone();
    assert!(world.provider.take_calls().iter().all(|call| call.token == new.expose_secret()));
    assert_eq!(world.tokens.requests(), 1);
}

#[tokio::test]
async fn a_provider_that_rejects_every_token_is_an_error_and_gets_one_token_request_a_run() {
    let (world, all) = filled(minutes(2)).await;
    let before = world.watermark("connect").read_until;
    world.provider.set_replies(std::iter::repeat_n(Reply::Unauthorized, 100));
    for run in 1..=5 {
        let failed = world.run().await.expect_err("the provider accepts no token");
        assert!(matches!(failed, ReconcileError::List(_, ListReadError::Unauthorized(_))), "{failed:?}");
        assert_eq!(world.tokens.requests(), run, "one new token in each run");
        assert!(world.provider.take_calls().len() <= 2);
        world.clock.pass(minutes(15));
    }
    assert_eq!(world.watermark("connect").read_until, before);
    world.provider.set_replies([]);
    world.tokens.revoke_stored(&feed("connect"));
    world.reconcile().await;
    assert_eq!(lost(&world, &all), Vec::<String>::new());
}
