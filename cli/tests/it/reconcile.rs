//! `reconcile`: how it invokes the reconciler, how it reports the answer, and its exit code.

use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use fundhook_domain::ResourceId;
use fundhook_local_stack::Deployment;
use fundhook_local_stack::reconciler;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const DEPOSIT: &str = "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f";
const TABLE: &str = "the-table";

/// Serves `router` on loopback until the test ends, and returns its URL.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Accepts a deposit's row at a reconciler that answers, or fails, with `payload`. Returns the outcome and the event that
/// the reconciler received.
async fn accepted(payload: Value, fails: bool) -> (Result<String, String>, Value) {
    let received = Arc::new(Mutex::new(Value::Null));
    let recorded = Arc::clone(&received);
    let answer = async move |body: String| {
        *recorded.lock().expect("no panic while locked") = serde_json::from_str(&body).expect("an event is JSON");
        let mut headers = HeaderMap::new();
        if fails {
            headers.insert("x-amz-function-error", "Unhandled".parse().expect("ASCII"));
        }
        (StatusCode::OK, headers, payload.to_string())
    };
    let url = serve(Router::new().route("/2015-03-31/functions/the-reconciler/invocations", post(answer))).await;
    let stack = json!({
        "endpoint": url,
        "account": "123456789012",
        "outputs": { "ReconcilerFunctionName": "the-reconciler" },
    });
    let stack: Deployment = serde_json::from_value(stack).expect("a stored deployment");
    let deposit: ResourceId = DEPOSIT.parse().expect("a resource's id");
    let accepted = reconciler::accept(&stack, &deposit).await;
    let received = received.lock().expect("no panic while locked").clone();
    (accepted.map(|row| row.to_string()).map_err(|error| error.to_string()), received)
}

#[tokio::test]
async fn the_reconciler_receives_the_accepted_deposits_id() {
    let (outcome, received) = accepted(json!({ "accepted": DEPOSIT, "queued": 1 }), false).await;
    assert_eq!(received, json!({ "accept": DEPOSIT }));
    let outcome = outcome.expect("the row was queued");
    assert!(outcome.starts_with(&format!("Queued: 1 of the listed rows, about {DEPOSIT}.")), "{outcome}");
    assert!(outcome.contains("still protects against a second credit"), "{outcome}");
}

#[tokio::test]
async fn a_row_that_was_not_queued_is_an_error_with_the_reason() {
    let unlisted = "the provider does not list deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f";
    for (payload, fails, why) in [
        (json!({ "errorType": "NotOnTheList", "errorMessage": unlisted }), true, unlisted),
        (json!({ "errorType": "Runtime.ExitError" }), true, "it gave no reason"),
        (json!({ "accepted": DEPOSIT, "queued": 0 }), false, "no row about deposit#connect#c55481bf"),
        // A reconciler without this request makes a normal run.
        (json!({ "rows": 3, "queued": 1, "complete": true }), false, "does not fit the request"),
    ] {
        let (outcome, _) = accepted(payload.clone(), fails).await;
        let error = outcome.expect_err("no row was queued");
        assert!(error.contains(why), "{payload}: {error}");
    }
}

fn fundhook(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fundhook"));
    command.arg("reconcile").args(arguments).envs(variables.iter().copied());
    command.output().expect("cargo builds the program for this test")
}

#[test]
fn an_inconsistent_command_line_is_an_error() {
    for (arguments, why) in [
        (&["--accept", "c55481bf"][..], "does not have the form kind#feed#id, such as deposit#connect#c55481bf-"),
        (&["--accept", "gift#connect#1"], "gift"),
        (&["--accept", DEPOSIT, "--report"], "cannot be used with"),
        (&["--accept", DEPOSIT, "--stack", "mine"], "cannot be used with"),
        (&["--day", "2026-11-21"], "--report"),
        (&["--json"], "--report"),
    ] {
        let ended = fundhook(arguments, &[]);
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(why), "{arguments:?}: {stderr}");
    }
    let help = fundhook(&["--help"], &[]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit code:"));
}

