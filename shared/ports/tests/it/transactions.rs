//! The provider's list of transactions.

use std::time::Duration;

use fundhook_ports::fakes::{Clock, Fake, ListedTransaction, Reply, TokenService, TransactionApi};
use fundhook_ports::{Disposition, ListError, ListPage, ListQuery, ListTransactions, RequestToken};
use secrecy::SecretString;

use crate::{at, feed};

fn row(seconds: i64, id: &str) -> ListedTransaction {
    ListedTransaction { at: at(seconds), id: id.to_owned(), json: format!("{{\"fund_id\":\"{id}\"}}") }
}

/// A list of five rows in pages of two.
fn api() -> Fake<TransactionApi> {
    let feeds = ["connect", "connect/acme"].map(feed);
    let tokens = Fake::new(TokenService::new(Clock::at(at(0)), Duration::from_secs(3600), feeds));
    let api = Fake::<TransactionApi>::empty(2, &tokens);
    for (seconds, id) in [(0, "a"), (10, "b"), (20, "c"), (30, "d"), (40, "e"), (20, "c")] {
        api.list_row(&feed("connect"), row(seconds, id));
    }
    api
}

async fn token(api: &Fake<TransactionApi>, name: &str) -> SecretString {
    api.request(&feed(name)).await.expect("it is granted").access_token
}

#[tokio::test]
async fn pages_are_newest_first_and_hold_the_dates_that_were_asked_for() {
    let api = api();
    let good = token(&api, "connect").await;
    for (page, expected) in [(1, &["d", "c"][..]), (2, &["b"]), (3, &[])] {
        let query = ListQuery::Dated { from: at(10), before: at(40), page };
        let listed = api.list(&feed("connect"), &good, &query).await.expect("it is up");
        let rows: Vec<String> = expected.iter().map(|id| row(0, id).json).collect();
        assert_eq!((listed.rows, listed.pages), (rows, 2), "page {page}");
    }
    let one = api.list(&feed("connect"), &good, &ListQuery::Id("a".to_owned())).await.expect("it is up");
    assert_eq!((one.rows, one.pages), (vec![row(0, "a").json], 1));
    let of_acme = token(&api, "connect/acme").await;
    let others = api.list(&feed("connect/acme"), &of_acme, &ListQuery::Id("a".to_owned())).await;
    assert!(others.expect("it is up").rows.is_empty(), "each feed has its own list");
    assert_eq!(api.now().calls.len(), 5);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_told_apart_from_a_failure() {
    let (api, of) = (api(), feed("connect"));
    let (good, of_acme) = (token(&api, "connect").await, token(&api, "connect/acme").await);
    let list = async |token: &SecretString| api.list(&of, token, &ListQuery::Id("a".to_owned())).await;
    assert!(matches!(list(&"bad".into()).await, Err(ListError::Unauthorized(_))));
    assert!(matches!(list(&of_acme).await, Err(ListError::Unauthorized(_))), "it is another feed's");
    api.now().unanswered.insert(of.clone());
    assert!(matches!(list(&good).await, Err(ListError::Port(_))));
    api.now().unanswered.clear();
    api.now().unanswered_ids.insert("a".to_owned());
    assert!(matches!(list(&good).await, Err(ListError::Port(_))));
    api.now().unanswered_ids.clear();
    assert!(list(&good).await.is_ok());
    api.now().tokens.now().clock.set(at(3600));
    assert!(matches!(list(&good).await, Err(ListError::Unauthorized(_))), "it has expired");
}

#[tokio::test]
async fn each_reply_is_given_once_and_those_after_it_are_honest() {
    let rows = |names: &[&str]| Some(names.iter().map(|id| row(0, id).json).collect::<Vec<_>>());
    let query = ListQuery::Dated { from: at(0), before: at(20), page: 1 };
    for (reply, expected, next) in [
        (Reply::Honest, rows(&["b", "a"]), rows(&["b", "a"])),
        (Reply::Changed(|page| ListPage { rows: Vec::new(), ..page }), rows(&[]), rows(&["b", "a"])),
        (Reply::AfterListing(vec![row(15, "f")]), rows(&["f", "b"]), rows(&["f", "b"])),
        (Reply::AfterEmptying, rows(&[]), rows(&[])),
        (Reply::Fails(Disposition::DeadLetter), None, rows(&["b", "a"])),
        (Reply::Unauthorized, None, rows(&["b", "a"])),
    ] {
        let api = api();
        let good = token(&api, "connect").await;
        let list = async || api.list(&feed("connect"), &good, &query).await.ok().map(|page| page.rows);
        api.set_replies([reply.clone()]);
        assert_eq!(list().await, expected, "{reply:?}");
        assert_eq!(list().await, next, "after {reply:?}");
        assert_eq!(api.take_calls().len(), 2, "{reply:?}");
    }
}
