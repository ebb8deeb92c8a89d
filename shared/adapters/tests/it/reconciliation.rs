//! The items of reconciliation in the table: watermarks, hourly reports, receipts of what was published, and claims on coins.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_adapters::{Aws, ReconciliationTable, WriteMethod};
use fundhook_domain::{Claim, ClaimKey, Feed, Kind, ListId, ListKind, Provider, Timestamp, WebhookFamily};
use fundhook_ports::{
    AccountResources, Advance, Claims, Disposition, OpenQuery, OpenResources, PortError, Receipts, Reports,
    SettledResources, Watermarks, WriteOutcome, chain,
};
use fundhook_reconciliation::{ControlTotalsLine, Flow, Moved, Receipt, Total};
use fundhook_reconciliation::{PageKey, ReadWindow, Report, RowsWithoutWebhook, Watermark};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::coins::{HASH, OTHER_HASH, claim_on, confirmed, first_claim};
use crate::support::server::{Answer, Server};
use crate::support::{Local, TABLE, at, deposit, table, write_one};

const HOUR: Duration = Duration::from_secs(3600);

fn feed() -> Feed {
    Provider::Connect.into()
}

fn tenant() -> Feed {
    "connect/acme".parse().expect("a feed")
}

fn list() -> ListId {
    ListId::new(&feed(), ListKind::ConnectTransactions)
}

fn list_of_tenant() -> ListId {
    ListId::new(&tenant(), ListKind::ConnectTransactions)
}

async fn store() -> (Local, ReconciliationTable) {
    let local = Local::start().await;
    let store = ReconciliationTable::new(&local.aws, TABLE.to_owned());
    (local, store)
}

/// The watermark with this revision: everything up to `read_until` was read.
fn watermark(revision: u64, read_until: i64) -> Watermark {
    Watermark {
        begins: Some(Timestamp::from_unix_seconds(0).expect("a time")),
        revision,
        read_until: at(read_until),
        window: None,
        totals_until: at(0).day_start(),
        revised_until: None,
        returned_until: None,
        overdue_after: None,
        reported: vec!["a sentence".to_owned()],
        without_webhook: RowsWithoutWebhook::counted_from(at(0)),
    }
}

async fn advanced(store: &ReconciliationTable, list: &ListId, to: &Watermark) -> Advance {
    store.advance(list, to).await.expect("an answer")
}

async fn loaded(store: &ReconciliationTable, list: &ListId) -> Option<Watermark> {
    Watermarks::load(store, list).await.expect("an answer")
}

#[tokio::test]
async fn a_watermark_is_read_as_it_was_last_moved() {
    let (local, store) = store().await;
    assert_eq!(loaded(&store, &list()).await, None, "the list was not read yet");
    let begun = ReadWindow { from: at(0), until: at(900), next_page: PageKey::Cursor("a cursor".to_owned()) };
    for to in [
        watermark(1, 0),
        Watermark { window: Some(begun), ..watermark(2, 0) },
        Watermark { overdue_after: Some("2025 deposit#connect#a b".to_owned()), ..watermark(3, 900) },
        watermark(4, 900),
    ] {
        assert_eq!(advanced(&store, &list(), &to).await, Advance::Stored);
        assert_eq!(loaded(&store, &list()).await, Some(to));
    }
    assert_eq!(loaded(&store, &list_of_tenant()).await, None, "each organization has its own watermark");
    assert_eq!(advanced(&store, &list_of_tenant(), &watermark(1, 5)).await, Advance::Stored);
    assert_eq!(loaded(&store, &list()).await, Some(watermark(4, 900)));
    let item = local.item("watermark#connect:transactions").await.expect("the item");
    assert!(!item.contains_key("version"), "the publisher must ignore it");
}

#[tokio::test]
async fn moving_a_watermark_that_was_moved_meanwhile_loses_and_changes_nothing() {
    let (_local, store) = store().await;
    let first = watermark(1, 100);
    assert_eq!(advanced(&store, &list(), &watermark(2, 1)).await, Advance::Lost, "there is no watermark to move");
    assert_eq!(advanced(&store, &list(), &first).await, Advance::Stored);
    // Another first write, a repeated one whose response was lost, and one that skips a revision.
    for late in [watermark(1, 200), first.clone(), watermark(3, 300)] {
        assert_eq!(advanced(&store, &list(), &late).await, Advance::Lost);
        assert_eq!(loaded(&store, &list()).await, Some(first.clone()));
    }
    for revision in 2..5 {
        assert_eq!(advanced(&store, &list(), &watermark(revision, 200)).await, Advance::Stored);
        assert_eq!(advanced(&store, &list(), &watermark(revision, 300)).await, Advance::Lost);
        assert_eq!(advanced(&store, &list(), &watermark(revision - 1, 300)).await, Advance::Lost);
        assert_eq!(loaded(&store, &list()).await, Some(watermark(revision, 200)));
    }
}