/// An AWS endpoint with a stack that has stored `reports`, and reads the list `unreported` too.
async fn aws_with(reports: &[Value], unreported: Option<&'static str>) -> String {
    let items = reports.iter().map(|report| json!({ "pk": { "S": "report" }, "content": { "S": report.to_string() } }));
    let items = json!({ "Responses": { TABLE: items.collect::<Vec<_>>() }, "UnprocessedKeys": {} }).to_string();
    let stack = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>mine</StackName><Outputs><member>\
         <OutputKey>TableName</OutputKey><OutputValue>{TABLE}</OutputValue></member></Outputs></member></Stacks>\
         </DescribeStacksResult></DescribeStacksResponse>"
    );
    let nothing = json!({ "Responses": { TABLE: [] }, "UnprocessedKeys": {} }).to_string();
    let answer = async move |headers: HeaderMap, body: String| {
        if headers.contains_key("x-amz-target") {
            let is_of_connect = body.contains("report#connect:transactions#");
            let watermark = unreported.filter(|list| body.contains(&format!("watermark#{list}")));
            let watermark = watermark.map(|_| {
                let time = "2025-10-08T00:00:00Z";
                let content = json!({ "revision": 1, "read_until": time, "totals_until": time }).to_string();
                json!({ "Item": { "pk": { "S": "watermark" }, "content": { "S": content } } }).to_string()
            });
            let answer = watermark.unwrap_or(if is_of_connect { items } else { nothing });
            ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], answer)
        } else {
            ([(header::CONTENT_TYPE, "text/xml")], stack)
        }
    };
    serve(Router::new().route("/", post(answer))).await
}

/// The stored report of an hour of 2025-10-07 without deposits.
fn quiet(hour: u32) -> Value {
    let begins = |hour: u32| format!("2025-10-{:02}T{:02}:00:00Z", 7 + hour / 24, hour % 24);
    json!({
        "feed": "connect",
        "list": "transactions",
        "from": begins(hour),
        "before": begins(hour + 1),
        "made_at": begins(hour + 3),
        "lines": [],
        "discrepancies": [],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_report_succeeds_only_if_nothing_needs_review() {
    let all: Vec<Value> = (0..24).map(quiet).collect();
    let with = |name: &str, value: Value| {
        let mut changed = all.clone();
        changed[7][name] = value;
        changed
    };
    let total = |count: u64| json!({ "count": count, "total": "5" });
    let line = json!({ "asset": "USDC", "provider": total(1), "ours": total(1), "published": total(0), "posted": total(0), "flow": "in" });
    for (reports, code, expected) in [
        (all.clone(), 0, "24 of 24 hours are reported of connect:transactions."),
        (all[2..].to_vec(), 1, "not reported: 2025-10-07T00:00:00Z to 2025-10-07T02:00:00Z"),
        (with("lines", json!([line])), 1, "✗ in USDC"),
        (with("discrepancies", json!(["this deposit differs"])), 1, "✗ this deposit differs"),
        (with("not_understood", json!(2)), 1, "are in no total: 2"),
    ] {
        let url = aws_with(&reports, None).await;
        let variables = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "123456789012"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ];
        let ended = fundhook(&["--report", "--stack", "mine", "--day", "2025-10-07"], &variables);
        let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert_eq!(ended.status.code(), Some(code), "{expected}: {stdout}{stderr}");
        assert!(stdout.contains(expected), "{expected}: {stdout}");

        let ended = fundhook(&["--report", "--stack", "mine", "--day", "2025-10-07", "--json"], &variables);
        assert_eq!(ended.status.code(), Some(code), "{expected}: the exit code depends on the contents alone");
        let json: Vec<Value> = serde_json::from_slice(&ended.stdout).expect("nothing but JSON is printed");
        assert_eq!(json.len(), 1, "{expected}: one report for each list");
        assert_eq!((&json[0]["feed"], &json[0]["list"]), (&json!("connect"), &json!("transactions")));
        assert_eq!(json[0]["report"]["before"], json!("2025-10-08T00:00:00Z"), "{expected}");
        let missing = json!({ "from": "2025-10-07T00:00:00Z", "before": "2025-10-07T02:00:00Z" });
        let missing = if reports.len() == 24 { json!([]) } else { json!([missing]) };
        assert_eq!(json[0]["not_reported"], missing, "{expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_read_and_has_no_report_fails_the_day() {
    let reports: Vec<Value> = (0..24).map(quiet).collect();
    let url = aws_with(&reports, Some("zerohash:payments")).await;
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "123456789012"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ];
    let day = ["--report", "--stack", "mine", "--day", "2025-10-07"];
    let ended = fundhook(&day, &variables);
    let stdout = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("0 of 24 hours are reported of zerohash:payments."), "{stdout}");
    assert!(stdout.contains("✗ not reported: 2025-10-07T00:00:00Z to 2025-10-08T00:00:00Z"), "{stdout}");

    let ended = fundhook(&[&day[..], &["--json"]].concat(), &variables);
    let json: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!((&json[1]["list"], &json[1]["report"]), (&json!("payments"), &Value::Null));
    assert_eq!((&json[0]["is_well"], &json[1]["is_well"]), (&json!(true), &json!(false)));
}
