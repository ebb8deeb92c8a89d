//! A backfill invokes the reconciler until everything is read, and says what was found and where to continue.

use std::sync::Mutex;

use fundhook::backfill::{BackfillError, InvokeReconciler, backfill, backfilled_lines, continued_with};
use fundhook::invocation::{Invocation, InvocationError};
use fundhook::show::{resource_line, timeline};
use fundhook_domain::{Backfill, EvidencePointer, ListKind, Resource, fold};
use fundhook_providers::{RawRow, ReadingSettings, listed, normalise};
use fundhook_reconciliation::{BackfillMode, BackfillPart, BackfillPosition, BackfillRequest, parse_day_or_time};
use serde_json::{Value, json};

/// Gives these answers, and remembers what it was invoked with.
struct Scripted {
    answers: Mutex<Vec<Invocation>>,
    events: Mutex<Vec<Value>>,
}

impl Scripted {
    fn answering(answers: impl IntoIterator<Item = Value>) -> Self {
        let answer = |payload: Value| Invocation { failed: payload.get("errorMessage").is_some(), payload };
        let mut answers: Vec<Invocation> = answers.into_iter().map(answer).collect();
        answers.reverse();
        Self { answers: Mutex::new(answers), events: Mutex::default() }
    }

    fn events(&self) -> Vec<Value> {
        self.events.lock().expect("no test panicked").clone()
    }
}

impl InvokeReconciler for Scripted {
    async fn invoke(&self, event: &Value) -> Result<Invocation, InvocationError> {
        self.events.lock().expect("no test panicked").push(event.clone());
        let answer = self.answers.lock().expect("no test panicked").pop();
        answer.ok_or_else(|| InvocationError::NotThere("no further answer".to_owned()))
    }
}

fn request() -> BackfillRequest {
    let from = parse_day_or_time("2026-08-01").expect("a day");
    BackfillRequest { from, to: None, mode: BackfillMode::RecordOnly, lists: vec![], tenant: None, after: None }
}

fn position(page: u32) -> Value {
    json!({ "feed": "zerohash", "list": "deposits", "window": "2026-08-02T00:00:00Z", "page": page })
}

/// A part that read `rows` deposits, of which `queued` were missing.
fn part(rows: u64, queued: u64, next: Option<Value>) -> Value {
    let mut part = json!({
        "from": "2026-08-01T00:00:00Z", "to": "2026-11-29T12:00:00Z", "mode": "record_only", "findings": [],
        "lists": [{
            "feed": "zerohash", "list": "deposits", "pages": 1, "rows": rows, "recorded": rows - queued,
            "queued": { "deposit.confirmed": queued }, "ambiguous": 0, "differing": 0, "not_understood": 0,
        }],
    });
    if let Some(next) = next {
        part["next"] = next;
    }
    part
}

async fn run(reconciler: &Scripted) -> (Option<BackfillPart>, Result<(), BackfillError>) {
    backfill(request(), reconciler, |_| {}).await
}

#[tokio::test]
async fn parts_are_requested_until_all_is_read_and_counted_together() {
    let reconciler = Scripted::answering([part(10, 4, Some(position(2))), part(5, 5, None)]);
    let (found, ended) = run(&reconciler).await;
    ended.expect("complete");
    let [first, second] = &reconciler.events()[..] else { unreachable!("two invocations") };
    assert_eq!(first, &json!({ "backfill": { "from": "2026-08-01T00:00:00Z", "mode": "record_only" } }));
    let continued = json!({
        "from": "2026-08-01T00:00:00Z", "to": "2026-11-29T12:00:00Z", "mode": "record_only", "after": position(2),
    });
    assert_eq!(second, &json!({ "backfill": continued }), "the end does not move");
    assert_eq!(
        backfilled_lines(&found.expect("parts")),
        [
            "list               rows  recorded  missing  ambiguous  differing  not understood",
            "zerohash:deposits    15         6        9          0          0               0",
            "       9  zerohash  deposit.confirmed",
            "2026-08-01T00:00:00Z to 2026-11-29T12:00:00Z: 9 missing or behind, queued to be recorded; complete",
        ]
    );
}

