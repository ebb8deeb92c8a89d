//! The providers' lists.

use std::time::Duration;

use fundhook_domain::{ListId, ListKind};
use fundhook_ports::fakes::{ApiRow, Clock, Fake, ListApi, Reply, TokenService};
use fundhook_ports::{Disposition, ListError, ListPage, ListQuery, ListSigned, ListWithToken, RequestToken};
use fundhook_reconciliation::PageKey;
use secrecy::SecretString;

use crate::{at, feed};

fn row(seconds: i64, id: &str) -> ApiRow {
    ApiRow { at: at(seconds), id: id.to_owned(), json: format!("{{\"fund_id\":\"{id}\"}}") }
}

/// A list of five rows in pages of two.
fn api() -> Fake<ListApi> {
    let feeds = ["connect", "connect/acme"].map(feed);
    let tokens = Fake::new(TokenService::new(Clock::at(at(0)), Duration::from_secs(3600), feeds));
    let api = Fake::<ListApi>::empty(2, &tokens);
    for (seconds, id) in [(0, "a"), (10, "b"), (20, "c"), (30, "d"), (40, "e"), (20, "c")] {
        api.list_row(&transactions("connect"), row(seconds, id));
    }
    api
}

fn transactions(of: &str) -> ListId {
    ListId::new(&feed(of), ListKind::ConnectTransactions)
}

async fn token(api: &Fake<ListApi>, name: &str) -> SecretString {
    api.request(&feed(name)).await.expect("it is granted").access_token
}

#[tokio::test]
async fn pages_are_newest_first_and_hold_the_dates_that_were_asked_for() {
    let api = api();
    let good = token(&api, "connect").await;
    for (page, expected) in [(1, &["d", "c"][..]), (2, &["b"]), (3, &[])] {
        let query = ListQuery::Dated { from: at(10), before: at(40), page: PageKey::Number(page) };
        let listed = ListWithToken::list(&api, &transactions("connect"), &good, &query).await.expect("it is up");
        let rows: Vec<String> = expected.iter().map(|id| row(0, id).json).collect();
        assert_eq!((listed.rows, listed.next), (rows, (page == 1).then_some(PageKey::Number(2))), "page {page}");
    }
    let one = ListWithToken::list(&api, &transactions("connect"), &good, &ListQuery::Id("a".to_owned()))
        .await
        .expect("it is up");
    assert_eq!((one.rows, one.next), (vec![row(0, "a").json], None));
    let of_acme = token(&api, "connect/acme").await;
    let others =
        ListWithToken::list(&api, &transactions("connect/acme"), &of_acme, &ListQuery::Id("a".to_owned())).await;
    assert!(others.expect("it is up").rows.is_empty(), "each feed has its own list");
    assert_eq!(api.now().calls.len(), 5);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_told_apart_from_a_failure() {
    let (api, of) = (api(), transactions("connect"));
    let (good, of_acme) = (token(&api, "connect").await, token(&api, "connect/acme").await);
    let list = async |token: &SecretString| ListWithToken::list(&api, &of, token, &ListQuery::Id("a".to_owned())).await;
    assert!(matches!(list(&"bad".into()).await, Err(ListError::Unauthorized(_))));
    assert!(matches!(list(&of_acme).await, Err(ListError::Unauthorized(_))), "it is another feed's");
    api.now().unanswered.insert(of.feed().clone());
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
    let query = ListQuery::Dated { from: at(0), before: at(20), page: PageKey::FIRST };
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
        let list = async || {
            ListWithToken::list(&api, &transactions("connect"), &good, &query).await.ok().map(|page| page.rows)
        };
        api.set_replies([reply.clone()]);
        assert_eq!(list().await, expected, "{reply:?}");
        assert_eq!(list().await, next, "after {reply:?}");
        assert_eq!(api.take_calls().len(), 2, "{reply:?}");
    }
}

#[tokio::test]
async fn a_signed_request_needs_credentials_and_a_list_of_deposits_has_cursors() {
    let (api, deposits) = (api(), ListId::new(&feed("zerohash"), ListKind::Deposits));
    for nth in 0..5 {
        api.list_row(&deposits, row(nth, &nth.to_string()));
    }
    let query = |page| ListQuery::Dated { from: at(0), before: at(40), page };
    assert!(ListSigned::list(&api, &deposits, &query(PageKey::FIRST)).await.is_err(), "it has no credentials");
    api.now().signing.insert(feed("zerohash"));
    assert!(api.lists().await.expect("it is up").contains(&deposits));
    let (mut next, mut pages) = (Some(PageKey::FIRST), Vec::new());
    while let Some(key) = next {
        let page = ListSigned::list(&api, &deposits, &query(key)).await.expect("it is up");
        assert!(!matches!(page.next, Some(PageKey::Number(_))));
        pages.push(page.rows.len());
        next = page.next;
    }
    assert_eq!(pages, [2, 2, 1]);
}