#[tokio::test]
async fn of_twenty_concurrent_reconcilers_one_moves_the_watermark() {
    let (_local, store) = store().await;
    for revision in [1, 2] {
        let mut movers = JoinSet::new();
        for number in 0..20 {
            let (store, to) = (store.clone(), watermark(revision, number));
            movers.spawn(async move { advanced(&store, &list(), &to).await.eq(&Advance::Stored).then_some(to) });
        }
        let stored: Vec<Watermark> = movers.join_all().await.into_iter().flatten().collect();
        assert_eq!(stored.len(), 1, "{stored:?}");
        assert_eq!(loaded(&store, &list()).await.as_ref(), stored.first());
    }
}

/// The start of this hour on the first day of the tests.
fn hour(number: u64) -> Timestamp {
    at(0).day_start().plus(HOUR * u32::try_from(number).expect("few"))
}

/// The report of an hour with a total in one asset.
fn report(list: &ListId, number: u64, total: &str) -> Report {
    let total = |count| Total { count, total: total.parse().expect("a decimal") };
    let line = ControlTotalsLine {
        asset: "USDC".to_owned(),
        flow: Flow::Returned,
        provider: total(3),
        ours: total(2),
        published: Total::default(),
        posted: total(1),
        on_its_way: total(2),
        opening: total(1),
    };
    let sentence = "deposit#connect#a is listed as confirmed and not recorded – é".to_owned();
    Report {
        feed: list.feed().clone(),
        list: list.kind(),
        from: hour(number),
        before: hour(number + 1),
        made_at: at(7200),
        lines: vec![line],
        discrepancies: vec![sentence],
        not_understood: 2,
    }
}

async fn reported(store: &ReconciliationTable, list: &ListId, day: Timestamp) -> Vec<Report> {
    store.of_day(list, day).await.expect("an answer")
}

#[tokio::test]
async fn a_report_is_read_exactly_and_replaces_an_earlier_one_of_the_same_hour() {
    let (local, store) = store().await;
    assert_eq!(reported(&store, &list(), hour(0)).await, []);
    for total in ["1", "119078888888888888887.000000000000000000000000000000000000000000001"] {
        let report = report(&list(), 19, total);
        store.put(&report).await.expect("stored");
        assert_eq!(reported(&store, &list(), hour(0)).await, [report]);
    }
    assert_eq!(reported(&store, &list_of_tenant(), hour(0)).await, [], "each organization has its own reports");
    let item = local.item("report#connect:transactions#2025-10-07T19").await.expect("the item");
    assert!(!item.contains_key("version"), "the publisher must ignore it");
}

#[tokio::test]
async fn the_reports_of_a_day_are_those_of_its_hours_in_order() {
    let (_local, store) = store().await;
    let reports = |numbers: &[u64]| numbers.iter().map(|number| report(&list(), *number, "1")).collect::<Vec<_>>();
    for report in reports(&[24, 23, 2, 0, 47, 48, 10]) {
        store.put(&report).await.expect("stored");
    }
    store.put(&report(&list_of_tenant(), 5, "1")).await.expect("stored");
    for (day, hours) in [(hour(0), &[0, 2, 10, 23][..]), (hour(24), &[24, 47]), (hour(48), &[48]), (hour(72), &[])] {
        assert_eq!(reported(&store, &list(), day).await, reports(hours), "{day}");
    }
}

/// The receipt of a deposit that was published as confirmed with this amount.
fn receipt(native: &str, value: &str) -> Receipt {
    Receipt {
        resource: deposit(native),
        event: format!("deposit#connect#{native}#2"),
        moved: vec![Moved { flow: Flow::In, asset: "USDC".to_owned(), value: value.parse().expect("a decimal") }],
        posted: Vec::new(),
        published_at: at(60),
    }
}

/// The receipts of these deposits, in the order of their ids.
async fn noted(store: &ReconciliationTable, natives: &[String]) -> Vec<Receipt> {
    let ids: Vec<_> = natives.iter().map(|native| deposit(native)).collect();
    let mut receipts = store.receipts(&ids).await.expect("an answer");
    receipts.sort_by(|one, other| one.resource.cmp(&other.resource));
    receipts
}