#[tokio::test]
async fn a_failure_comes_with_what_was_found_and_where_to_continue() {
    let mut stopped = part(5, 1, Some(position(3)));
    stopped["failed"] = json!("the list zerohash:deposits could not be read: status 503");
    let invocation_fails: Vec<Value> = Vec::new();
    let refuses = vec![json!({ "errorMessage": "none of the requested lists can be read" })];
    for (then, expected, rows, page) in [
        (vec![stopped], "status 503", 15, 3),
        (refuses, "none of the requested lists", 10, 2),
        (invocation_fails, "no further answer", 10, 2),
        (vec![json!({ "pages": 1 })], "is not that of a backfill", 10, 2),
    ] {
        let answers = [part(10, 4, Some(position(2)))].into_iter().chain(then);
        let (found, ended) = run(&Scripted::answering(answers)).await;
        let (found, failed) = (found.expect("a part"), ended.expect_err("a failure").to_string());
        assert!(failed.contains(expected), "{failed}");
        assert_eq!(found.lists[0].rows, rows, "{expected}");
        let next: BackfillPosition = found.next.clone().expect("a position");
        let option = continued_with(&next);
        let quoted = option.strip_prefix("--continue '").and_then(|rest| rest.strip_suffix('\''));
        assert_eq!(quoted.and_then(|json| serde_json::from_str(json).ok()), Some(next.clone()), "{option}");
        assert_eq!(json!(next), position(page), "{expected}");
        assert!(backfilled_lines(&found).last().is_some_and(|line| line.ends_with("; not complete")));
    }
}

#[tokio::test]
async fn a_page_that_is_never_finished_ends_the_backfill() {
    let (found, ended) = run(&Scripted::answering((0..9).map(|_| part(0, 0, Some(position(2)))))).await;
    assert!(matches!(ended, Err(BackfillError::Stuck { .. })), "{ended:?}");
    assert!(found.is_some());
}

#[test]
fn what_needs_review_is_named() {
    let mut found = part(2, 1, None);
    found["findings"] = json!(["deposit#zerohash#1 is listed and not recorded, and may be deposit#connect#2"]);
    let lines = backfilled_lines(&serde_json::from_value(found).expect("a part"));
    assert!(lines.iter().any(|line| line.starts_with("NEEDS REVIEW: deposit#zerohash#1 is listed")), "{lines:?}");
}

#[test]
fn what_was_only_recorded_is_shown_with_its_amount_and_as_the_opening_balance() {
    let row = r#"{"fund_id":"f-1","participant_code":"CUST01","fund_asset":"USDC.BASE","deposited_asset":"USDC.BASE",
        "quantity":"100","notional":"100","rate":"1","quoted_currency":"USD","deposit_timestamp":1754000000000,
        "transaction_id":"0xabc1","success":true}"#;
    let feed = "zerohash".parse().expect("a feed");
    let (list, url, read_at) = (ListKind::FundTransactions, "https://api.zerohash.com", request().from);
    let envelope = listed(RawRow { list, feed: &feed, json: row.to_owned(), url, read_at });
    let archived = EvidencePointer { object: "evidence/v1/x.ndjson.gz".to_owned(), line: 0 };
    let statements = normalise(&envelope.read_by(Backfill::RecordedOnly), archived, &ReadingSettings::default());
    let [statement] = &statements[..] else { unreachable!("one statement: {statements:?}") };
    let resource = fold(Resource::unknown(statement.resource.clone()), statement.clone()).into_resource();
    let line = resource_line(&resource);
    assert!(line.contains("confirmed") && line.contains("100 USDC") && line.ends_with("1 fact"), "{line}");
    let timeline = timeline(&resource);
    for expected in ["the opening balance, without an event", "read from the provider's API", ", by a backfill"] {
        assert!(timeline.contains(expected), "{timeline}");
    }
}
