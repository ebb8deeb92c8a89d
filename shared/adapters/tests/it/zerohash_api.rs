//! zerohash's API for the organizations with stored credentials: each list, by dates, by cursor and by id.

use fundhook_adapters::{ZerohashApi, ZerohashApiConfig};
use fundhook_domain::{Feed, ListId, ListKind, Timestamp};
use fundhook_ports::{Disposition, ListPage, ListQuery, ListSigned, PortError, chain};
use fundhook_reconciliation::PageKey;

use crate::support::at;
use crate::support::server::{Answer, Server};
use crate::support::vault::{SECRET_ID, Vault};

/// The bytes 00 to 1f in base64.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn credentials() -> String {
    format!(
        r#"{{"default":{{"api_key":"canary-key-1","passphrase":"canary-pass-1","secret":"{KEY}"}},
        "acme":{{"api_key":"canary-key-2","passphrase":"canary-pass-2","secret":"{KEY}"}}}}"#
    )
}

fn clock() -> Timestamp {
    at(0)
}

fn list(feed: &str, kind: ListKind) -> ListId {
    ListId::new(&feed.parse::<Feed>().expect("a feed"), kind)
}

struct World {
    vault: Vault,
    provider: Server,
    api: ZerohashApi,
}

impl World {
    async fn with(options: &str, answer: Answer) -> Self {
        let (vault, provider) = (Vault::holding(credentials()).await, Server::always(answer).await);
        let api = ZerohashApi::new(&vault.aws, config(&provider.url, options)).expect("valid settings");
        Self { vault, provider, api }
    }

    async fn answering(body: &str) -> Self {
        Self::with("{}", Answer::json(200, body)).await
    }

    async fn page(&self, kind: ListKind, page: PageKey) -> Result<ListPage, PortError> {
        let query = ListQuery::Dated { from: at(0), before: at(900), page };
        self.api.list(&list("zerohash", kind), &query).await
    }

    async fn by_id(&self, kind: ListKind, id: &str) -> Result<ListPage, PortError> {
        self.api.list(&list("zerohash", kind), &ListQuery::Id(id.to_owned())).await
    }
}

fn config(url: &str, options: &str) -> ZerohashApiConfig {
    ZerohashApiConfig {
        base_url: url.to_owned(),
        options: options.to_owned(),
        credentials_secret_id: SECRET_ID.to_owned(),
        clock,
    }
}