#[tokio::test]
async fn a_repeated_receipt_is_stored_once_and_one_of_a_later_event_replaces_it() {
    let (local, store) = store().await;
    let all = ["a", "b", "c"].map(str::to_owned);
    let exact = "119078888888888888887.000000000000000000000000000000000000000000001";
    let (a, b, a_again) = (receipt("a", exact), receipt("b", "1"), receipt("a", "2"));
    for (receipts, expected) in [
        (vec![], vec![]),
        (vec![a.clone()], vec![a.clone()]),
        (vec![a.clone()], vec![a.clone()]),
        // Two receipts of one deposit in one call, which DynamoDB itself rejects.
        (vec![a.clone(), b.clone(), a_again.clone()], vec![a_again.clone(), b.clone()]),
        (vec![a_again, a.clone(), a.clone()], vec![a, b]),
    ] {
        store.note(&receipts).await.expect("noted");
        assert_eq!(noted(&store, &all).await, expected);
    }
    // An earlier event that is published again, in the same call or later.
    let event = |number: u64| Receipt { event: format!("deposit#connect#c#{number}"), ..receipt("c", "3") };
    for receipts in [vec![event(3), event(1)], vec![event(2)], vec![event(3)]] {
        store.note(&receipts).await.expect("noted");
        assert_eq!(noted(&store, &all[2..]).await, [event(3)]);
    }
    let item = local.item("published#deposit#connect#a").await.expect("the item");
    assert!(!item.contains_key("version"), "the publisher must ignore it");
}

#[tokio::test]
async fn a_stored_receipt_that_cannot_be_read_is_replaced() {
    let (local, store) = store().await;
    store.note(&[receipt("a", "1")]).await.expect("noted");
    local.put("published#deposit#connect#a", &[]).await;
    assert!(store.receipts(&[deposit("a")]).await.is_err(), "it cannot be read");
    store.note(&[receipt("a", "2")]).await.expect("noted");
    assert_eq!(noted(&store, &["a".to_owned()]).await, [receipt("a", "2")]);
}

#[tokio::test]
async fn more_receipts_than_one_call_takes_are_stored_and_read() {
    let (_local, store) = store().await;
    let natives: Vec<String> = (0..130).map(|number| format!("{number:03}")).collect();
    assert_eq!(noted(&store, &natives).await, []);
    for some in [&natives[..25], &natives[25..51], &natives[60..]] {
        let receipts: Vec<Receipt> = some.iter().map(|native| receipt(native, native)).collect();
        store.note(&receipts).await.expect("noted");
    }
    let expected: Vec<Receipt> =
        [&natives[..51], &natives[60..]].concat().iter().map(|native| receipt(native, native)).collect();
    assert_eq!(noted(&store, &natives).await, expected);
    assert_eq!(store.receipts(&[]).await.expect("nothing to ask"), []);
}

#[tokio::test]
async fn receipts_that_dynamodb_leaves_unprocessed_are_sent_again_a_few_times() {
    for (undone, calls) in [(0, 1), (1, 2), (3, 4), (4, 4), (9, 4)] {
        let mut left = std::iter::repeat_n((), undone);
        let server = Server::answering(move |asked| {
            let is_read = asked.header("x-amz-target").is_some_and(|target| target.ends_with("BatchGetItem"));
            let undone = if is_read { None } else { left.next() };
            let items = undone.map_or_else(|| json!({}), |()| asked.json()["RequestItems"].clone());
            Answer::new(200, "application/x-amz-json-1.0", json!({ "UnprocessedItems": items }).to_string())
        });
        let server = server.await;
        let aws = Aws::local(&server.url, "test").expect("a local connection");
        let outcome = ReconciliationTable::new(&aws, TABLE.to_owned()).note(&[receipt("a", "1")]).await;
        let asked = server.asked();
        // The first call reads the stored receipts.
        let given: Vec<_> = asked[1..].iter().map(|asked| asked.json()["RequestItems"].clone()).collect();
        assert_eq!(given.len(), calls, "{undone} times undone");
        assert!(given.iter().all(|items| *items == given[0]), "{given:?}");
        let failed = outcome.err().map(|error| error.disposition());
        assert_eq!(failed, (undone >= 4).then_some(Disposition::Retry), "{undone} times undone");
    }
}

#[tokio::test]
async fn claims_are_read_as_they_were_written_with_their_deposits() {
    let (local, table) = table(WriteMethod::default()).await;
    let store = ReconciliationTable::new(&local.aws, TABLE.to_owned());
    let write = first_claim(confirmed(WebhookFamily::ConnectDeposits, "a", HASH));
    let written = write.claims[0].item.clone();
    assert!(matches!(write_one(&table, write).await, WriteOutcome::Written));
    let keys = [claim_on(HASH), claim_on(OTHER_HASH)];
    let unclaimed = Claim::unclaimed(keys[1].clone());
    assert_eq!(store.claims(&keys).await.expect("an answer"), [written, unclaimed.clone()]);
    assert_eq!(store.claims(&keys[1..]).await.expect("an answer"), [unclaimed]);
}