#[tokio::test]
async fn each_list_is_requested_by_dates_as_documented_and_says_what_comes_next() {
    let row = r#"{"id" : "a",  "n":119078888888888888887.10}"#;
    let numbered = format!(r#"{{"message":[{row}],"page":1,"total_pages":3}}"#);
    let cursor = format!(r#"{{"message":[{row}],"pagination":{{"nextCursor":"c-2"}}}}"#);
    let short = format!(r#"{{"message":[{row}],"total":1}}"#);
    for (kind, body, path, parameters, next) in [
        (
            ListKind::FundTransactions,
            &numbered,
            "/fund/transactions",
            vec!["page=1", "page_size=50", "deposit_timestamp_gte=1759866290000", "deposit_timestamp_lt=1759867190000"],
            Some(PageKey::Number(2)),
        ),
        (
            ListKind::Deposits,
            &cursor,
            "/deposits/crypto",
            vec!["limit=100", "from_timestamp=2025-10-07T19%3A44%3A50Z", "to_timestamp=2025-10-07T19%3A59%3A50Z"],
            Some(PageKey::Cursor("c-2".to_owned())),
        ),
        (
            ListKind::Payments,
            &short,
            "/payments",
            vec!["page=1", "size=50", "start_date=1759866290", "end_date=1759867190"],
            None,
        ),
        (
            ListKind::BankPayments,
            &short,
            "/payments/status",
            vec!["page=1", "size=200", "start_date=1759866290", "end_date=1759867190"],
            None,
        ),
    ] {
        let world = World::answering(body).await;
        let page = world.page(kind, PageKey::FIRST).await.expect("a page");
        let url = format!("{}{path}", world.provider.url);
        assert_eq!(page, ListPage { rows: vec![row.to_owned()], next, url }, "{kind}: each row is verbatim");
        let asked = world.provider.asked_once();
        let line = asked
            .line()
            .strip_prefix(&format!("GET {path}?"))
            .unwrap_or_else(|| unreachable!("{kind}: {}", asked.line()));
        let sent: Vec<&str> = line.split('&').collect();
        for parameter in parameters {
            assert!(sent.contains(&parameter), "{kind}: {parameter} is not in {sent:?}");
        }
        assert_eq!(asked.header("x-scx-api-key"), Some("canary-key-1"), "{kind}");
        assert_eq!(asked.header("x-scx-timestamp"), Some("1759866290"), "{kind}: signed at the time of the call");
    }
}

#[tokio::test]
async fn a_list_without_dates_is_requested_whole_and_its_rows_have_no_personal_data() {
    let row =
        r#"{"status":"locked", "email":"ada@example.com","last_name":"Lovelace","balance":0.10,"account_number":"42"}"#;
    let kept = r#"{"balance":0.10,"status":"locked"}"#;
    let numbered = format!(r#"{{"message":[{row}],"page":2,"total_pages":3}}"#);
    let short = format!(r#"{{"message":[{row}],"count":1}}"#);
    for (kind, body, line, next) in [
        (ListKind::Participants, &numbered, "GET /participants?page=2", Some(PageKey::Number(3))),
        (ListKind::ExternalAccounts, &short, "GET /payments/external_accounts?page=2&size=200", None),
        (ListKind::Accounts, &numbered, "GET /accounts?page=2", Some(PageKey::Number(3))),
    ] {
        let world = World::answering(body).await;
        let query = ListQuery::Whole { page: PageKey::Number(2) };
        let page = world.api.list(&list("zerohash", kind), &query).await.expect("a page");
        let url = format!("{}{}", world.provider.url, kind.path());
        assert_eq!(page, ListPage { rows: vec![kept.to_owned()], next, url }, "{kind}");
        assert_eq!(world.provider.asked_once().line(), line);
    }
}

#[tokio::test]
async fn a_row_that_is_no_object_and_an_account_that_no_webhook_tells_are_left_out() {
    let rows = r#"{"account_type":"payable"},["ada@example.com"],{"account_type":"available"}"#;
    let world = World::answering(&format!(r#"{{"message":[{rows}],"page":1,"total_pages":1}}"#)).await;
    let whole = ListQuery::Whole { page: PageKey::FIRST };
    let page = world.api.list(&list("zerohash", ListKind::Accounts), &whole).await.expect("a page");
    assert_eq!(page.rows, [r#"{"account_type":"available"}"#]);
}

#[tokio::test]
async fn a_page_is_requested_by_its_number_or_its_cursor() {
    for (kind, body, page, parameter) in [
        (ListKind::FundTransactions, r#"{"message":[],"page":3,"total_pages":3}"#, PageKey::Number(3), "page=3"),
        (ListKind::Deposits, r#"{"message":[]}"#, PageKey::Cursor("c 2".to_owned()), "cursor=c+2"),
        (ListKind::Payments, r#"{"message":[]}"#, PageKey::Number(2), "page=2"),
    ] {
        let world = World::answering(body).await;
        let listed = world.page(kind, page).await.expect("a page");
        assert_eq!((listed.rows.len(), listed.next), (0, None), "{kind}");
        let asked = world.provider.asked_once();
        assert!(asked.line().split(['?', '&']).any(|sent| sent == parameter), "{kind}: {}", asked.line());
    }
}

#[tokio::test]
async fn one_row_is_requested_by_its_id_and_an_unknown_id_is_not_listed() {
    let one = r#"{"message":{"payment_id":"p-1"}}"#;
    let many = r#"{"message":[{"fund_id":"f-1"}],"page":1,"total_pages":1}"#;
    for (kind, body, line, rows) in [
        (ListKind::Payments, one, "GET /payments/p-1", vec![r#"{"payment_id":"p-1"}"#]),
        (
            ListKind::FundTransactions,
            many,
            "GET /fund/transactions?page=1&page_size=50&fund_id=p-1",
            vec![r#"{"fund_id":"f-1"}"#],
        ),
        (
            ListKind::BankPayments,
            r#"{"message":[{"transaction_id":"p-1"}]}"#,
            // Without dates, this list has the last day only. 2025-06-29 to 2025-10-07.
            "GET /payments/status?page=1&size=200&start_date=1751226290&end_date=1759866290&transaction_id=p-1",
            vec![r#"{"transaction_id":"p-1"}"#],
        ),
    ] {
        let world = World::answering(body).await;
        assert_eq!(world.by_id(kind, "p-1").await.expect("a page").rows, rows, "{kind}");
        assert_eq!(world.provider.asked()[0].line(), line, "{kind}");
    }
    // Users' accounts at banks and balances cannot be asked for by an id.
    let asked = ListKind::of(fundhook_domain::Provider::Zerohash)
        .filter(|kind| !matches!(kind, ListKind::ExternalAccounts | ListKind::Accounts));
    for kind in asked {
        for (status, is_unlisted) in [(400, true), (404, true), (422, true), (500, false)] {
            let world = World::with("{}", Answer::json(status, r#"{"error":"no such thing"}"#)).await;
            let listed = world.by_id(kind, "nowhere").await;
            let found = listed.ok().map(|page| (page.rows, page.next));
            assert_eq!(found, is_unlisted.then(|| (vec![], None)), "{kind} {status}");
        }
    }
}

/// A provider that lists 120 payments by a bank, and answers requests for their histories with `histories`.
async fn listing_bank_payments(options: &str, histories: Answer) -> (World, String) {
    let rows = (1..=120).map(|nth| format!(r#"{{"transaction_id":"t-{nth}", "amount":0.10}}"#));
    let rows = rows.chain([r#"{"id":"of no payment"}"#.to_owned()]).collect::<Vec<_>>().join(",");
    let page = Answer::json(200, format!(r#"{{"message":[{rows}],"count":121}}"#));
    let provider = Server::answering(move |asked| match asked.line().contains("/payments/history") {
        true => histories.clone(),
        false => page.clone(),
    });
    let (vault, provider) = (Vault::holding(credentials()).await, provider.await);
    let api = ZerohashApi::new(&vault.aws, config(&provider.url, options)).expect("valid settings");
    (World { vault, provider, api }, rows)
}

#[tokio::test]
async fn payments_by_a_bank_come_with_their_histories_if_these_can_be_read() {
    let steps = r#"[{"status":"posted","timestamp":"2025-10-07T19:44:50Z"}]"#;
    let told = format!(r#"{{"message":[{{"transaction_id":"t-2","status_history":{steps}}},7,{{}}]}}"#);
    let joined = format!(r#"{{"transaction_id":"t-2", "amount":0.10,"status_history":{steps}}}"#);
    for (options, histories, is_joined, requests) in [
        ("{}", Answer::json(200, told.as_str()), true, 4),
        ("{}", Answer::json(403, r#"{"error":"not permitted"}"#), false, 2),
        ("{}", Answer::json(200, "no page"), false, 2),
        (r#"{"payment_histories":false}"#, Answer::json(200, told.as_str()), false, 1),
    ] {
        let (world, rows) = listing_bank_payments(options, histories).await;
        let page = world.page(ListKind::BankPayments, PageKey::FIRST).await.expect("a page");
        let expected = match is_joined {
            true => rows.replace(r#"{"transaction_id":"t-2", "amount":0.10}"#, &joined),
            false => rows,
        };
        assert_eq!(page.rows.join(","), expected, "{options}");
        let asked = world.provider.asked();
        assert_eq!(asked.len(), requests, "{options}");
        for asked in asked.iter().skip(1) {
            let named = asked.line().split(['?', '&']).filter(|sent| sent.starts_with("transaction_ids=t-")).count();
            assert!((20..=50).contains(&named), "{}", asked.line());
        }
    }
    let (world, _) = listing_bank_payments("{}", Answer::json(200, told)).await;
    let rows = world.by_id(ListKind::BankPayments, "t-2").await.expect("a page").rows;
    assert!(rows.contains(&joined), "one that is asked for by its id has its history too");
}

#[tokio::test]
async fn the_lists_of_every_organization_with_valid_credentials_are_known() {
    let world = World::answering("{}").await;
    let lists = world.api.lists().await.expect("the secret is read");
    assert_eq!(lists.len(), 14, "seven lists of two organizations");
    assert!(lists.contains(&list("zerohash/acme", ListKind::Payments)));

    let some = World::with(r#"{"lists":["payments","fund_transactions"]}"#, Answer::json(200, "{}")).await;
    let chosen: Vec<ListKind> = some.api.lists().await.expect("the secret is read").iter().map(ListId::kind).collect();
    assert_eq!(chosen[..2], [ListKind::FundTransactions, ListKind::Payments]);

    // An invalid entry does not affect the others, and a changed secret is read in the next run.
    world.vault.hold(format!(
        r#"{{"default":{{"api_key":"k","passphrase":"p","secret":"not base64!"}},"Not A Tenant":{{}},
        "bolt":{{"api_key":"k","passphrase":"p","secret":"{KEY}"}}}}"#
    ));
    let feeds: Vec<String> =
        world.api.lists().await.expect("read").iter().map(|list| list.feed().to_string()).collect();
    assert_eq!(feeds, ["zerohash/bolt"; 7]);
    let missing = world.page(ListKind::Payments, PageKey::FIRST).await.expect_err("it has no entry any more");
    assert!(chain(&missing).contains("no entry for zerohash"), "{}", chain(&missing));
}

#[tokio::test]
async fn a_refusal_says_whether_the_address_or_the_credentials_are_refused_and_never_a_secret() {
    let page = Answer::new(403, "text/html", "<html>error code: 1020</html>");
    let by_key = Answer::json(403, format!(r#"{{"error":true,"message":"bad canary-key-1 canary-pass-1 {KEY}"}}"#));
    for (answer, said) in [(page, "refused the address"), (by_key, "refused the credentials")] {
        let world = World::with("{}", answer).await;
        let error = world.page(ListKind::Payments, PageKey::FIRST).await.expect_err("it is refused");
        let told = chain(&error);
        assert!(told.contains(said), "{told}");
        assert!(!told.contains("canary") && !told.contains(KEY), "{told}");
        assert_eq!(error.disposition(), Disposition::DeadLetter);
    }
}

#[tokio::test]
async fn an_invalid_option_is_an_error_at_the_start() {
    let world = World::answering("{}").await;
    for (options, hint) in [
        ("[]", "not a JSON object"),
        (r#"{"unknown":1}"#, "not a JSON object of known members"),
        (r#"{"deposit_timestamp_unit":"minutes"}"#, "not a JSON object of known members and values"),
        (
            r#"{"lists":[]}"#,
            "fund_transactions, deposits, payments, bank_payments, participants, external_accounts, accounts",
        ),
        (r#"{"lists":["transactions"]}"#, "names no list"),
        (r#"{"path_prefix":"v1"}"#, "starts with `/`"),
    ] {
        let error = ZerohashApi::new(&world.vault.aws, config(&world.provider.url, options)).expect_err(options);
        assert!(error.to_string().contains(hint), "{options}: {error}");
    }
}

#[tokio::test]
async fn what_the_documents_leave_open_is_an_option() {
    let options =
        r#"{"deposit_timestamp_unit":"s","crypto_deposit_time":"ms","payments_page_size":10,"path_prefix":"/v1"}"#;
    for (kind, body, parameter) in [
        (ListKind::FundTransactions, r#"{"message":[],"page":1,"total_pages":0}"#, "deposit_timestamp_gte=1759866290"),
        (ListKind::Deposits, r#"{"message":[]}"#, "from_timestamp=1759866290000"),
        (ListKind::Payments, r#"{"message":[]}"#, "size=10"),
    ] {
        let world = World::with(options, Answer::json(200, body)).await;
        let page = world.page(kind, PageKey::FIRST).await.expect("a page");
        let line = world.provider.asked_once().line().to_owned();
        assert!(line.starts_with("GET /v1/") && line.split(['?', '&']).any(|sent| sent == parameter), "{line}");
        assert!(page.url.ends_with(&format!("/v1{}", kind.path())), "{}", page.url);
    }
}