#[tokio::test]
async fn more_claims_than_one_call_takes_are_read() {
    let (local, store) = store().await;
    let claims: Vec<Claim> = (0..230)
        .map(|number| confirmed(WebhookFamily::ConnectDeposits, "a", &format!("0x{:064}", number + 1)))
        .map(|report| first_claim(report).claims.remove(0).item)
        .collect();
    for claim in claims.iter().step_by(2) {
        let text = AttributeValue::S(serde_json::to_string(&claim).expect("JSON"));
        local.put(&format!("claim#{}", claim.key()), &[("claim", text)]).await;
    }
    let keys: Vec<ClaimKey> = claims.iter().map(|claim| claim.key().clone()).collect();
    let is_stored = (0..230).map(|number: u32| number.is_multiple_of(2));
    let expected = claims.into_iter().zip(is_stored);
    let expected = expected.map(|(claim, is)| if is { claim } else { Claim::unclaimed(claim.key().clone()) });
    assert_eq!(store.claims(&keys).await.expect("an answer"), expected.collect::<Vec<_>>());
    assert_eq!(store.claims(&[]).await.expect("nothing to ask"), []);
}

#[tokio::test]
async fn an_unreadable_item_is_an_error_that_names_it_without_its_content() {
    let (local, store) = store().await;
    let text = |text: &str| [("content", AttributeValue::S(text.to_owned()))];
    let number = [("content", AttributeValue::N("4711".to_owned()))];
    let unreadable: [&[(&str, AttributeValue)]; 5] = [
        &[],
        &number,
        &text(""),
        &text("canary"),
        &text(r#"{"revision":"canary","feed":"canary","resource":"canary"}"#),
    ];
    for attributes in unreadable {
        for pk in [
            "watermark#connect:transactions",
            "report#connect:transactions#2025-10-07T19",
            "published#deposit#connect#a",
        ] {
            local.put(pk, attributes).await;
        }
        let watermark = Watermarks::load(&store, &list()).await.map(|_| ());
        let reports = store.of_day(&list(), at(0).day_start()).await.map(|_| ());
        let receipts = store.receipts(&[deposit("a"), deposit("b")]).await.map(|_| ());
        for (read, pk, attempted) in [
            (watermark, "watermark#connect:transactions", "read the watermark"),
            (reports, "report#connect:transactions#2025-10-07T19", "read the reports of a day"),
            (receipts, "published#deposit#connect#a", "read what was published"),
        ] {
            let error = read.expect_err(pk);
            assert_eq!(error.disposition(), Disposition::DeadLetter);
            let told = chain(&error);
            assert!(told.contains(pk) && told.contains(attempted), "{told}");
            assert!(!told.contains("canary") && !told.contains("4711"), "{told}");
        }
    }
    // A watermark that cannot be read cannot be moved.
    assert_eq!(advanced(&store, &list(), &watermark(1, 0)).await, Advance::Lost);
    let item = local.item("watermark#connect:transactions").await.expect("the item");
    assert!(crate::support::text(&item, "content").is_some_and(|text| text.contains("canary")));
}

#[tokio::test]
async fn an_unreachable_table_is_an_error_to_be_retried() {
    let unreachable = Aws::local("http://127.0.0.1:9", "test").expect("a local connection");
    let store = ReconciliationTable::new(&unreachable, TABLE.to_owned());
    fn failed<T>(outcome: Result<T, PortError>) -> Option<Disposition> {
        outcome.err().map(|error| error.disposition())
    }
    let (feed, list, ids) = (feed(), list(), [deposit("a")]);
    let (mark, told, given) = (watermark(1, 0), report(&list, 19, "1"), [receipt("a", "1")]);
    let keys = [claim_on(HASH)];
    let open = OpenQuery { kind: Kind::Deposit, overdue: false, from: None, before: at(0), after: None, limit: 100 };
    let outcomes = tokio::join!(
        async { failed(Watermarks::load(&store, &list).await) },
        async { failed(store.advance(&list, &mark).await) },
        async { failed(store.put(&told).await) },
        async { failed(store.of_day(&list, at(0).day_start()).await) },
        async { failed(store.note(&given).await) },
        async { failed(store.receipts(&ids).await) },
        async { failed(store.claims(&keys).await) },
        async { failed(store.settled(&feed, Kind::Deposit, at(0), at(1)).await) },
        async { failed(store.open(open).await) },
        async { failed(store.of_account("CUST01", at(0)).await) },
    );
    let retry = Some(Disposition::Retry);
    assert_eq!(outcomes, (retry, retry, retry, retry, retry, retry, retry, retry, retry, retry));
}
